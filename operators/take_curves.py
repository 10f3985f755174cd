"""A take's channels as F-curves of an object, and what the artist has drawn there.

Beside the object's Action there is a copy of it as it was written. What of the two differs was drawn; so reduced keys
count as unedited, and nothing else has to be remembered. Imported at first use: it needs numpy.
"""

import json
import zlib
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from ..au_mocap import channels, edits, regions
from ..au_mocap.arrays import Floats
from ..au_mocap.calibration import Curves
from . import actions, loaded, punch_in, reducing, settings
from .bake_settings import BakeSettings, scene_frames
from .capture_properties import AUMOCAP_PG_take
from .curve_keys import BEZIER, Keys, bezier_keys, linear_keys
from .plan import samples_of

TOLERANCE: Final = 1e-3
"""A curve that errs by no more than this from what was written counts as unedited."""

_COLOURS: Final = {"L": (0.30, 0.62, 1.0), "R": (1.0, 0.45, 0.35), "": (0.45, 0.85, 0.45)}
"""By the actor's side: left, right, and both."""
_TITLES: Final = {
    "brows": "Brows",
    "lids": "Lids",
    "gaze": "Gaze",
    "nose_cheeks": "Nose and Cheeks",
    "lips": "Lips",
    "jaw": "Jaw",
    "tongue": "Tongue",
}
_STATE: Final = "au_mocap_written"
"""Custom property of the Action that was written: what its curves come from (JSON)."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where on the timeline a take's curves lie.

    Attributes:
        start_frame: Scene frame of the video's time zero.
        timing: As in `BakeSettings`.
        speed: As in `BakeSettings`.
        fps: The scene's frames per second.
        fps_base: The scene's divisor.
    """

    start_frame: float
    timing: str
    speed: float
    fps: int
    fps_base: float

    def frames(self, time_s: Floats) -> NDArray[np.float64]:
        """(T,) scene frames of a take's times."""
        how = BakeSettings(start_frame=self.start_frame, timing=self.timing, speed=self.speed)  # pyright: ignore
        return scene_frames(time_s, self.fps, self.fps_base, how)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a take's F-curves are written from.

    Attributes:
        curves: The take's curves below what is drawn and fixed.
        how: How many keys they get.
        said: What all keys depend on, as a text.
        sums: A checksum of each channel.
    """

    curves: Curves
    how: BakeSettings
    said: str
    sums: tuple[int, ...]

    @property
    def state(self) -> str:
        """What changes whenever any key does."""
        return json.dumps([self.said, self.sums])


@dataclass(frozen=True, slots=True)
class Bags:
    """What holds the F-curves of a take.

    Attributes:
        own: Those that the object plays, None where it has no Action.
        written: Those that were written.
    """

    own: Any
    written: Any


def placed_now(stage: bpy.types.Scene) -> Placed:
    """Where a bake would put a take now."""
    how = settings.timing_of(stage.aumocap.bake)
    return Placed(how.start_frame, how.timing, how.speed, stage.render.fps, stage.render.fps_base)


def path_of(channel_id: str) -> str:
    """Data path of a channel on the object."""
    return f'["{channel_id}"]'


def holder(item: AUMOCAP_PG_take) -> bpy.types.Object | None:
    """The object with a take's curves; None where there is none, or it was deleted from the scene."""
    found = item.edits.curves
    if found is None or item.edits.written is None or found.name not in item.id_data.objects:
        return None
    return found


def placed_of(item: AUMOCAP_PG_take) -> Placed:
    """Where a take's curves were written."""
    return Placed(**json.loads(item.edits.placed))


def bags_of(item: AUMOCAP_PG_take) -> Bags | None:
    """What holds a take's F-curves, None where it has no object."""
    found = holder(item)
    if found is None:
        return None
    written = item.edits.written
    slot = written.slots[0] if actions.HAS_SLOTS and len(written.slots) else None
    return Bags(actions.active_bag(found), actions.find_bag(written, slot))


def drawn(item: AUMOCAP_PG_take) -> tuple[edits.Override, ...]:
    """What of a take's F-curves is not as it was written, modifiers included; nothing where it has none.

    Curves that are muted or were deleted say nothing: their channels are as measured. The same holds for all of them
    once the object has left the scene, until undo brings it back.
    """
    bags = bags_of(item)
    if bags is None or bags.own is None or bags.written is None:
        return ()
    times = times_of(item)
    frames = placed_of(item).frames(times)
    found: list[edits.Override] = []
    for channel_id in _ordered():
        curve, written = (bag.fcurves.find(path_of(channel_id)) for bag in (bags.own, bags.written))
        if curve is None or written is None or curve.mute or not len(curve.keyframe_points):
            continue
        rows = suspected(curve, written, frames)
        if len(rows):
            now, before = sampled(curve, frames[rows]), sampled(written, frames[rows])
            found += edits.differing(channel_id, times[rows], now, before, TOLERANCE)
    return tuple(found)


