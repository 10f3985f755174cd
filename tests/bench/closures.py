"""Lips that meet and eyes that shut: performers with known closures, filmed, analysed, baked, measured on the head."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from training import closures, extension

from . import Row, at_least, at_most

Performer = tuple[closures.Clip, Any]
"""A film with its truth, and the `Calibrator` of the take that was made of it."""

CLIPS: Final = 6
_SHUT: Final = 0.1
"""An eye of the truth is shut below this opening, and one of the head below this share of its resting gap."""
_OPEN: Final = 0.3
_TOUCHING_M: Final = 0.0003
_APART_M: Final = 0.0015
"""Lips of the truth touch below the one and are apart above the other, beyond what the resting face leaves."""
_MEETING: Final = 0.02
"""The head's lips meet below this share of the way that its jaw opens them."""
_BESIDE: Final = 1
"""Frames by which a closure may come early or late."""

_CLEAR: Final = 0.6
"""Median confidence from which on a performer is clearly seen: the targets are for those. Films are drawn over all
qualities, and what the tracker itself doubts half of the time is reported, too, under keys with `_all`."""

_LEAST_RECALL: Final = 0.98
_MOST_FALSE: Final = 0.02


@dataclass(frozen=True, slots=True)
class Count:
    """Closures: those played, those of them that the head shows, and those that it shows where there are none."""

    played: int = 0
    caught: int = 0
    false: int = 0

    def __add__(self, other: "Count") -> "Count":
        """Both together."""
        return Count(self.played + other.played, self.caught + other.caught, self.false + other.false)


def rows() -> Iterator[Row]:
    """Yield recall and false closures of eyes and lips, with contact and, for comparison, without."""
    import bpy  # noqa: F401 - Blender looks for extensions when it starts, and must not find this one there

    with extension.registered():
        yield from figures(performers())


def performers() -> list[Performer]:
    """The performers that figures are reported of, analysed; the extension is registered."""
    return [_analysed(closures.clip("report", number)) for number in range(CLIPS)]


def figures(takes: Sequence[Performer]) -> Iterator[Row]:
    """Yield what `rows` says, of some performers."""
    import bpy

    for contact, name in ((1.0, ""), (0.0, "_without_contact")):
        counts: list[tuple[bool, tuple[Count, Count]]] = []
        for made, calibrator in takes:
            bpy.ops.wm.read_factory_settings(use_empty=True)
            clear = float(np.median(calibrator.take.confidence)) >= _CLEAR
            counts.append((clear, _compared(made, _played(calibrator, contact))))
        for group, wanted in (("", (True,)), ("_all", (True, False))):
            chosen = [each for each in counts if each[0] in wanted]
            for column, what in enumerate(("blink", "lips")):
                count = sum((each[1][column] for each in chosen), start=Count())
                targets = contact > 0.0 and not group
                yield from _figures(f"{what}{group}{name}", count, len(chosen), targets=targets)


def _figures(name: str, count: Count, performers: int, *, targets: bool) -> Iterator[Row]:
    recall, false = count.caught / max(count.played, 1), count.false / max(count.played, 1)
    note = f"{count.played} closures of {performers} performers"
    if targets:
        yield at_least(f"{name}_recall", recall, "", _LEAST_RECALL, note)
        yield at_most(f"{name}_false", false, "", _MOST_FALSE)
    else:
        yield Row(f"{name}_recall", recall, note=note)
        yield Row(f"{name}_false", false)


def _analysed(made: closures.Clip) -> Performer:
    engine = {name: extension.module(f"au_mocap.{name}") for name in ("pipeline", "tracking", "regressors", "registry")}
    registry = engine["registry"].Registry()
    regressor = engine["regressors"].open_regressor(registry, extension.module("au_mocap").DEFAULT_REGRESSOR, "cpu")
    take, _ = engine["pipeline"].extract(made.path, engine["tracking"].open_tracker("onnx", registry, "cpu"), regressor)
    return made, extension.module("au_mocap.calibration").Calibrator(take, regressor)


def _played(calibrator: Any, contact: float) -> "Head":  # noqa: ANN401 - the engine's, known inside the extension
    settings = extension.module("au_mocap.calibration").Settings(smoothing="medium", gaps="hold", contact=contact)
    return played_on_head(calibrator.curves(settings))


