"""The actor's neutral: which frames of a take show the face at rest.

The automatic neutral looks for frames whose values, with the model's generic neutral, are lowest: once for the upper
face (eyes open, brows at rest) and once for the lower face (lips closed), since an actor may never rest both at once.
Where even the best frames are far from rest, the generic neutral keeps part of the say, landmark by landmark.
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from . import channels, landmarks
from .actor_neutral import ActorNeutral
from .errors import SettingsError
from .regressors import Features, Neutral
from .take import Take

NeutralMode = Literal["auto", "none", "mean", "frames", "given"]

_UPPER_WEIGHTS: Final = {
    "eye_close": 1.0,
    "lid_raise": 0.7,
    "lid_tighten": 0.5,
    "cheek_raise": 0.7,  # narrows the eyes: a laugh is no rest for the upper face either
    "brow_lower": 0.7,
    "brow_raise": 0.7,
    "inner_brow_raise": 0.7,
    "look_up": 0.3,
    "look_down": 0.3,
    "look_in": 0.2,
    "look_out": 0.2,
}
_LOWER_IGNORED: Final = ("lips_together",)
_LEAST_CONFIDENCE: Final = 0.5
_TURN_COST_PER_RAD: Final = 0.6
_MOTION_COST_S: Final = 0.06
_SHARE_OF_FRAMES: Final = 0.05
_FEWEST_FRAMES: Final = 5
_MOST_FRAMES: Final = 90
_COST_OF_HALF_TRUST: Final = 0.45
"""Mean cost of the chosen frames at which measured and generic neutral count alike."""

_RAMP: Final = 0.35
"""Height, in distances between the eyes, over which the upper face's neutral blends into the lower's."""


@dataclass(frozen=True, slots=True)
class NeutralSettings:
    """Which neutral to subtract.

    Attributes:
        mode: `auto`, `none` (the model's generic one), `mean` (the actor's mean face; the third paper's person mean),
            `frames`, or `given` (from an actor's profile).
        frames: For mode `frames`: frame numbers as the video counts, from 0.
        given: For mode `given`: the neutral itself.
    """

    mode: NeutralMode = "auto"
    frames: tuple[int, ...] = ()
    given: ActorNeutral | None = None

    def __post_init__(self) -> None:
        """Checks that mode and frames fit; raises SettingsError."""
        if self.mode not in get_args(NeutralMode):
            message = f"Unknown neutral '{self.mode}': use {', '.join(get_args(NeutralMode))}."
            raise SettingsError(message)
        if self.mode == "frames" and not self.frames:
            message = "Name at least one frame for the neutral, or let it be found automatically."
            raise SettingsError(message)
        if self.mode == "given" and self.given is None:
            message = "There is no neutral from a profile: load the actor's profile, or let it be found automatically."
            raise SettingsError(message)


@dataclass(frozen=True, slots=True)
class NeutralChoice:
    """The neutral that was used.

    Attributes:
        upper_frames: Frames that the upper face's neutral was averaged from, numbered as the video counts.
        lower_frames: The same for the lower face.
        confidence: 0..1; 0 for the generic neutral, low where no frame of the take is near rest.
        neutral: What the head was given.
    """

    upper_frames: tuple[int, ...]
    lower_frames: tuple[int, ...]
    confidence: float
    neutral: Neutral | None


def choose_neutral(take: Take, seen: Features, settings: NeutralSettings) -> NeutralChoice:
    """Finds the actor's neutral in a take.

    Args:
        take: The take; its `values` (generic neutral) drive the automatic choice.
        seen: The take's features.
        settings: How to choose.

    Raises:
        SettingsError: A chosen frame has no face or lies outside the take.
    """
    if settings.mode == "given" and settings.given is not None:
        return NeutralChoice((), (), settings.given.confidence, settings.given.neutral)
    usable = np.flatnonzero(take.found & seen.known)
    if settings.mode == "none" or not len(usable):
        return NeutralChoice((), (), 0.0, None)
    if settings.mode == "auto":
        return _automatic(take, seen, usable)
    chosen = usable if settings.mode == "mean" else _checked(settings.frames, usable, take)
    frames = _numbers(chosen, take)
    return NeutralChoice(frames, frames, 1.0, _neutral(seen, chosen, chosen, (1.0, 1.0)))


def _checked(frames: tuple[int, ...], usable: NDArray[np.int64], take: Take) -> NDArray[np.int64]:
    """Indices of the frames in the take."""
    first, last = take.first_frame, take.first_frame + len(take) - 1
    outside = sorted(frame for frame in set(frames) if not first <= frame <= last)
    if outside:
        message = f"Neutral frame {outside[0]} lies outside the take: it has frames {first} to {last}."
        raise SettingsError(message)
    chosen = np.array(sorted(set(frames))) - first
    faceless = np.setdiff1d(chosen, usable)
    if len(faceless):
        message = f"No face was found in neutral frame {faceless[0] + first}: choose another frame."
        raise SettingsError(message)
    return chosen


def _numbers(indices: NDArray[np.int64], take: Take) -> tuple[int, ...]:
    return tuple(int(index) + take.first_frame for index in indices)


def _automatic(take: Take, seen: Features, usable: NDArray[np.int64]) -> NeutralChoice:
    table = _whole_table(take)
    common = _turn_cost(seen.rotation) + _MOTION_COST_S * _activity(take.time_s, table)
    common = common + np.where(take.confidence < _LEAST_CONFIDENCE, 1.0, 0.0)
    upper_cost, lower_cost = _cost(table, _upper_weights()), _cost(table, _lower_weights())
    upper = _calmest(upper_cost + common, usable)
    lower = _calmest(lower_cost + common, usable)
    trust = (_trust(upper_cost[upper]), _trust(lower_cost[lower]))
    return NeutralChoice(
        upper_frames=_numbers(upper, take),
        lower_frames=_numbers(lower, take),
        confidence=min(trust),
        neutral=_neutral(seen, upper, lower, trust),
    )


def _whole_table(take: Take) -> NDArray[np.float32]:
    return channels.complete(take.values, take.channels)


def _upper_weights() -> NDArray[np.float64]:
    """(58,) how much each channel speaks against a frame as the upper face's neutral."""
    return np.array(
        [_UPPER_WEIGHTS.get(channel_id.removesuffix("_L").removesuffix("_R"), 0.0) for channel_id in channels.IDS]
    )


def _lower_weights() -> NDArray[np.float64]:
    left_out = {*channels.SIDES_OF, *_LOWER_IGNORED}
    upper = _upper_weights()
    return np.array(
        [0.0 if upper[index] or channel_id in left_out else 1.0 for index, channel_id in enumerate(channels.IDS)]
    )


def _cost(table: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T,) length of the weighted vector of values: one strong action counts as much as several weak ones."""
    return np.sqrt(np.square(table.astype(np.float64)) @ weights)


def _turn_cost(rotation: NDArray[np.float32]) -> NDArray[np.float64]:
    yaw_pitch = rotation[:, :2].astype(np.float64)
    return _TURN_COST_PER_RAD * np.linalg.norm(yaw_pitch - np.nanmedian(yaw_pitch, axis=0), axis=1)


def _activity(time_s: NDArray[np.float64], table: NDArray[np.float32]) -> NDArray[np.float64]:
    """(T,) change of the values per second, NaN-free."""
    if len(time_s) < 2:
        return np.zeros(len(time_s))
    speed = np.linalg.norm(np.gradient(table.astype(np.float64), time_s, axis=0), axis=1)
    return np.nan_to_num(speed, nan=float(np.nanmax(np.append(speed[np.isfinite(speed)], 0.0))))


def _calmest(cost: NDArray[np.float64], usable: NDArray[np.int64]) -> NDArray[np.int64]:
    """The cheapest twentieth of the usable frames, within bounds, in time order."""
    count = int(np.clip(_SHARE_OF_FRAMES * len(usable), _FEWEST_FRAMES, _MOST_FRAMES))
    order = np.argsort(cost[usable], kind="stable")
    return np.sort(usable[order[:count]])


def _trust(costs: NDArray[np.float64]) -> float:
    """0..1: how far the chosen frames may stand for rest."""
    return float(1.0 / (1.0 + (np.mean(costs) / _COST_OF_HALF_TRUST) ** 2))


def _neutral(seen: Features, upper: NDArray[np.int64], lower: NDArray[np.int64], trust: tuple[float, float]) -> Neutral:
    """Averages the chosen frames; from the eyes down to the nose the upper face's share runs out smoothly."""
    if not seen.landmarks.shape[1]:
        return _neutral_of_values(seen, upper, lower, trust)
    height = landmarks.canonical_face().points[:, 1] / landmarks.IPD_M
    share = np.clip((_RAMP - height) / _RAMP, 0.0, 1.0)[:, None]
    faces = [seen.landmarks[frames].mean(axis=0, dtype=np.float64) for frames in (upper, lower)]
    return Neutral(
        landmarks=(share * faces[0] + (1.0 - share) * faces[1]).astype(np.float32),
        weight=(share * trust[0] + (1.0 - share) * trust[1]).astype(np.float32),
        embedding=seen.embedding[np.union1d(upper, lower)].mean(axis=0),
    )


def _neutral_of_values(
    seen: Features, upper: NDArray[np.int64], lower: NDArray[np.int64], trust: tuple[float, float]
) -> Neutral:
    """The same of an imported take: what each channel shows at rest, as far as the chosen frames are trusted."""
    rest = [share * seen.embedding[frames].mean(axis=0) for share, frames in zip(trust, (upper, lower), strict=True)]
    return Neutral(
        landmarks=np.zeros((0, 3), np.float32),
        weight=np.zeros((0, 1), np.float32),
        embedding=np.where(_upper_weights() > 0.0, rest[0], rest[1]).astype(np.float32),
    )
