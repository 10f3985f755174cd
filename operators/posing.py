"""Shows planned values on a character without keys, and puts back what was there before."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np

from .plan import Plan

_SUBSCRIPT: Final = re.compile(r"^(?P<owner>.*?)\.?(?P<key>\[\"(?:[^\"\\]|\\.)*\"\])$")


@dataclass(frozen=True, slots=True)
class _Place:
    """One number of a data-block, found again by name: references die with every undo."""

    collection: str
    owner: str
    library: str | None
    data_path: str
    index: int

    def read(self) -> Any | None:  # noqa: ANN401 - whatever the property holds
        owner = self._owner()
        try:
            value = owner.path_resolve(self.data_path) if owner else None
        except ValueError:
            return None
        return value[self.index] if value is not None and _is_array(value) else value

    def write(self, value: Any) -> None:  # noqa: ANN401
        owner = self._owner()
        if owner is None or self.read() is None:
            return
        subscript = _SUBSCRIPT.match(self.data_path)
        if subscript:
            holder: Any = owner.path_resolve(subscript["owner"]) if subscript["owner"] else owner
            name: Any = subscript["key"][2:-2].replace('\\"', '"').replace("\\\\", "\\")
            whole = holder[name]
            if _is_array(whole):
                whole[self.index] = value
            else:
                holder[name] = value
            owner.update_tag()
            return
        path, _, leaf = self.data_path.rpartition(".")
        holder = owner.path_resolve(path) if path else owner
        whole = getattr(holder, leaf)
        if _is_array(whole):
            whole[self.index] = value
        else:
            setattr(holder, leaf, value)

    def _owner(self) -> bpy.types.ID | None:
        return getattr(bpy.data, self.collection).get((self.owner, self.library))


def _is_array(value: Any) -> bool:  # noqa: ANN401
    return hasattr(value, "__len__") and not isinstance(value, str)


class Pose:
    """A plan as a pose: `show` sets the values of a frame, `restore` what was there before."""

    def __init__(self, plan: Plan) -> None:
        """Remembers what is there; nothing is changed yet."""
        self._tracks = [
            (_place(owner, track.data_path, track.index), track.frames, track.values)
            for owner, tracks in plan.tracks.items()
            for track in tracks
        ]
        modes = [(_mode_place(bone), mode) for bone, mode in plan.rotation_modes.items()]
        self._modes = [(place, mode) for place, mode in modes if place.read() != mode]
        places = [place for place, _ in self._modes] + [place for place, _, _ in self._tracks]
        self._before: Mapping[_Place, Any] = {place: place.read() for place in places}

    def show(self, frame: float) -> None:
        """Sets the values of a scene frame: between two known ones a blend, beyond the ends the last one."""
        for place, mode in self._modes:
            place.write(mode)
        for place, frames, values in self._tracks:
            place.write(float(np.interp(frame, frames, values)))

    def restore(self) -> None:
        """Puts back what was there; a data-block that has gone meanwhile is passed over."""
        rotations_first: Sequence[tuple[_Place, Any]] = sorted(
            self._before.items(), key=lambda item: item[0].data_path.endswith("rotation_mode")
        )
        for place, value in rotations_first:
            if value is not None:
                place.write(value)


def _place(owner: bpy.types.ID, data_path: str, index: int) -> _Place:
    collection = "shape_keys" if isinstance(owner, bpy.types.Key) else "objects"
    return _Place(collection, owner.name, owner.library.filepath if owner.library else None, data_path, index)


def _mode_place(bone: bpy.types.PoseBone) -> _Place:
    return _place(bone.id_data, f'pose.bones["{bpy.utils.escape_identifier(bone.name)}"].rotation_mode', 0)
