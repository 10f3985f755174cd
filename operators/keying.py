"""Bake curves and head pose onto a character: a plan is made and checked first, and only a sound plan is written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import bpy
import numpy as np

from ..au_mocap import mapping
from ..au_mocap.arrays import Floats
from ..au_mocap.errors import MappingError, TakeError
from . import body, drivers, rig_state, tracks
from .bake_settings import DEFAULT, BakeSettings, scene_frames
from .destinations import place_of
from .eye_tracks import plan_eyes
from .head_tracks import HeadPoses, plan_head
from .plan import HEAD, Plan, groups_of, is_gaze, plan_targets
from .scene import Character


class Performance(Protocol):
    """What is baked: `au_mocap.calibration.Curves` is one.

    Attributes:
        time_s: (T,) seconds, rising.
        values: (T, 58) curves, columns as `channels.IDS`; NaN where there is no face.
        head_rotation: (T, 4) quaternions of the head pose contract.
        head_position: (T, 3) metres of the same.
    """

    @property
    def time_s(self) -> Floats: ...  # noqa: D102
    @property
    def values(self) -> Floats: ...  # noqa: D102
    @property
    def head_rotation(self) -> Floats: ...  # noqa: D102
    @property
    def head_position(self) -> Floats: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class BakeReport:
    """What a bake did.

    Attributes:
        actions: The Actions that hold the keys.
        curves: Number of animation curves written.
        keys: Number of keys written.
        skipped: What could not be keyed and why, one line each.
        frame_range: First and last keyed scene frame.
        notes: What else the user should know, one line each.
    """

    actions: tuple[bpy.types.Action, ...]
    curves: int
    keys: int
    skipped: tuple[str, ...]
    frame_range: tuple[float, float]
    notes: tuple[str, ...] = ()


def bake(
    scene: bpy.types.Scene,
    character: Character,
    performance: Performance,
    table: mapping.Mapping,
    settings: BakeSettings = DEFAULT,
) -> BakeReport:
    """Write a performance onto a character as keys; see `planned` for arguments and errors.

    Raises:
        SettingsError: Also where keys would go into the artist's corrections.
    """
    plan = planned(scene, character, performance, table, settings)
    plan.place.approve(plan.tracks)
    return _write(plan, character)


def planned(
    scene: bpy.types.Scene,
    character: Character,
    performance: Performance,
    table: mapping.Mapping,
    settings: BakeSettings = DEFAULT,
) -> Plan:
    """What a bake will write; the scene stays untouched.

    An earlier bake on the same data-blocks is replaced; all other animation stays.

    Args:
        scene: Gives the frame rate.
        character: What to drive, from `scene.find_character`.
        performance: Curves and head pose.
        table: Which channel drives what.
        settings: Where on the timeline, and how the head turns.

    Raises:
        TakeError: No frame holds a face.
        MappingError: Not one target of the mapping exists on the character.
        SettingsError: A chosen bone does not exist.
        AuMocapError: In all these cases the scene is untouched.
    """
    if not np.isfinite(performance.values).all(axis=1).any():
        message = "There is nothing to bake: no frame of the take holds a face."
        raise TakeError(message)
    rig_state.check(character)
    frames = scene_frames(performance.time_s, scene.render.fps, scene.render.fps_base, settings)
    _check_range(frames[np.isfinite(performance.values).all(axis=1)], settings.frame_range)
    plan = Plan(frames, place_of(settings), settings)
    fill(plan, scene, character, performance, table)
    return plan


def fill(
    plan: Plan, scene: bpy.types.Scene, character: Character, performance: Performance, table: mapping.Mapping
) -> None:
    """Plan face, gaze and head of a performance; arguments and errors as those of `planned`."""
    settings = plan.settings
    _plan_face(plan, character, performance, table, settings)
    if settings.head is not None:
        unit_m = scene.unit_settings.scale_length
        poses = HeadPoses(performance.head_rotation, performance.head_position, unit_m)
        plan_head(plan, character, poses, settings.head)
    if not plan.tracks:
        message = f"There is nothing to bake on this character: {_listed(plan.skipped)}."
        raise MappingError(message)


def _check_range(frames: Floats, frame_range: tuple[float, float] | None) -> None:
    if frame_range is not None and (frames[-1] < frame_range[0] or frames[0] > frame_range[1]):
        message = (
            f"The take has no face between the frames {frame_range[0]:g} and {frame_range[1]:g}: it covers "
            f"{frames[0]:g} to {frames[-1]:g}."
        )
        raise TakeError(message)


def _plan_face(
    plan: Plan, character: Character, performance: Performance, table: mapping.Mapping, settings: BakeSettings
) -> None:
    eyes = settings.eyes if settings.gaze else None
    eyes_turn = eyes is not None and plan_eyes(plan, character, performance.values, eyes)
    rows_of_gaze = settings.gaze and not eyes_turn
    rows = tuple(row for row in table.rows if (rows_of_gaze if is_gaze(row) else settings.face))
    plan_targets(plan, character, replace(table, rows=rows), performance.values)
    if rows and not plan.tracks:
        message = (
            f"Nothing of the mapping '{table.name}' exists on this character: {_listed(plan.skipped)}. "
            "Choose another mapping or another object."
        )
        raise MappingError(message)


def _write(plan: Plan, character: Character) -> BakeReport:
    place, settings = plan.place, plan.settings
    notes: list[str] = []
    if settings.frame_range is None:
        _clear_others(plan, character)
    for owner, places in plan.muted.items():
        drivers.mute(owner, places)
    place.prepare(plan.tracks)
    written: list[bpy.types.Action] = []
    for owner, planned in plan.tracks.items():
        action, bag = place.open(owner)
        _write_tracks(action, bag, planned, settings)
        notes += body.notes(action)
        place.finish(owner, _span(planned))
        notes += place.notes(owner)
        if action not in written:
            written.append(action)
        owner.update_tag()
    notes += [*plan.notes, *place.told, *(_told(plan))]
    notes += rig_state.notes(
        character, {(owner, each.data_path) for owner in plan.tracks for each in plan.tracks[owner]}
    )
    every = [track for planned in plan.tracks.values() for track in planned]
    return BakeReport(
        actions=tuple(written),
        curves=len(every),
        keys=sum(len(track.frames) for track in every),
        skipped=tuple(plan.skipped),
        frame_range=_span(every),
        notes=tuple(dict.fromkeys(notes)),
    )


def _write_tracks(
    action: bpy.types.Action,
    bag: Any,  # noqa: ANN401
    planned: Sequence[tracks.Track],
    settings: BakeSettings,
) -> None:
    """Write a data-block's tracks; what other animation turned the head by is kept."""
    of_head = [track for track in planned if track.group == HEAD]
    if settings.frame_range is not None:
        body.keep(action, bag, of_head)
        tracks.write_range(bag, planned, settings.frame_range)
        return
    if settings.head is not None:
        planned = body.write_over(action, bag, planned, HEAD)
    tracks.write(bag, planned, groups_of(settings))


