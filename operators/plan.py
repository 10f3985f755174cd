"""What a bake will write, found and checked without touching the scene."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from ..au_mocap import channels, mapping, retarget, rotations
from ..au_mocap.arrays import Floats
from . import bones, drivers, reducing, resting, turning
from .bake_settings import BakeSettings
from .destinations import Place
from .scene import Character, title
from .tracks import Track, is_locked

FACE: Final = "Face"
HEAD: Final = "Head"
BONES: Final = "Bones"
PROPERTIES: Final = "Properties"
GAZE: Final = "Gaze"


METRE: Final = 10.0
"""How much a metre counts where a tolerance counts: 0.01 lets a slider err by a hundredth, a place by a millimetre."""

_CLOSEST_FRAMES: Final = 0.01
"""Blender makes one of two keys that are no farther apart."""


@dataclass(slots=True)
class Plan:
    """Tracks by data-block.

    Attributes:
        frames: (T,) scene frames of the performance.
        place: Where the tracks will go.
        settings: The bake's settings.
        tracks: What to write.
        muted: Drivers to mute so that keys count: data paths and indices.
        starts: Values of rotations in the first frame, by data path, where they go on from other animation.
        notes: What else the user should know, one line each.
        skipped: What cannot be written and why, one line each.
    """

    frames: Floats
    place: Place
    settings: BakeSettings
    tracks: dict[bpy.types.ID, list[Track]] = field(default_factory=dict)
    muted: dict[bpy.types.ID, list[tuple[str, int]]] = field(default_factory=dict)
    starts: dict[str, Floats] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    _found: dict[tuple[object, ...], Any] = field(default_factory=dict)
    _refusals: dict[bpy.types.ID, str] = field(default_factory=dict)

    def add(self, owner: bpy.types.ID, path: tuple[str, int], group: str, values: Floats, weight: float = 1.0) -> None:
        """Plan keys where the values are known.

        Args:
            owner: The data-block.
            path: Data path and index.
            group: Name of the curve's group, without the prefix.
            values: (T,) NaN where unknown.
            weight: How much one unit of the values counts where the tolerance is 1.
        """
        if not self._takes(owner, path[0], (path[1],)):
            return
        frames, samples = samples_of(self.frames, values[:, None], self.settings.frame_range)
        if len(frames):
            keys = reducing.reduce(frames, samples, self._gaps(frames, values[:, None]), self.settings, weight)
            self.tracks.setdefault(owner, []).extend(_tracks(keys, *path, group))

    def add_rotation(self, owner: bpy.types.ID, data_path: str, group: str, quaternions: Floats) -> bool:
        """Plan keys of a rotation, all components at the same frames: (T, 4), NaN where unknown.

        Returns:
            Whether it can be keyed.
        """
        if not self._takes(owner, data_path, range(4)):
            return False
        frames, samples = samples_of(self.frames, quaternions, self.settings.frame_range)
        if len(frames):
            keys = reducing.reduce(frames, samples, self._gaps(frames, quaternions), self.settings)
            self.tracks.setdefault(owner, []).extend(_tracks(keys, data_path, 0, group))
        return True

    def _gaps(self, frames: NDArray[np.float32], values: Floats) -> NDArray[np.bool_]:
        """(K - 1,) whether an unknown sample lies between two of the (K,) frames that could become keys."""
        unknown = self.frames[~np.isfinite(values).all(axis=1)]
        return np.diff(np.searchsorted(unknown, frames)) > 0

    def _takes(self, owner: bpy.types.ID, data_path: str, indices: Iterable[int]) -> bool:
        """Whether values can be keyed; the reason is noted where they cannot."""
        indices = tuple(indices)
        if owner not in self._refusals:
            self._refusals[owner] = self.place.refusal(owner)
        reason = self._refusals[owner]
        bag = self.place.existing(owner) if not reason else None
        for index in indices:
            if reason:
                break
            curve = bag.fcurves.find(data_path, index=index) if bag is not None else None
            if any((track.data_path, track.index) == (data_path, index) for track in self.tracks.get(owner, ())):
                reason = f"{data_path} is driven twice"
            elif obstacle := drivers.obstacle(owner, data_path, index, self.settings.driven):
                reason = f"{data_path} {obstacle}"
            elif curve is not None and is_locked(curve):
                reason = f"the curve of {data_path} is locked"
            elif curve is not None and self.settings.frame_range is not None and curve.sampled_points:
                reason = f"the curve of {data_path} is samples, convert it to keys to replace a part of it"
        if reason:
            self.skip(f"{title(owner)}: {reason}")
            return False
        driven = [(data_path, index) for index in indices if drivers.find(owner, data_path, index) is not None]
        if driven:
            known = self.muted.setdefault(owner, [])
            known += [each for each in driven if each not in known]
        return True

    def once(self, key: tuple[object, ...], find: Callable[[], Any]) -> Any:  # noqa: ANN401
        """What was found out about the rig: looked for once, since a live plan is made many times a second.

        Args:
            key: What it is, by names: data of a rig does not outlive its changes.
            find: Looks for it.
        """
        if key not in self._found:
            self._found[key] = find()
        return self._found[key]

    def note(self, line: str) -> None:
        """Note what the user should know, once."""
        if line not in self.notes:
            self.notes.append(line)

    def skip(self, reason: str) -> None:
        """Note what is left out, once."""
        if reason not in self.skipped:
            self.skipped.append(reason)


def _tracks(keys: reducing.Reduced, data_path: str, index: int, group: str) -> Iterator[Track]:
    """A track for each component, the first with that index."""
    for column, values in enumerate(keys.values.T):
        slopes = None if keys.slopes is None else keys.slopes[:, column]
        yield Track(data_path, index + column, group, keys.frames, np.ascontiguousarray(values), slopes)


def samples_of(
    frames: Floats, values: Floats, frame_range: tuple[float, float] | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What could become keys: known samples, in a range if there is one, with the curve's values at its borders.

    Args:
        frames: (T,) scene frames.
        values: (T, D) NaN where unknown.
        frame_range: First and last scene frame, or None for all.

    Returns:
        (K,) frames and (K, D) values in the precision of keys; empty where nothing is known in the range.
    """
    is_known = np.isfinite(values).all(axis=1)
    at, known = frames[is_known], values[is_known]
    if frame_range is not None and len(at):
        borders = [frame for frame in dict.fromkeys(frame_range) if at[0] <= frame <= at[-1] and frame not in at]
        between = np.array([[np.interp(frame, at, column) for column in known.T] for frame in borders])
        at = np.concatenate([at, borders])
        known = np.concatenate([known, between.reshape(-1, values.shape[1])])
        inside = np.flatnonzero((at >= frame_range[0]) & (at <= frame_range[1]))
        order = inside[np.argsort(at[inside], kind="stable")]
        at, known = at[order], known[order]
    keys, known = at.astype(np.float32), known.astype(np.float32)
    if (np.diff(keys) <= _CLOSEST_FRAMES).any():
        bins = np.floor(keys / (2.0 * _CLOSEST_FRAMES))
        keys, known = keys[changes := np.diff(bins, prepend=-np.inf) > 0.0], known[changes]
        keys, known = keys[far := np.diff(keys, prepend=-np.inf) > _CLOSEST_FRAMES], known[far]
    return keys, known


