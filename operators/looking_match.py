"""A character looked at: its face found or picked, its shape keys measured, its table made."""

from collections.abc import Callable, Sequence

import bpy

from ..au_mocap.errors import SettingsError
from ..au_mocap.looking import finding, marks, matches, measure, places, solve
from . import looking_marks, looking_mesh, scene

NAME = "Matched by Looking"
_UP = (0.0, 0.0, 1.0)
_FRONT = (0.0, -1.0, 0.0)
_SEARCH = 0.6
"""Share of the progress that the search for the face takes."""


def look(
    chosen: bpy.types.Object, own_strength: bool, progress: Callable[[float], None] = lambda _share: None
) -> matches.Seen:
    """Makes a character's table by what its shape keys do.

    Args:
        chosen: The character.
        own_strength: See `matches.to_table`.
        progress: Told how much is done, 0..1.

    Raises:
        AuMocapError: There is nothing to look at, no face to be seen, or nothing that moves it.
    """
    character = scene.find_character(chosen)
    figure = looking_mesh.read(character)
    picked = looking_marks.of(chosen)
    if len(picked) >= measure.LEAST_LANDMARKS:
        landmarks, points = looking_marks.points(picked)
        marks.check(landmarks, points)
        found = places.nearest_on(points, landmarks, figure.surface)
    else:
        found = face_of(figure, _axes_of(character), lambda share: progress(_SEARCH * share))
    progress(_SEARCH)
    measured = measure.measure(found, figure.surface.points, figure.shapes())
    progress(1.0)
    table = matches.to_table(solve.solve(measured), figure.names, NAME, own_strength)
    if not table.mapping.rows:
        message = (
            "None of this character's shape keys moves its face in a way that a channel does: choose the mesh that "
            f"has the face's shape keys, or {finding.LOOK_NEXT}."
        )
        raise SettingsError(message)
    return table


def face_of(
    figure: looking_mesh.Figure,
    axes: Sequence[Sequence[float]],
    progress: Callable[[float], None] = lambda _share: None,
) -> places.Places:
    """The landmarks on a character, as the tracker sees them.

    Args:
        figure: The character.
        axes: Directions that may be up if the world's Z is not.
        progress: Told how much of the search is done, 0..1.

    Raises:
        AuMocapError: No face is seen, or the tracker's files are missing.
    """
    regions = finding.regions(figure.surface.points, figure.moves(), _UP)
    sides = finding.views(regions, _UP, _FRONT, axes)
    return finding.find_face(figure.surface, sides, finding.Looker(), progress).places


def _axes_of(character: scene.Character) -> list[tuple[float, ...]]:
    """The axes of the mesh with the most shape keys, and their opposites: one of them is likely up."""
    mesh = max(character.meshes, key=lambda each: len(each.data.shape_keys.key_blocks))
    turn = mesh.matrix_world.to_3x3().normalized()
    return [tuple(sign * value for value in turn.col[axis]) for axis in (2, 1, 0) for sign in (1.0, -1.0)]