def _told(plan: Plan) -> list[str]:
    """What was done to drivers, and how to take it back."""
    count = sum(len(places) for places in plan.muted.values())
    return [f"{count} drivers were muted (Restore Drivers brings them back)"] if count else []


def _clear_others(plan: Plan, character: Character) -> None:
    """Remove an earlier bake from those of the character's data-blocks that this one leaves without keys."""
    blocks: list[bpy.types.ID | None] = [character.armature, *(mesh.data.shape_keys for mesh in character.meshes)]
    for owner in blocks:
        data = owner.animation_data if owner is not None else None
        if owner is None or data is None or data.use_tweak_mode or owner in plan.tracks or plan.place.refusal(owner):
            continue
        bag = plan.place.existing(owner)
        if bag is not None:
            if plan.settings.head is not None:
                body.restore(bag.id_data, bag)
            tracks.remove_own(bag, groups_of(plan.settings))


def _span(planned: Iterable[tracks.Track]) -> tuple[float, float]:
    planned = list(planned)
    return float(min(track.frames[0] for track in planned)), float(max(track.frames[-1] for track in planned))


def summary(report: BakeReport) -> str:
    """One line for the user."""
    text = f"{report.curves} curves, {report.keys} keys, frames {report.frame_range[0]:g} to {report.frame_range[1]:g}"
    text += f"; left out: {_listed(report.skipped)}" if report.skipped else ""
    return text + (f"; note: {_listed(report.notes)}" if report.notes else "")


def _listed(lines: Iterable[str], most: int = 5) -> str:
    lines = sorted(lines, key=lambda line: line.startswith("no "))  # what needs an action first, then what is missing
    more = len(lines) - most
    return "; ".join(lines[:most]) + (f" and {more} more" if more > 0 else "")
