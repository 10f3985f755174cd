"""The demo head without Blender, and other heads made of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from au_mocap import mapping, matching
from au_mocap.channels import IDS
from au_mocap.landmarks import IPD_M
from au_mocap.looking import finding, matches, measure, solve
from au_mocap.looking.surface import Surface, islands
from au_mocap.registry import BUNDLED

Points = NDArray[np.float64]
UP, FRONT = (0.0, 0.0, 1.0), (0.0, -1.0, 0.0)


@dataclass(frozen=True)
class Head:
    """A face with shapes: displacements (V, 3) by name."""

    surface: Surface
    shapes: Mapping[str, Points]

    @property
    def points(self) -> Points:
        return self.surface.points

    def renamed(self, seed: int = 0) -> tuple["Head", dict[str, str]]:
        """The same under names that mean nothing, in another order; and what each was called."""
        order = np.random.default_rng(seed).permutation(list(self.shapes))
        names = {f"Key.{number:03d}": str(name) for number, name in enumerate(order, 1)}
        return replace(self, shapes={new: self.shapes[old] for new, old in names.items()}), names

    def bent(self, bend: Callable[[Points], Points]) -> "Head":
        """The head after a change of space: shapes bend along."""
        rest = bend(self.points)
        shapes = {name: bend(self.points + shape) - rest for name, shape in self.shapes.items()}
        return Head(replace(self.surface, points=rest), shapes)


@cache
def demo() -> Head:
    """The demo head, as `operators.demo_head` builds it."""
    with np.load(BUNDLED / "demo_head.npz", allow_pickle=False) as data:
        points, faces = data["head_vertices"].astype(np.float64), data["head_faces"].astype(np.int64)
        quads = faces[:, 3] >= 0
        triangles = np.concatenate([faces[:, [0, 1, 2]], faces[quads][:, [0, 2, 3]]])
        shapes, start, step_m = {}, 0, float(data["step_m"].item())
        for name, size in zip(data["shape_names"], data["shape_sizes"], strict=True):
            moved = np.zeros_like(points)
            part = slice(start, start + int(size))
            moved[data["shape_vertices"][part]] = data["shape_steps"][part] * step_m
            shapes[str(name)], start = moved, part.stop
        surface = Surface(
            points=points,
            triangles=triangles,
            movable=np.ones(len(triangles), bool),
            colours=data["head_colours"][:, ::-1][triangles],
            texture=np.full(len(triangles), -1),
            uv=np.zeros((len(triangles), 3, 2), np.float32),
        )
    return Head(surface, shapes)


def moves(head: Head) -> NDArray[np.int64]:
    """(V,) how many shapes move each point."""
    lengths = np.stack([np.linalg.norm(shape, axis=1) for shape in head.shapes.values()])
    return (lengths > 0.1 * np.maximum(lengths.max(axis=1, keepdims=True), 1e-9)).sum(axis=0)


def parts(head: Head) -> NDArray[np.int64]:
    """(V,) number of the connected part that each point belongs to."""
    number = np.zeros(len(head.points), np.int64)
    number[head.surface.triangles.ravel()] = np.repeat(islands(head.surface), 3)
    return number


def found(head: Head, others: Sequence[Sequence[float]] = ()) -> finding.FoundFace:
    """The head's face, as the tracker sees it; `others` are further directions that may be up."""
    places = finding.regions(head.points, moves(head), UP)
    return finding.find_face(head.surface, finding.views(places, UP, FRONT, others), finding.Looker())


def measured(head: Head, face: finding.FoundFace | None = None) -> measure.Measured:
    """What the head's shapes do."""
    places = (face or found(head)).places
    return measure.measure(places, head.points, head.shapes.values())


def looked_at(head: Head, face: finding.FoundFace | None = None, own_strength: bool = True) -> matches.Seen:
    """The head's table by looking."""
    return matches.to_table(solve.solve(measured(head, face)), list(head.shapes), "looked at", own_strength)


def by_name(names: list[str]) -> mapping.Mapping:
    """The table that ARKit's names give."""
    return matching.to_mapping(matching.match(names), "named")