def groups_of(settings: BakeSettings) -> tuple[str, ...]:
    """The groups of curves that a bake replaces."""
    face = (FACE, BONES, PROPERTIES) if settings.face else ()
    return (*face, *((GAZE,) if settings.gaze else ()), *((HEAD,) if settings.head is not None else ()))


def is_gaze(row: mapping.Row) -> bool:
    """Whether a row carries the direction of the eyes."""
    return row.channel.startswith("look_")


def plan_targets(plan: Plan, character: Character, table: mapping.Mapping, values: Floats) -> None:
    """Plan tracks for what a mapping drives.

    Args:
        plan: Where they are added; what does not exist on the character is noted there.
        character: What to drive.
        table: Which channel drives what.
        values: (T, 58) curves, columns as `channels.IDS`; NaN where there is no face.
    """
    table, values = _fitted(plan, character, table, values)
    by_face = {row.target for row in table.rows if row.enabled and not is_gaze(row)}
    bone_rows: dict[mapping.BoneTarget, Floats] = {}
    for target, curve in mapping.evaluate(table, channels.IDS, values).items():
        if isinstance(target, mapping.BoneTarget):
            bone_rows[target] = curve
        elif isinstance(target, mapping.ShapeKeyTarget):
            _plan_shape_key(plan, character, target, FACE if target in by_face else GAZE, curve)
        else:
            _plan_property(plan, character, target, PROPERTIES if target in by_face else GAZE, curve)
    _plan_bones(
        plan, character, bone_rows, {target.bone for target in by_face if isinstance(target, mapping.BoneTarget)}
    )