def _ordered() -> tuple[str, ...]:
    """Means behind their sides: who moves a mean means both."""
    return (*channels.PREDICTED_IDS, *channels.SIDES_OF)


def sampled(curve: bpy.types.FCurve, frames: Floats) -> NDArray[np.float64]:
    """A curve's values at some frames."""
    return np.array([curve.evaluate(frame) for frame in frames.tolist()])


def suspected(curve: bpy.types.FCurve, written: bpy.types.FCurve, frames: Floats) -> NDArray[np.int64]:
    """Frames at which two curves may differ: all but where their keys are the same, which is quick to see."""
    every = np.arange(len(frames))
    if any(not each.mute for each in curve.modifiers) or curve.extrapolation != written.extrapolation:
        return every
    if len(curve.keyframe_points) != len(written.keyframe_points):
        return every
    differs = np.zeros(len(curve.keyframe_points), bool)
    own, old = _shape(curve), _written_shape(written)
    if own.keys() != old.keys():
        return every
    for name, array in own.items():
        differs |= (array != old[name]).reshape(len(differs), -1).any(axis=1)
    if not differs.any():
        return every[:0]
    # Keys shape the curve as far as their neighbours, and smooth those neighbours' handles.
    first, last = np.flatnonzero(differs)[[0, -1]] + (-2, 2)
    low = min(float(each["co"][first, 0]) for each in (own, old)) if first >= 0 else -np.inf
    high = max(float(each["co"][last, 0]) for each in (own, old)) if last < len(differs) else np.inf
    return every[(frames >= low) & (frames <= high)]


def _shape(curve: bpy.types.FCurve) -> Keys:
    """What of a curve's keys decides its values: handles only where some of them do."""
    count = len(curve.keyframe_points)
    keys: Keys = {"co": np.zeros((count, 2), np.float32), "interpolation": np.zeros(count, np.int32)}
    for name in ("co", "interpolation"):
        curve.keyframe_points.foreach_get(name, keys[name].reshape(-1))
    if (keys["interpolation"] == BEZIER).any():
        for name in ("handle_left", "handle_right"):
            keys[name] = np.zeros((count, 2), np.float32)
            curve.keyframe_points.foreach_get(name, keys[name].reshape(-1))
    return keys


class _Read:
    """The keys of curves that were written, of one take: they change with its state alone, and reading them takes long.

    Undo brings both back together.
    """

    state: ClassVar[tuple[int, str]] = (0, "")
    shapes: "ClassVar[dict[str, Keys]]" = {}  # noqa: RUF012 - the name that ruff looks for is quoted


def _written_shape(written: bpy.types.FCurve) -> Keys:
    action = written.id_data
    state = action.session_uid, str(action.get(_STATE, ""))
    if state != _Read.state:
        _Read.state, _Read.shapes = state, {}
    if written.data_path not in _Read.shapes:
        _Read.shapes[written.data_path] = _shape(written)
    return _Read.shapes[written.data_path]


def show(stage: bpy.types.Scene, item: AUMOCAP_PG_take) -> bpy.types.Object:
    """Make the object with a take's channels as F-curves, or bring the one that is there up to date.

    An object that was deleted stays so, with what was drawn on it; the new one begins with what was measured.

    Raises:
        AuMocapError: The take cannot be read.
    """
    found = holder(item)
    if found is not None:
        renew(stage, item)
        return found
    placed = placed_now(stage)
    found_now = measured(stage, item, placed)
    keys = _keys(found_now, placed)
    made = bpy.data.objects.new(f"Take {item.name}", None)
    made.empty_display_size = 0.1
    stage.collection.objects.link(made)
    for channel in channels.CHANNELS:
        made[channel.id] = 0.0
        facs = f"{channel.facs}; " if channel.facs else ""
        text = f"{channel.label} ({facs}{channel.arkit_shape})"
        made.id_properties_ui(channel.id).update(
            min=0.0, max=1.0, soft_min=0.0, soft_max=1.0, default=0.0, description=text
        )
    action = bpy.data.actions.new(made.name)
    actions.assign(made, action)
    bag = actions.ensure_bag(action, made.animation_data.action_slot if actions.HAS_SLOTS else None)
    for channel_id in keys:
        curve = new_curve(bag, channel_id)
        punch_in.write_keys(curve, keys[channel_id])
        _deselect(curve)
        curve.select = channel_id == stage.aumocap_fixing.channel
    _drop_ghost(item)
    item.edits.curves = made
    _note(item, action, placed, found_now.state)
    return made


def new_curve(bag: Any, channel_id: str) -> bpy.types.FCurve:  # noqa: ANN401
    """A curve without keys for a channel, in its region's group and its side's colour."""
    title = _TITLES[regions.REGION_OF[channel_id]]
    curve = bag.fcurves.new(path_of(channel_id))
    curve.group = bag.groups.get(title) or bag.groups.new(title)
    curve.color_mode = "CUSTOM"
    curve.color = _COLOURS[channels.CHANNELS[channels.INDEX[channel_id]].side]
    return curve