def right_rows(seen: matches.Seen, names: Mapping[str, str]) -> tuple[int, list[str]]:
    """How many channels have exactly the shape that ARKit has for them, and what is wrong with the others."""
    wanted = expected(list(names.values()))
    got = {
        channel: {names[row.target.name] for row in seen.mapping.rows if row.channel == channel} for channel in wanted
    }
    wrong = [f"{channel}: {sorted(got[channel])}" for channel in wanted if got[channel] != {wanted[channel]}]
    return len(wanted) - len(wrong), wrong


def expected(names: list[str]) -> dict[str, str]:
    """The shape of each channel, sides of a symmetric one apart."""
    wanted = {row.channel: row.target.name for row in by_name(names).rows}
    both = wanted.pop("cheek_puff", None)
    return wanted | ({"cheek_puff_L": both, "cheek_puff_R": both} if both else {})


def expressions(count: int, seed: int = 3) -> NDArray[np.float64]:
    """(T, 58) values of a few channels at a time, without the means of two sides."""
    rng = np.random.default_rng(seed)
    values = np.zeros((count, len(IDS)))
    wanted = [IDS.index(channel) for channel in expected(list(demo().shapes))]
    for row in values:
        row[rng.choice(wanted, 6, replace=False)] = rng.random(6)
    return values


def played(head: Head, table: mapping.Mapping, values: NDArray[np.float64]) -> Points:
    """(T, V, 3) displacements of a head that performs expressions by a table; sums are held to 0..1 as sliders are."""
    total = np.zeros((len(values), *head.points.shape))
    for target, curve in mapping.evaluate(table, IDS, values).items():
        assert isinstance(target, mapping.ShapeKeyTarget)
        total += np.clip(curve, 0.0, 1.0)[:, None, None] * head.shapes[target.name]
    return total


def with_sided_cheeks(table: mapping.Mapping) -> mapping.Mapping:
    """A table by names whose symmetric cheek puff is driven by both sides, half each."""
    rows = [row for row in table.rows if row.channel != "cheek_puff"]
    for row in table.rows:
        if row.channel == "cheek_puff":
            rows += [replace(row, channel=f"cheek_puff_{side}", gain=0.5) for side in "LR"]
    return mapping.Mapping(table.name, tuple(rows))


def errors(head: Head, table: mapping.Mapping, face: finding.FoundFace, values: NDArray[np.float64]) -> Points:
    """(T, 478) how far landmarks are from where the demo head has them, in distances between the eyes.

    Args:
        head: Performs by `table`; its points are the demo head's.
        table: The table by looking.
        face: The landmarks on the demo head.
        values: (T, 58) expressions.
    """
    wanted = played(demo(), with_sided_cheeks(by_name(list(demo().shapes))), values)
    gap = played(head, table, values) - wanted
    return np.linalg.norm([face.places.points(each) for each in gap], axis=2) / IPD_M


def coarse(head: Head, cell: float, rng: np.random.Generator) -> Head:
    """The head with all points of a cell made one, its shapes of other strengths, with noise of a tenth of a cell."""
    _, owner = np.unique(np.round(head.points / cell).astype(np.int64), axis=0, return_inverse=True)
    owner = owner.reshape(-1)
    count = np.bincount(owner)

    def mean(values: Points) -> Points:
        return np.stack([np.bincount(owner, column) / count for column in values.T], axis=1)

    triangles = owner[head.surface.triangles]
    kept = (triangles != np.roll(triangles, 1, axis=1)).all(axis=1)
    old = head.surface
    surface = Surface(
        mean(old.points), triangles[kept], old.movable[kept], old.colours[kept], old.texture[kept], old.uv[kept]
    )
    shapes = {}
    for name, shape in head.shapes.items():
        moved = mean(shape)
        noise = rng.normal(0.0, 0.1 * cell, moved.shape) * (np.linalg.norm(moved, axis=1, keepdims=True) > 1e-4)
        shapes[name] = moved * rng.uniform(0.6, 1.5) + noise
    return Head(surface, shapes)
