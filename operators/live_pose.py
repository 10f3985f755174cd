"""Live values on a character: planned as a bake plans them, for one moment, and set without a key.

Imported at first use: it needs numpy.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np

from ..au_mocap import mapping
from ..au_mocap.arrays import Floats
from . import keying, live_trace, rows, scene, settings
from .bake_settings import BakeSettings
from .destinations import place_of
from .plan import Plan
from .posing import Remembered, Spot, spot_of
from .tracks import Track

if TYPE_CHECKING:
    from ..au_mocap.live.session import LiveFrame


@dataclass(frozen=True, slots=True)
class Moment:
    """A performance of two frames: where the head's moves are counted from, and now.

    Attributes:
        time_s: (2,) seconds.
        values: (2, 58) values, 0..1, twice those of now.
        head_rotation: (2, 4) quaternions of the head pose contract.
        head_position: (2, 3) metres of the same.
    """

    time_s: Floats
    values: Floats
    head_rotation: Floats
    head_position: Floats


class _Instant(Plan):
    """A plan of the last sample alone. What can be driven is found out once; values are planned again and again."""

    def __init__(self, how: BakeSettings) -> None:
        super().__init__(np.zeros(2), place_of(how), how)
        self._known: dict[tuple[object, ...], bool] = {}
        self._planned: set[tuple[object, ...]] = set()

    def clear(self, frame: float) -> None:
        """Begin the next moment, at a scene frame."""
        self.frames = np.full(2, frame)
        self.tracks.clear()
        self._planned.clear()

    def add(self, owner: bpy.types.ID, path: tuple[str, int], group: str, values: Floats, weight: float = 1.0) -> None:
        """Plan the last value; `weight` is for reducing keys alone."""
        del weight
        if np.isfinite(values[-1]) and self._takes(owner, path[0], (path[1],)):
            self.tracks.setdefault(owner, []).append(Track(*path, group, self.frames[-1:], values[-1:]))

    def add_rotation(self, owner: bpy.types.ID, data_path: str, group: str, quaternions: Floats) -> bool:
        """Plan the last rotation."""
        if not self._takes(owner, data_path, range(4)):
            return False
        if np.isfinite(quaternions[-1]).all():
            self.tracks.setdefault(owner, []).extend(
                Track(data_path, index, group, self.frames[-1:], quaternions[-1:, index]) for index in range(4)
            )
        return True

    def _takes(self, owner: bpy.types.ID, data_path: str, indices: Iterable[int]) -> bool:
        key = (owner, data_path, *indices)
        if key not in self._known:
            self._known[key] = super()._takes(owner, data_path, key[2:])  # pyright: ignore[reportArgumentType]
        if key in self._planned:
            return False
        self._planned.add(key)
        return self._known[key]


class LivePose:
    """Poses a scene's character by live frames.

    Attributes:
        skipped: What of the table cannot be shown, and why.
    """

    def __init__(self, stage: bpy.types.Scene, remembered: Remembered) -> None:
        """Reads character, table and bake settings; nothing is changed yet.

        Args:
            stage: The scene.
            remembered: Takes what was there before. What it knows already was changed by an earlier pose: where this
                one leaves it alone, it is put back.

        Raises:
            AuMocapError: There is no character, or nothing of the table exists on it.
        """
        chosen, own = settings.character_of(stage)
        self._stage = stage
        self._character = scene.find_character(chosen)
        self._table: mapping.Mapping = rows.table_of(own)
        how = settings.of_bake(stage.aumocap.bake, own, "Live")
        self._made_for = chosen.name, how
        self._plan = _Instant(replace(how, destination="active", action=None, tolerance=0.0))
        self._spots: dict[tuple[object, ...], Spot] = {}
        self._remembered = remembered
        self._posed: set[Spot] = set(remembered.before)
        self._fill(_resting())
        self.skipped = tuple(self._plan.skipped)

    @property
    def tracks(self) -> dict[bpy.types.ID, list[Track]]:
        """What was shown last: tracks of one value each."""
        return self._plan.tracks

    def show(self, moment: Moment) -> None:
        """Set the values of a moment; what was posed before and is unknown now goes back to what it was."""
        self._fill(moment)
        values: list[tuple[bpy.types.ID, Spot, Any]] = []
        for owner, tracks in self._plan.tracks.items():
            values += [(owner, self._spot(owner, track), float(track.values[0])) for track in tracks]
        self._remember(values)
        posed = {spot for _, spot, _ in values}
        if idle := self._posed - posed:
            self._remembered.restore(idle)
        self._posed = posed
        for _, spot, value in values:
            spot.write(value)

    def fits(self, chosen: bpy.types.Object, how: BakeSettings) -> bool:
        """Whether it was made for this character and these settings."""
        return self._made_for == (chosen.name, how)

    def _fill(self, moment: Moment) -> None:
        self._plan.clear(self._stage.frame_current_final)
        keying.fill(self._plan, self._stage, self._character, moment, self._table)

    def _remember(self, values: Iterable[tuple[bpy.types.ID, Spot, Any]]) -> None:
        """Notes what is there before it is posed; what was noted on a data-block counts, even under another name."""
        before = self._remembered.before
        fresh: dict[bpy.types.ID, list[Spot]] = {}
        for owner, spot, _ in values:
            if spot not in before:
                fresh.setdefault(owner, []).append(spot)
        for owner, spots in fresh.items():
            known = live_trace.noted(owner)
            for spot in spots:
                place = spot.data_path, spot.index
                before[spot] = known[place] if place in known else spot.read()
            own = {
                (each.data_path, each.index): value for each, value in before.items() if each.block == spots[0].block
            }
            live_trace.note(owner, {**own, **known})

    def _spot(self, owner: bpy.types.ID, track: Track) -> Spot:
        key = (owner, track.data_path, track.index)
        if key not in self._spots:
            self._spots[key] = spot_of(owner, track.data_path, track.index)
        return self._spots[key]


def _resting() -> Moment:
    return Moment(
        np.array([0.0, 1.0]), np.zeros((2, 58), np.float32), np.tile([1.0, 0.0, 0.0, 0.0], (2, 1)), np.zeros((2, 3))
    )


def moment_of(frame: "LiveFrame", origin: tuple[Floats, Floats]) -> Moment:
    """A live frame as a performance.

    Args:
        frame: What the session has made.
        origin: (4,) rotation and (3,) position of the head from which its moves are counted.
    """
    rotation, position = origin
    return Moment(
        time_s=np.array([frame.time_s - 1.0, frame.time_s]),
        values=np.stack([frame.values, frame.values]),
        head_rotation=np.stack([rotation, frame.head_rotation]).astype(np.float64),
        head_position=np.stack([position, frame.head_position]).astype(np.float64),
    )