def _fitted(plan: Plan, character: Character, table: mapping.Mapping, values: Floats) -> tuple[mapping.Mapping, Floats]:
    """Table and curves that close this character's lids and lips where the actor's are closed."""
    if not plan.settings.fit_contacts:
        return table, values
    fitted, closes_lips = plan.once(
        ("contacts",), lambda: (resting.fit(character, table).table, resting.closes_lips(character, table))
    )
    return fitted, values if closes_lips else retarget.without_lips(values)


def _plan_shape_key(
    plan: Plan, character: Character, target: mapping.ShapeKeyTarget, group: str, values: Floats
) -> None:
    shapes = [mesh.data.shape_keys for mesh in character.meshes if target.object in (None, mesh.name)]
    owners = dict.fromkeys(each for each in shapes if each is not None and target.name in each.key_blocks)
    if not owners:
        plan.skip(f"no shape key '{target.name}'" + (f" on '{target.object}'" if target.object else ""))
    for owner in owners:
        key = owner.key_blocks[target.name]
        path = f'key_blocks["{bpy.utils.escape_identifier(target.name)}"].value'
        plan.add(owner, (path, 0), group, np.clip(values, key.slider_min, key.slider_max))


def _plan_property(
    plan: Plan, character: Character, target: mapping.PropertyTarget, group: str, values: Floats
) -> None:
    owner = bpy.data.objects.get(target.object) if target.object else character.armature
    where = f"'{target.data_path}'" + (f"[{target.index}]" if target.index is not None else "")
    if owner is None:
        plan.skip(f"no object '{target.object}' for {where}" if target.object else f"no armature for {where}")
        return
    try:
        value = owner.path_resolve(target.data_path)
        number = value if target.index is None else value[target.index]
    except (ValueError, TypeError, KeyError, IndexError):
        plan.skip(f"no property {where} on '{owner.name}'")
        return
    if isinstance(number, bool) or not isinstance(number, int | float):
        plan.skip(f"{where} on '{owner.name}' is not a single number")
        return
    plan.add(owner, (target.data_path, target.index or 0), group, values)


def _plan_bones(
    plan: Plan, character: Character, rows: Mapping[mapping.BoneTarget, Floats], of_the_face: Collection[str]
) -> None:
    groups: dict[tuple[str, str], dict[str, Floats]] = {}
    for target, values in rows.items():
        groups.setdefault((target.bone, target.path), {})[target.axis] = values
    armature = character.armature
    for (bone_name, path), axes in groups.items():
        bone = armature.pose.bones.get(bone_name) if armature else None
        group = BONES if bone_name in of_the_face else GAZE
        if armature is None or bone is None:
            plan.skip(f"no bone '{bone_name}'")
        elif path == "rotation":
            plan_rotation(plan, armature, bone, _quaternions(axes), group)
        else:
            for axis, values in axes.items():
                curve = (bone_path(bone, path), "xyz".index(axis))
                added, weight = (1.0, 1.0) if path == "scale" else (0.0, METRE)
                if (bone.lock_location if path == "location" else bone.lock_scale)[curve[1]]:
                    plan.skip(f"{armature.name}: the {path} of '{bone_name}' is locked: unlock it in the Item tab")
                else:
                    plan.add(armature, curve, group, added + values, weight)