@dataclass(frozen=True, slots=True)
class Head:
    """What the demo head does: (T, 2) gaps of the lids against rest, and (T,) gap of the lips against a jaw drop."""

    lids: NDArray[np.float64]
    lips: NDArray[np.float64]


def played_on_head(curves: Any) -> Head:  # noqa: ANN401
    """Bakes curves onto a demo head, plays them, and measures the mesh in every frame."""
    import bpy

    keying, characters = extension.module("operators.keying"), extension.module("operators.scene")
    demo = extension.module("operators.demo_head").add_demo_head(bpy.context)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = round(closures.RATE_HZ), 1.0
    table = extension.module("au_mocap.mapping").load("arkit")
    settings = keying.BakeSettings(start_frame=0.0, head=None, timing="frames")
    keying.bake(scene, characters.find_character(demo.armature), curves, table, settings)
    return _measured(demo.head, weights(demo.head, len(curves.time_s)))


def weights(mesh: Any, frames: int) -> NDArray[np.float64]:  # noqa: ANN401
    """(T, K) values of all keys in every frame, by the curves that were written for them."""
    shapes = mesh.data.shape_keys
    bag = extension.module("operators.actions").active_bag(shapes)
    curves = [bag.fcurves.find(f'key_blocks["{key.name}"].value') for key in shapes.key_blocks]
    values = [[curve.evaluate(frame) for frame in range(frames)] if curve else [0.0] * frames for curve in curves]
    return np.array(values).T


def _measured(mesh: Any, weights: NDArray[np.float64]) -> Head:  # noqa: ANN401
    meeting = extension.module("au_mocap.meeting")
    names = [key.name for key in mesh.data.shape_keys.key_blocks]
    places = np.stack([_places(key) for key in mesh.data.shape_keys.key_blocks])
    rest, motion = places[0], places - places[0]
    edges = np.empty(2 * len(mesh.data.edges), np.int32)
    mesh.data.edges.foreach_get("vertices", edges)
    edges, lateral = edges.reshape(-1, 2), np.array([1.0, 0.0, 0.0])

    def gaps(opening: Any) -> NDArray[np.float64]:  # noqa: ANN401
        apart = opening.staying.of(rest) - opening.moving.of(rest)
        changes = np.stack([(opening.staying.of(each) - opening.moving.of(each)) @ opening.heading for each in motion])
        return np.median(apart @ opening.heading + weights @ changes, axis=1)

    lids = []
    for name in ("eyeBlinkLeft", "eyeBlinkRight"):
        opening = meeting.find(rest, motion[names.index(name)], edges, lateral)
        lids.append(gaps(opening) / opening.gap(rest))
    drop = motion[names.index("jawOpen")]
    mouth = meeting.find(rest + drop, -drop, edges, lateral)
    return Head(np.stack(lids, axis=1), gaps(mouth) / -mouth.closing(drop))


def _places(key: Any) -> NDArray[np.float64]:  # noqa: ANN401
    flat = np.empty(3 * len(key.data), np.float32)
    key.data.foreach_get("co", flat)
    return flat.reshape(-1, 3).astype(np.float64)


def _compared(made: closures.Clip, head: Head) -> tuple[Count, Count]:
    eyes = Count()
    for side in (0, 1):
        eyes += counted(head.lids[:, side] < _SHUT, made.lids[:, side] < _SHUT, made.lids[:, side] > _OPEN)
    rest_m = float(np.median(made.lips_m[: round(closures.RATE_HZ)]))
    lips = counted(head.lips < _MEETING, made.lips_m < _TOUCHING_M, made.lips_m > _APART_M + rest_m)
    return eyes, lips


def counted(shown: NDArray[np.bool_], played: NDArray[np.bool_], apart: NDArray[np.bool_]) -> Count:
    """Counts closures by their stretches.

    Args:
        shown: (T,) the head is closed.
        played: (T,) the actor is.
        apart: (T,) the actor surely is not: a stretch that lies in such frames alone is false.
    """
    truth, seen = _stretches(played), _stretches(shown)
    caught = sum(shown[max(start - _BESIDE, 0) : stop + _BESIDE].any() for start, stop in truth)
    false = sum(apart[max(start - _BESIDE, 0) : stop + _BESIDE].all() for start, stop in seen)
    return Count(len(truth), int(caught), int(false))


def _stretches(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    return extension.module("au_mocap.smoothing").segments(mask)