def _note(item: AUMOCAP_PG_take, action: bpy.types.Action, placed: Placed, state: str) -> None:
    """Keep a copy of what was written, and from what; the dot hides it from Blender's menus."""
    copy = action.copy()
    copy.name = f".{item.edits.curves.name} as written"
    _forget_written(item)
    item.edits.written = copy
    note_state(item, placed, state)


def _deselect(curve: bpy.types.FCurve) -> None:
    """New keys are selected, and thousands of them would move with the first one that is taken hold of."""
    off = np.zeros(len(curve.keyframe_points), bool)
    for name in ("select_control_point", "select_left_handle", "select_right_handle"):
        curve.keyframe_points.foreach_set(name, off)


def note_state(item: AUMOCAP_PG_take, placed: Placed, state: str) -> None:
    """Keep where the curves lie, and what they come from."""
    item.edits.placed = json.dumps(asdict(placed))
    item.edits.written[_STATE] = state


def _drop_ghost(item: AUMOCAP_PG_take) -> None:
    """Remove an object that was deleted from every scene and is only kept by the take."""
    ghost = item.edits.curves
    if ghost is not None and not ghost.users_scene:
        item.edits.curves = None
        bpy.data.objects.remove(ghost)


def _forget_written(item: AUMOCAP_PG_take) -> None:
    old = item.edits.written
    item.edits.written = None
    if old is not None and old.users == 0:
        bpy.data.actions.remove(old)


def _keys(found: Measured, placed: Placed) -> dict[str, Keys]:
    """Keys of every channel that is known somewhere."""
    frames = placed.frames(found.curves.time_s)
    columns = zip(channels.IDS, found.curves.values.T, strict=True)
    made = {channel_id: keys_of(frames, values, found.how) for channel_id, values in columns}
    return {channel_id: keys for channel_id, keys in made.items() if keys is not None}


def measured(stage: bpy.types.Scene, item: AUMOCAP_PG_take, placed: Placed) -> Measured:
    """A take's curves below what is drawn and fixed, with as many keys as a bake would write."""
    from . import edit_store

    plain = settings.of_take(item, edit_store.stored(item))
    curves = loaded.calibrator(settings.path_of(item)).curves(plain)
    bake = stage.aumocap.bake
    how = BakeSettings(tolerance=bake.tolerance, handles=bake.use_handles)
    said = f"{asdict(placed)} {how.tolerance} {how.handles} {zlib.crc32(curves.time_s.tobytes())}"
    return Measured(curves, how, said, tuple(zlib.crc32(column.tobytes()) for column in curves.values.T))


def keys_of(
    frames: Floats, values: Floats, how: BakeSettings, frame_range: tuple[float, float] | None = None
) -> Keys | None:
    """Keys of one channel, all or within a range; None where nothing is known there."""
    at, samples = samples_of(frames, values[:, None].astype(np.float64), frame_range)
    if not len(at):
        return None
    unknown = frames[~np.isfinite(values)]
    gaps = np.diff(np.searchsorted(unknown, at)) > 0
    made = reducing.reduce(at, samples, gaps, how)
    if made.slopes is None:
        return linear_keys(made.frames, made.values[:, 0])
    return bezier_keys(made.frames, made.values[:, 0], made.slopes[:, 0])


def renew(stage: bpy.types.Scene, item: AUMOCAP_PG_take) -> None:
    """Let a take's F-curves follow its settings and the bake's timing; what was drawn stays as it is.

    Curves that are locked stay as they are, and count as drawn where they are not what was measured any more.

    Raises:
        AuMocapError: The take cannot be read.
    """
    bags = bags_of(item)
    if bags is None or bags.written is None:
        return
    from . import curve_renewal

    placed = placed_now(stage)
    target = measured(stage, item, placed)
    before = item.edits.written.get(_STATE, "")
    if before == target.state:
        return
    said, sums = json.loads(before) if before else ("", ())
    changed = [
        channel_id
        for index, channel_id in enumerate(channels.IDS)
        if said != target.said or sums[index] != target.sums[index]
    ]
    curve_renewal.renew(curve_renewal.Renewal(bags, placed_of(item), placed, target), changed)
    note_state(item, placed, target.state)


def times_of(item: AUMOCAP_PG_take) -> NDArray[np.float64]:
    """(T,) a take's times in seconds."""
    return loaded.calibrator(settings.path_of(item)).take.time_s


def seconds_a_frame(stage: bpy.types.Scene, time_s: Floats) -> float:
    """How many seconds of a take pass in a frame of the scene."""
    frames = placed_now(stage).frames(time_s)
    if len(frames) < 2:
        return stage.render.fps_base / stage.render.fps
    return float((time_s[-1] - time_s[0]) / (frames[-1] - frames[0]))