def _quaternions(axes: Mapping[str, Floats]) -> Floats:
    """Rotations about a bone's own axes in radians, x first, then y, then z, as (T, 4)."""
    turned = np.eye(3)
    for axis, unit in zip("xyz", np.eye(3), strict=True):
        if axis in axes:
            turned = rotations.from_vectors(axes[axis][:, None] * unit) @ turned
    return rotations.continuous(rotations.to_quaternions(turned))


def plan_rotation(
    plan: Plan, armature: bpy.types.Object, bone: bpy.types.PoseBone, quaternions: Floats, group: str
) -> None:
    """Plan a bone's local rotation in the mode that the bone has: (T, 4) quaternions in its rest frame."""
    if bone.rotation_mode == "QUATERNION" and not any(bone.lock_rotation):
        if _is_free(plan, armature, bone):
            plan.add_rotation(armature, bone_path(bone, "rotation_quaternion"), group, quaternions)
        return
    leaf = turning.leaf(bone)
    path = bone_path(bone, leaf)
    _, columns = turning.in_mode(bone, quaternions, plan.starts.get(path))
    locked = turning.locked(bone, columns)
    if not _is_free(plan, armature, bone):
        return
    if locked is None:
        plan.skip(f"{armature.name}: the rotation of '{bone.name}' is locked: unlock it in the Item tab to key it")
        return
    wanted = [index for index in range(columns.shape[1]) if index not in locked]
    if leaf == "rotation_quaternion":
        plan.add_rotation(armature, path, group, quaternions)
    elif plan._takes(armature, path, wanted):
        for index in wanted:
            plan.add(armature, (path, index), group, columns[:, index])


def _is_free(plan: Plan, armature: bpy.types.Object, bone: bpy.types.PoseBone) -> bool:
    """Whether neither drivers nor constraints decide how a bone turns; what does is noted."""
    path = bone_path(bone, turning.leaf(bone))
    holder = plan.once(("holder", bone.name), lambda: bones.holder(bone))
    driven = (drivers.obstacle(armature, path, index, plan.settings.driven) for index in range(4))
    if obstacle := next(filter(None, driven), ""):
        plan.skip(f"{armature.name}: the rotation of '{bone.name}' {obstacle}")
        return False
    if holder:
        plan.skip(
            f"{armature.name}: the rotation of '{bone.name}' is held by {holder}: choose the bone that steers it, or "
            "switch that off"
        )
        return False
    if bones.limits(bone):
        plan.note(f"a constraint limits the rotation of '{bone.name}'")
    return True


def plan_location(
    plan: Plan,
    armature: bpy.types.Object,
    weighed: tuple[bpy.types.PoseBone, float],
    local: Floats,
    group: str,
) -> None:
    """Plan a bone's location: (T, 3) along its own axes.

    The bone comes with how much one unit counts where the tolerance is 1.
    """
    bone, weight = weighed
    for index in range(3):
        if bone.lock_location[index]:
            plan.skip(f"{armature.name}: the location of '{bone.name}' is locked in {'XYZ'[index]}")
        else:
            plan.add(armature, (bone_path(bone, "location"), index), group, local[:, index], weight)


def bone_path(bone: bpy.types.PoseBone, leaf: str) -> str:
    """Data path of a bone's property, from the armature object."""
    return f'pose.bones["{bpy.utils.escape_identifier(bone.name)}"].{leaf}'
