"""From a take to curves: neutral, faults, smoothing, mirroring, gains, shaping, contact, rules, gaps, edits.

Nothing here touches the video or the take. A `Calibrator` keeps what a change of settings leaves as it is, so that only
the neutral needs the regressor's head again.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Generic, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from . import channels, closing, contact, gaps, gaze, repair, rotations, smoothing, steadying
from .actor_neutral import ActorNeutral
from .arrays import Floats
from .edits import Edits
from .edits import apply as apply_edits
from .errors import ModelError, ProfileError, SettingsError
from .gaps import GapMode
from .imported import ImportedValues, Maker, identity_of
from .neutral import NeutralChoice, NeutralMode, NeutralSettings, choose_neutral
from .regressors import Features, features
from .shaping import Shaping, shape
from .take import Take

__all__ = [
    "MAX_GAIN",
    "Calibrator",
    "Curves",
    "NeutralChoice",
    "NeutralMode",
    "NeutralSettings",
    "Settings",
    "choose_neutral",
    "curves",
]

MAX_GAIN: Final = 10.0

_KEPT: Final = 4
"""Settings whose results are kept, of each kind: at most half a KB a frame each."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that turns raw measurements into curves.

    Attributes:
        neutral: Which neutral to subtract.
        gains: Factor by channel id, 0..10; channels left out have 1. Means of two sides cannot have one. With `mirror`
            the ids are those of the curves, after left and right were swapped.
        offsets: Added after the gain by channel id, -1..1; channels left out have 0. The same holds.
        smoothing: A strength of `smoothing.SIGMA_S`.
        gaps: What curves do while no face is seen: `leave` them NaN, `hold` the last known values and head pose (the
            first known ones at the beginning), or let values `fade` to 0 and back (`gaps.fade`) while the head is held.
            A take without any face stays NaN. Where they are not left, losses of a moment are bridged (`repair`).
        shaping: Intensity and exaggeration of regions, and symmetry, after gains and offsets.
        contact: 0..1: how far lids and lips are brought together where the actor's touch, and kept from touching where
            they do not (`closing.close`); 0 leaves that to the values.
        mirror: Swaps the actor's left and right, for footage that was recorded mirrored: channels change sides, the
            head turns and tilts to the other side, its position changes sides.
        edits: The artist's own word about curves as they are after all of this, gaps filled; mirrored ones with
            `mirror`. Where gaps are left, edits leave them, too.
    """

    neutral: NeutralSettings = field(default_factory=NeutralSettings)
    gains: Mapping[str, float] = field(default_factory=dict[str, float])
    offsets: Mapping[str, float] = field(default_factory=dict[str, float])
    smoothing: str = "light"
    gaps: GapMode = "leave"
    mirror: bool = False
    shaping: Shaping = field(default_factory=Shaping)
    contact: float = 1.0
    edits: Edits = field(default_factory=Edits)

    def __post_init__(self) -> None:
        """Checks names and ranges; raises SettingsError."""
        smoothing.check(self.smoothing)
        gaps.check(self.gaps)
        channels.positions((*self.gains, *self.offsets))
        means = sorted({*self.gains, *self.offsets} & set(channels.SIDES_OF))
        if means:
            message = f"{', '.join(means)}: a mean of two sides follows them, so set those of its sides."
            raise SettingsError(message)
        wrong = [channel_id for channel_id, gain in self.gains.items() if not 0.0 <= gain <= MAX_GAIN]
        wrong += [channel_id for channel_id, offset in self.offsets.items() if not -1.0 <= offset <= 1.0]
        if wrong:
            message = f"Gain (0 to {MAX_GAIN:g}) or offset (-1 to 1) out of range for {', '.join(wrong)}."
            raise SettingsError(message)
        if not 0.0 <= self.contact <= 1.0:
            message = f"The strength of contacts must lie between 0 and 1, not {self.contact:g}."
            raise SettingsError(message)


@dataclass(frozen=True, slots=True)
class Curves:
    """What preview, tables and baking use.

    Attributes:
        time_s: (T,) seconds.
        values: (T, 58) float32, 0..1, NaN where there is no face unless gaps are filled; columns as `channels.IDS`.
        head_rotation: (T, 4) smoothed unit quaternions, see `Take`.
        head_position: (T, 3) smoothed metres.
        neutral: The neutral that was used.
    """

    time_s: NDArray[np.float64]
    values: NDArray[np.float32]
    head_rotation: NDArray[np.float64]
    head_position: NDArray[np.float64]
    neutral: NeutralChoice


@dataclass(frozen=True, slots=True)
class _Measured:
    """What the head says with one neutral: (T, 58) float32 values 0..1, doubtful frames held, and the neutral."""

    values: NDArray[np.float32]
    neutral: NeutralChoice


@dataclass(frozen=True, slots=True)
class _Head:
    """Smoothed head pose: (T, 4) unit quaternions and (T, 3) metres."""

    rotation: NDArray[np.float64]
    position: NDArray[np.float64]


_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class _Recent(Generic[_K, _V]):
    """The results that were asked for last, `_KEPT` of them."""

    def __init__(self, make: Callable[[_K], _V]) -> None:
        self._make = make
        self._kept: OrderedDict[_K, _V] = OrderedDict()

    def __getitem__(self, key: _K) -> _V:
        found = self._kept.pop(key, None)  # what another thread has taken out meanwhile is made again
        made = self._make(key) if found is None else found
        self._kept[key] = made
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return made


class Calibrator:
    """Applies settings to one take again and again.

    It keeps 7 KB a frame of what the regressor's head reads, and the results of the settings that were used last. Gains
    and offsets are applied to what was held and smoothed: a change of theirs costs no smoothing, and does not change
    what counts as flicker. Threads may share one; what two of them ask for at once is computed twice.

    Attributes:
        take: The take.
    """

    def __init__(self, take: Take, regressor: Maker) -> None:
        """Prepares a take, which is not changed.

        Args:
            take: The take.
            regressor: The regressor that made it, or `ImportedValues` for an imported take.

        Raises:
            ModelError: The take's embeddings are another regressor's, or another version's; or only one of the two is
                imported.
        """
        _check_maker(take, regressor)
        self.take = take
        self._regressor = regressor
        self._faults = repair.find(take.time_s, take.head_rotation, take.head_position, take.confidence)
        self._measured = _Recent(self._measure)
        self._smoothed = _Recent(self._smooth)
        self._contacts = _Recent(self._find_contacts)
        self._heads = _Recent(self._smooth_head)

    @cached_property
    def _seen(self) -> Features:
        """What the head reads, when it is first asked for: a long take opens in the time that its file takes."""
        return features(self.take)

    def curves(self, settings: Settings) -> Curves:
        """The take's curves with these settings, in arrays of their own.

        Raises:
            SettingsError: A chosen neutral frame has no face or lies outside the take.
            ProfileError: A given neutral is another regressor's.
            ModelError: The head failed.
        """
        neutral = _settled(settings.neutral)
        values = self.unclipped(settings)
        contacts = self.contacts(settings) if settings.contact > 0.0 else None
        if contacts is not None:
            values = closing.close(values, contacts, settings.contact)
        values = self._left(channels.enforce_rules(values.astype(np.float32)), settings)
        return Curves(
            time_s=self.take.time_s,
            values=apply_edits(self.take.time_s, _filled(self.take, values, settings.gaps), settings.edits),
            head_rotation=_held(self._left(self._rotation(settings), settings), settings.gaps),
            head_position=_held(self._left(self._position(settings), settings), settings.gaps),
            neutral=self._measured[neutral].neutral,
        )

    def unclipped(self, settings: Settings) -> NDArray[np.float64]:
        """(T, 58) values after gains, offsets and shaping, before they are held within 0..1; raises as `curves`."""
        values = self._smoothed[_settled(settings.neutral), settings.smoothing]
        if settings.mirror:
            values = values[:, channels.MIRROR]
        values = values * _row(settings.gains, 1.0) + _row(settings.offsets, 0.0)
        return values if settings.shaping.is_plain else shape(values, settings.shaping)

    def contacts(self, settings: Settings) -> contact.Contacts | None:
        """Where the actor's lids and lips touch, sides as in the curves; None for an imported take; raises as `curves`.

        Imported values come without lids and lips to look at.
        """
        if self.take.is_imported:
            return None
        found = self._contacts[_settled(settings.neutral)]
        return closing.mirrored(found) if settings.mirror else found

    def _left(self, rows: Floats, settings: Settings) -> Floats:
        """Rows with short losses of the face empty again, where gaps are to be left: Blender bridges them itself."""
        return np.where(self._faults.dropouts[:, None], np.nan, rows) if settings.gaps == "leave" else rows

    def _rotation(self, settings: Settings) -> NDArray[np.float64]:
        rotation = self._heads[settings.smoothing].rotation
        return rotations.mirrored(rotation) if settings.mirror else rotation

    def _position(self, settings: Settings) -> NDArray[np.float64]:
        return self._heads[settings.smoothing].position * (_MIRROR_POSITION if settings.mirror else 1.0)

    def actor_neutral(self, settings: NeutralSettings) -> ActorNeutral | None:
        """The neutral that a choice finds in this take, for other takes of the actor; None for the generic one.

        Raises:
            SettingsError: A chosen neutral frame has no face or lies outside the take.
            ProfileError: A given neutral is another regressor's.
        """
        choice = self._measured[_settled(settings)].neutral
        own = identity_of(self._regressor)
        return choice.neutral and ActorNeutral(own["name"], own["version"], choice.confidence, choice.neutral)

    def _measure(self, neutral: NeutralSettings) -> _Measured:
        _check_given(neutral, self._regressor)
        choice = choose_neutral(self.take, self._seen, neutral)
        values = self._regressor.values(self._seen, choice.neutral)
        if self.take.refinement is not None:
            values = channels.enforce_rules(values + self.take.refinement.astype(np.float32))
        values = steadying.steady(self.take.time_s, values, self.take.confidence)
        values = repair.bridge(self.take.time_s, values, self._faults.any_of_both)
        return _Measured(gaze.hold_through_blinks(self.take.time_s, values).astype(np.float32), choice)

    def _find_contacts(self, neutral: NeutralSettings) -> contact.Contacts:
        measured = self._measured[neutral]
        used = measured.neutral.neutral
        return contact.detect(
            contact.Seen(
                time_s=self.take.time_s,
                landmarks=self._seen.landmarks,
                values=measured.values,
                confidence=self.take.confidence,
                neutral=None if used is None else used.landmarks,
            )
        )

    def _smooth(self, wanted: tuple[NeutralSettings, str]) -> NDArray[np.float64]:
        neutral, strength = wanted
        return smoothing.smooth_values(self.take.time_s, self._measured[neutral].values, strength)

    def _smooth_head(self, strength: str) -> _Head:
        time_s, faults = self.take.time_s, self._faults.any_of_both
        rotation = repair.bridge(time_s, rotations.continuous(self.take.head_rotation), faults)
        position = repair.bridge(time_s, self.take.head_position, faults)
        return _Head(
            smoothing.smooth_rotations(time_s, rotation, strength),
            smoothing.smooth_positions(time_s, position, strength),
        )


def curves(take: Take, settings: Settings, regressor: Maker) -> Curves:
    """Applies settings to a take once; a `Calibrator` does so again and again.

    Args:
        take: The take; it is not changed.
        settings: What to apply.
        regressor: The regressor that made the take, or `ImportedValues` for an imported one.

    Raises:
        SettingsError: A chosen neutral frame has no face or lies outside the take.
        ModelError: As `Calibrator`.
    """
    return Calibrator(take, regressor).curves(settings)


_MIRROR_POSITION: Final = np.array([-1.0, 1.0, 1.0])


def _settled(neutral: NeutralSettings) -> NeutralSettings:
    """The same choice in one form, by which its results are kept."""
    frames = tuple(sorted(set(neutral.frames))) if neutral.mode == "frames" else ()
    return NeutralSettings(neutral.mode, frames, neutral.given if neutral.mode == "given" else None)


def _filled(take: Take, values: Floats, mode: GapMode) -> NDArray[np.float32]:
    if mode == "fade":
        return gaps.fade(take.time_s, values).astype(np.float32)
    return _held(values, mode).astype(np.float32)


def _held(rows: Floats, mode: GapMode) -> NDArray[np.float64]:
    """A copy, its gaps filled with what was last seen unless they are to be left."""
    return np.array(rows, np.float64) if mode == "leave" else gaps.hold(rows)


def _check_maker(take: Take, regressor: Maker) -> None:
    """Two versions' embeddings may have the same length and yet nothing in common."""
    made: object = take.meta.get("regressor")
    own = identity_of(regressor)
    if isinstance(regressor, ImportedValues) or take.is_imported:
        if isinstance(regressor, ImportedValues) and take.is_imported:
            return
        message = f"{own['name']} does not fit this take: only an imported take has imported values, and no others."
        raise ModelError(message)
    if regressor.embedding_size and isinstance(made, dict) and made != own:
        theirs, ours = (" ".join(map(str, known.values())) for known in (cast(dict[str, object], made), own))
        message = f"The take was made with regressor {theirs}, here is {ours}: analyse the video again."
        raise ModelError(message)


def _check_given(neutral: NeutralSettings, regressor: Maker) -> None:
    """A neutral is what one version of one regressor's head reads, and means nothing to another."""
    given, own = neutral.given, identity_of(regressor)
    if given is None:
        return
    if (given.regressor, given.version) != (own["name"], own["version"]):
        message = (
            f"The profile's neutral is for regressor {given.regressor} {given.version}, the take was made with "
            f"{own['name']} {own['version']}: save the profile again from a take of this regressor, or choose another "
            "neutral."
        )
        raise ProfileError(message)
    if len(given.neutral.embedding) != regressor.embedding_size:
        message = (
            f"The profile's neutral holds {len(given.neutral.embedding)} numbers of the image stage, regressor "
            f"{own['name']} reads {regressor.embedding_size}: save the profile again."
        )
        raise ProfileError(message)


def _row(settings: Mapping[str, float], default: float) -> NDArray[np.float32]:
    return np.array([settings.get(channel_id, default) for channel_id in channels.IDS], np.float32)
