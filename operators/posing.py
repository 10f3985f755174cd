"""Shows planned values on a character without keys, and puts back what was there before."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import bpy
import numpy as np

from .plan import Plan

_SUBSCRIPT: Final = re.compile(r"^(?P<owner>.*?)\.?(?P<key>\[\"(?:[^\"\\]|\\.)*\"\])$")


@dataclass(frozen=True, slots=True)
class Spot:
    """One number of a data-block, found again by name: references die with every undo."""

    collection: str
    owner: str
    library: str | None
    data_path: str
    index: int

    @property
    def block(self) -> tuple[str, str, str | None]:
        """The data-block that holds it."""
        return self.collection, self.owner, self.library

    def read(self) -> Any | None:  # noqa: ANN401 - whatever the property holds
        """What stands there; None where there is no such thing any more."""
        owner = self._owner()
        try:
            value = owner.path_resolve(self.data_path) if owner else None
        except ValueError:
            return None
        return value[self.index] if value is not None and _is_array(value) else value

    def write(self, value: Any) -> None:  # noqa: ANN401
        """Sets it; what has gone is passed over."""
        owner = self._owner()
        if owner is None:
            return
        path, leaf, is_custom = _split(self.data_path)
        try:
            holder: Any = owner.path_resolve(path) if path else owner
            whole = holder[leaf] if is_custom else getattr(holder, leaf)
            if _is_array(whole):
                whole[self.index] = value
            elif is_custom:
                holder[leaf] = value
            else:
                setattr(holder, leaf, value)
        except (ValueError, KeyError, AttributeError, IndexError, TypeError):
            return  # the property has gone, or has become something else
        if is_custom:
            owner.update_tag()

    def _owner(self) -> bpy.types.ID | None:
        return getattr(bpy.data, self.collection).get((self.owner, self.library))


@cache
def _split(data_path: str) -> tuple[str, str, bool]:
    """The path of what holds a property, the property's own name, and whether it is a custom property."""
    subscript = _SUBSCRIPT.match(data_path)
    if subscript:
        return subscript["owner"], subscript["key"][2:-2].replace('\\"', '"').replace("\\\\", "\\"), True
    path, _, leaf = data_path.rpartition(".")
    return path, leaf, False


def _is_array(value: Any) -> bool:  # noqa: ANN401
    return hasattr(value, "__len__") and not isinstance(value, str)


class Remembered:
    """What some numbers were before they were changed."""

    def __init__(self, before: Iterable[tuple[Spot, Any]] = ()) -> None:
        """Starts with what is known already."""
        self.before: dict[Spot, Any] = dict(before)

    def add(self, spots: Iterable[Spot]) -> None:
        """Remembers what is there now; what is known already stays as it was first seen."""
        for spot in spots:
            if spot not in self.before:
                self.before[spot] = spot.read()

    def restore(self, chosen: Iterable[Spot] | None = None) -> None:
        """Puts back what was there, all or some; a data-block that has gone meanwhile is passed over."""
        for spot in self.before if chosen is None else chosen:
            value = self.before.get(spot)
            if value is not None:
                spot.write(value)


class Pose:
    """A plan as a pose: `show` sets the values of a frame, `restore` what was there before."""

    def __init__(self, plan: Plan) -> None:
        """Remembers what is there; nothing is changed yet."""
        self._tracks = [
            (spot_of(owner, track.data_path, track.index), track.frames, track.values)
            for owner, tracks in plan.tracks.items()
            for track in tracks
        ]
        self._remembered = Remembered()
        self._remembered.add(spot for spot, _, _ in self._tracks)

    def show(self, frame: float) -> None:
        """Sets the values of a scene frame: between two known ones a blend, beyond the ends the last one."""
        for spot, frames, values in self._tracks:
            spot.write(float(np.interp(frame, frames, values)))

    def restore(self) -> None:
        """Puts back what was there; a data-block that has gone meanwhile is passed over."""
        self._remembered.restore()


def spot_of(owner: bpy.types.ID, data_path: str, index: int) -> Spot:
    """Where a data-block holds a number."""
    collection = "shape_keys" if isinstance(owner, bpy.types.Key) else "objects"
    return Spot(collection, owner.name, owner.library.filepath if owner.library else None, data_path, index)
