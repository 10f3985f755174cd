"""One coder at work: labels that change frame by frame, with a history that can be walked back and forth.

Nothing is written here; what a change returns is what the journal takes.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from .. import channels
from ..arrays import Floats
from ..errors import AnnotationError
from . import sides
from .labels import Labels, rounded

MOST_STEPS: Final = 20_000
"""Changes that can be taken back; Blender itself keeps at most 256."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One frame's labels.

    Attributes:
        values: (58,) float32, NaN where not labelled.
        key: Whether a person set them.
    """

    values: NDArray[np.float32]
    key: bool

    def same(self, other: "Row | None") -> bool:
        """Whether another row says the same."""
        return other is not None and self.key == other.key and np.array_equal(self.values, other.values, equal_nan=True)


Rows = dict[int, "Row | None"]
"""Rows by frame; None where a frame has no labels (any more)."""


class Editing:
    """The labels of one coder while they are being made.

    Attributes:
        time_s: (frames,) presentation times of all frames of the clip, strictly increasing.
    """

    def __init__(self, labels: Labels, time_s: Floats, step: int = 0) -> None:
        """Starts with labels.

        Args:
            labels: What there is already.
            time_s: (frames,) of the whole clip.
            step: The number that the present state goes by.

        Raises:
            AnnotationError: Labels lie behind the end of the clip.
        """
        if len(labels) and labels.frames[-1] >= len(time_s):
            message = (
                f"Frame {labels.frames[-1]} is labelled, but the clip has {len(time_s)} frames: open the right clip."
            )
            raise AnnotationError(message)
        self.time_s = np.asarray(time_s, np.float64)
        self._rows = {
            int(frame): Row(values.copy(), bool(key))
            for frame, key, values in zip(labels.frames, labels.key, labels.values, strict=True)
        }
        self._frames = sorted(self._rows)
        self._counts = labels.known.sum(axis=0)
        self._history: list[tuple[Rows, Rows]] = []
        self._done = 0
        self._first_step = step

    def __len__(self) -> int:
        """Number of labelled frames."""
        return len(self._frames)

    @property
    def step(self) -> int:
        """The number of the present state: every change raises it by one."""
        return self._first_step + self._done

    @property
    def labels(self) -> Labels:
        """Everything that is labelled now."""
        if not self._frames:
            return Labels.empty()
        rows = [self._rows[frame] for frame in self._frames]
        frames = np.array(self._frames, np.int64)
        keys = np.array([row.key for row in rows], np.bool_)
        return Labels(frames, self.time_s[frames], keys, np.stack([row.values for row in rows]))

    def row(self, frame: int) -> Row | None:
        """A frame's labels; None where it has none."""
        return self._rows.get(frame)

    def neighbour(self, frame: int, direction: Literal[-1, 1], *, keys: bool) -> int | None:
        """The next labelled frame.

        Args:
            frame: From where.
            direction: 1 forwards, -1 backwards.
            keys: Whether only frames count that a person set.
        """
        place = bisect_right(self._frames, frame) if direction > 0 else bisect_left(self._frames, frame) - 1
        while 0 <= place < len(self._frames):
            if not keys or self._rows[self._frames[place]].key:
                return self._frames[place]
            place += direction
        return None

    def blended(self, frame: int) -> NDArray[np.float32]:
        """(58,) labels of a frame, between labelled ones a blend, beyond them the last; NaN where there are nowhere."""
        row = self._rows.get(frame)
        values = np.full(len(channels.IDS), np.nan, np.float32) if row is None else row.values.copy()
        missing = np.isnan(values) & (self._counts > 0)
        if missing.any():
            values[missing] = self._blended(frame, missing)
        return values

    def shown(self, frame: int) -> NDArray[np.float32]:
        """(58,) the face at a frame, as `blended`, without NaN: what is labelled nowhere is at rest."""
        return sides.completed(self.blended(frame)[None])[0]

    def put(self, rows: Mapping[int, Row | None]) -> Rows:
        """Changes frames, as one step of the history; what lay ahead of it is forgotten.

        Returns:
            The rows that are different now; empty where nothing changed, and no step is made.
        """
        before, after = Rows(), Rows()
        for frame, row in rows.items():
            if not 0 <= frame < len(self.time_s):
                message = f"Frame {frame} lies outside the clip, whose last frame is {len(self.time_s) - 1}."
                raise AnnotationError(message)
            kept = None if row is None or np.isnan(row.values).all() else row
            old = self._rows.get(frame)
            if not (old is None if kept is None else kept.same(old)):
                before[frame], after[frame] = old, kept
        if after:
            del self._history[self._done :]
            self._history.append((before, after))
            self._done += 1
            if len(self._history) > MOST_STEPS:
                del self._history[0]
                self._done -= 1
                self._first_step += 1
            self._apply(after)
        return after

    def go_to(self, step: int) -> Rows:
        """Goes back, or forth again, to an earlier state.

        Returns:
            The rows that are different now; empty where that state is not known any more.
        """
        wanted = step - self._first_step
        if not 0 <= wanted <= len(self._history):
            return {}
        changed = Rows()
        while self._done > wanted:
            self._done -= 1
            changed |= self._history[self._done][0]
            self._apply(self._history[self._done][0])
        while self._done < wanted:
            changed |= self._history[self._done][1]
            self._apply(self._history[self._done][1])
            self._done += 1
        return changed

    def set_value(self, frame: int, columns: Sequence[int], value: float) -> Rows:
        """Labels channels of a frame by hand; see `sides.with_value`."""
        row = self._rows.get(frame)
        values = np.full(len(channels.IDS), np.nan, np.float32) if row is None else row.values
        return self.put({frame: Row(sides.with_value(values, columns, value), key=True)})

    def label(self, said: Iterable[tuple[int, int, float]]) -> Rows:
        """Labels single channels of frames by hand, as one step of the history; their other labels stay.

        Args:
            said: Frame, place of the channel in `channels.IDS`, and value, 0..1.

        Raises:
            AnnotationError: A frame lies outside the clip; nothing was changed.
        """
        rows: dict[int, NDArray[np.float32]] = {}
        for frame, column, value in said:
            known = self._rows.get(frame)
            nothing = np.full(len(channels.IDS), np.nan, np.float32)
            before = rows.get(frame, nothing if known is None else known.values)
            rows[frame] = sides.with_value(before, [column], value)
        return self.put({frame: Row(values, key=True) for frame, values in rows.items()})

    def unset(self, frame: int, columns: Sequence[int]) -> Rows:
        """Takes the labels of some channels away from a frame."""
        row = self._rows.get(frame)
        if row is None:
            return {}
        values = row.values.copy()
        values[list(columns)] = np.nan
        return self.put({frame: Row(values, row.key)})

    def clear(self, frames: Sequence[int]) -> Rows:
        """Takes all labels away from frames."""
        return self.put(dict.fromkeys(frames))

    def copy_previous(self, frame: int) -> Rows:
        """Gives a frame the labels of the labelled frame before it; raises AnnotationError where there is none."""
        previous = self.neighbour(frame, -1, keys=False)
        if previous is None:
            message = "No frame before this one is labelled: there is nothing to copy."
            raise AnnotationError(message)
        return self.put({frame: Row(self._rows[previous].values, key=True)})

    def mirror(self, frame: int) -> Rows:
        """Swaps left and right in a frame; raises AnnotationError where it is not labelled."""
        row = self._rows.get(frame)
        if row is None:
            message = "This frame is not labelled: there is nothing to mirror."
            raise AnnotationError(message)
        return self.put({frame: Row(row.values[list(channels.MIRROR)], key=True)})

    def fill(self, frames: Sequence[int], values: Floats, *, replace_keys: bool = False) -> Rows:
        """Gives frames the values of a machine, such as a regressor's; they do not count as set by hand.

        Args:
            frames: N frames.
            values: (N, 58) NaN where nothing is known.
            replace_keys: Whether frames that a person set are replaced, too.
        """
        table = rounded(values)
        return self.put(
            {
                frame: Row(table[place], key=False)
                for place, frame in enumerate(frames)
                if not np.isnan(table[place]).all()
                and (replace_keys or frame not in self._rows or not self._rows[frame].key)
            }
        )

    def interpolate(self, first: int, last: int) -> Rows:
        """Fills the frames between those set by hand with straight lines in time.

        Args:
            first: From this frame on.
            last: Up to this frame.

        Returns:
            The rows that are different now. Frames set by hand stay as they are; what none of them labels stays, too.

        Raises:
            AnnotationError: There are not two frames set by hand, or nothing lies between them.
        """
        keys = [frame for frame in self._frames if first <= frame <= last and self._rows[frame].key]
        if len(keys) < 2 or keys[-1] - keys[0] < len(keys):
            message = "Set at least two frames by hand, with frames between them: these are what is interpolated."
            raise AnnotationError(message)
        between = sorted(set(range(keys[0] + 1, keys[-1])) - set(keys))
        known = np.stack([self._rows[key].values for key in keys])
        table = np.full((len(between), len(channels.IDS)), np.nan, np.float32)
        for place, frame in enumerate(between):
            if frame in self._rows:
                table[place] = self._rows[frame].values
        key_s, wanted_s = self.time_s[keys], self.time_s[between]
        for column in np.flatnonzero((~np.isnan(known)).sum(axis=0) >= 2):
            said = ~np.isnan(known[:, column])
            inside = (wanted_s > key_s[said][0]) & (wanted_s < key_s[said][-1])
            table[inside, column] = np.interp(wanted_s[inside], key_s[said], known[said, column])
        table = rounded(table)
        return self.put({frame: Row(table[place], key=False) for place, frame in enumerate(between)})

    def _apply(self, rows: Rows) -> None:
        for frame, row in rows.items():
            old = self._rows.pop(frame, None)
            if old is not None:
                self._counts -= ~np.isnan(old.values)
            if row is not None:
                self._counts += ~np.isnan(row.values)
                self._rows[frame] = row
            if old is None and row is not None:
                insort(self._frames, frame)
            elif old is not None and row is None:
                del self._frames[bisect_left(self._frames, frame)]

    def _blended(self, frame: int, wanted: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Values of the wanted channels at a frame that does not label them, each labelled somewhere."""
        (before, before_s), (after, after_s) = (self._nearest(frame, wanted, direction) for direction in (-1, 1))
        before, after = np.where(np.isnan(before), after, before), np.where(np.isnan(after), before, after)
        length = after_s - before_s
        share = np.where(length > 0, (self.time_s[frame] - before_s) / np.where(length > 0, length, 1.0), 0.0)
        return (before + np.nan_to_num(share) * (after - before)).astype(np.float32)

    def _nearest(
        self, frame: int, wanted: NDArray[np.bool_], direction: Literal[-1, 1]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """The wanted channels' labels nearest to a frame on one side, and their times; NaN where there are none."""
        values = np.full(int(wanted.sum()), np.nan, np.float32)
        times = np.full(len(values), np.nan)
        place = bisect_right(self._frames, frame) if direction > 0 else bisect_left(self._frames, frame) - 1
        while 0 <= place < len(self._frames) and (missing := np.isnan(values)).any():
            there = self._rows[self._frames[place]].values[wanted]
            found = missing & ~np.isnan(there)
            values[found], times[found] = there[found], self.time_s[self._frames[place]]
            place += direction
        return values, times
