"""Empties that an artist puts on a face where the tracker cannot see it."""

from typing import TYPE_CHECKING, Final

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..au_mocap.looking import marks, view
from ..au_mocap.looking.surface import normals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .looking_mesh import Figure

KEY: Final = "aumocap_landmark"
"""Custom property of an empty: the number of its landmark."""

FRONTS: Final = {"-Y": (0, -1, 0), "+Y": (0, 1, 0), "+X": (1, 0, 0), "-X": (-1, 0, 0)}
_SIZE: Final = 0.02


def of(chosen: bpy.types.Object) -> dict[int, bpy.types.Object]:
    """The marks of a character by landmark."""
    known = set(marks.LANDMARKS)
    found = {each.get(KEY): each for each in chosen.children if each.type == "EMPTY"}
    return {landmark: each for landmark, each in found.items() if landmark in known}


def add(context: bpy.types.Context, chosen: bpy.types.Object, figure: "Figure", front: str) -> int:
    """Puts the marks that are missing about where a face should have them.

    Args:
        context: Its scene takes them.
        chosen: The character, whose children they become.
        figure: Its surface.
        front: Where the face looks, a key of `FRONTS`; up is +Z.

    Returns:
        How many were added.
    """
    from ..au_mocap.looking.finding import HEAD_ROOM, regions

    axes = np.array([np.cross((0, 0, 1), FRONTS[front]), (0, 0, -1), np.negative(FRONTS[front])], np.float64)
    centre, reach = regions(figure.surface.points, figure.moves(), (0.0, 0.0, 1.0))[0]
    guess = _on_the_front(figure, marks.spread(axes, centre, reach / HEAD_ROOM), view.Frame(axes, centre, reach, 256))
    context.view_layer.update()
    there = of(chosen)
    new = [(mark, place) for mark, place in zip(marks.MARKS, guess, strict=True) if mark.landmark not in there]
    for mark, place in new:
        empty = bpy.data.objects.new(f"{chosen.name} {mark.label}", None)
        empty.empty_display_type = "SPHERE"
        empty.empty_display_size = _SIZE * reach
        empty.show_name = empty.show_in_front = True
        empty[KEY] = mark.landmark
        context.scene.collection.objects.link(empty)
        empty.parent = chosen
        empty.matrix_parent_inverse = chosen.matrix_world.inverted_safe()
        empty.matrix_basis = Matrix.Translation(Vector(place.tolist()))
    return len(new)


def remove(chosen: bpy.types.Object) -> int:
    """Removes a character's marks; says how many there were."""
    found = list(of(chosen).values())
    for each in found:
        bpy.data.objects.remove(each)
    return len(found)


def points(found: dict[int, bpy.types.Object]) -> "tuple[NDArray[np.int64], NDArray[np.float64]]":
    """(L,) landmarks and (L, 3) places in the world."""
    places = [tuple(each.matrix_world.translation) for each in found.values()]
    return np.array(list(found), np.int64), np.array(places, np.float64).reshape(-1, 3)


def _on_the_front(figure: "Figure", guess: "NDArray[np.float64]", frame: view.Frame) -> "NDArray[np.float64]":
    """Places (n, 3) moved along the line of sight onto what is seen there; where nothing is, they stay."""
    picture = view.draw(figure.surface, frame, normals(figure.surface))
    pixels = np.clip(np.floor(frame.project(guess)[:, :2]), 0, frame.size_px - 1).astype(np.int64)
    triangle = picture.triangle[pixels[:, 1], pixels[:, 0]]
    shares = picture.shares[pixels[:, 1], pixels[:, 0]]
    seen = figure.surface.points[figure.surface.triangles[triangle]]
    return np.where(triangle[:, None] >= 0, (shares[..., None] * seen).sum(axis=1), guess)
