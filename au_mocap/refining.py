"""Refining a take: a second pass over its video in which renderings of the face correct what the regressor said.

The actor's identity is solved once, over the calmest frames. Then pose and values of every frame are fitted to its
picture (`refiners.fitting`), block by block, each tied to the frame before it. The take itself is left alone: what
comes out is another take, the same but for `Take.refinement`, which is added to whatever the head says.
"""

import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from . import channels, crops
from .arrays import Floats
from .errors import TakeError, TrackerError, VideoError
from .neutral import NeutralSettings, choose_neutral
from .pipeline import Progress
from .refiners.basis import POSES, poses_of
from .refiners.fitting import STEPS, Fitted, Shown, check_steps, fit_frames, fit_identity
from .refiners.refiner import Refiner
from .regressors import Features, Regressor, features
from .take import Take
from .video import Video, open_video, read_ahead

_BLOCK: Final = 32
"""Frames that are fitted at once; the last of one holds the first of the next."""

_CALM: Final = 16
"""Frames that the identity is solved from."""

_SURE: Final = 0.5
_FRONTAL_RAD: Final = 0.45
_APART_S: Final = 0.2
"""Frames further apart in time are not tied to each other."""

_RENDERINGS: Final = 6
_JPEG_QUALITY: Final = 90


@dataclass(frozen=True, slots=True)
class Options:
    """How to refine.

    Attributes:
        video: The video, where it has moved; None for the path that the take remembers.
        steps: How often each frame's parameters are moved.
    """

    video: Path | None = None
    steps: int = STEPS


@dataclass(frozen=True, slots=True)
class Refined:
    """What a pass found.

    Attributes:
        take: The take with its refinement.
        before: Mean loss at the start, over the frames that were fitted; NaN without any.
        after: Mean loss of what was found.
        frames: How many frames were fitted.
    """

    take: Take
    before: float
    after: float
    frames: int


@dataclass(frozen=True, slots=True)
class _Work:
    """What a pass works on: take, (T, 58) start, refiner, the take as heads see it, (T,) frames to fit, steps."""

    take: Take
    start: NDArray[np.float32]
    refiner: Refiner
    seen: Features
    usable: NDArray[np.bool_]
    steps: int

    def picture(self, image: crops.Image, place: int) -> NDArray[np.float32]:
        """(3, S, S) of the face in a frame of the video; raises TakeError where the take's face lies nowhere."""
        landmarks = crops.to_image(self.take.landmarks[place], crops.Crop(*map(float, self.take.crop[place])))
        try:
            return self.refiner.picture(image, landmarks)
        except TrackerError as error:
            message = f"The take is damaged: its face lies nowhere in frame {self.take.first_frame + place}."
            raise TakeError(message) from error

    def shown(self, places: list[int], pictures: list[NDArray[np.float32]]) -> Shown:
        """Some frames as they are fitted."""
        stacked, chosen = np.stack(pictures), np.array(places)
        times = self.take.time_s[chosen]
        before = np.maximum(chosen - 1, 0)
        near = (chosen > 0) & self.usable[before] & (times - self.take.time_s[before] <= _APART_S)
        return Shown(
            pose=poses_of(self.seen.rotation[chosen]),
            values=np.clip(self.start[chosen][:, self.refiner.columns], 0.0, 1.0),
            appearance=self.refiner.basis.appearance_of(stacked),
            features=self.refiner.features(stacked),
            tied=near,
        )


@dataclass(slots=True)
class _Found:
    """What has been found so far: (T, 58) refinement, losses, renderings by frame."""

    refinement: NDArray[np.float32]
    before: list[float] = field(default_factory=list[float])
    after: list[float] = field(default_factory=list[float])
    renderings: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def refine(
    take: Take,
    start: Floats,
    refiner: Refiner,
    options: Options = Options(),
    on_progress: Callable[[Progress], bool] | None = None,
) -> Refined:
    """Fits every frame of a take that shows a face.

    Args:
        take: The take; it is not changed.
        start: (T, 58) values to start from, best with the actor's neutral taken off; NaN where there are none.
        refiner: What renders.
        options: Which video, how many steps.
        on_progress: Called after every block; returning False stops the pass, and the frames after it stay as they are.

    Raises:
        TakeError: The take is imported, so that it knows no face, or shows none, or its video is unknown.
        VideoError: The video cannot be read or is another one.
        ModelError: A graph failed.
        SettingsError: The number of steps cannot be.
    """
    check_steps(options.steps)
    check(take)
    begun = time.perf_counter()
    seen = features(take)
    usable = take.found & seen.known & np.isfinite(start).all(axis=1)
    if not usable.any():
        message = "No frame of the take shows a face: there is nothing to refine."
        raise TakeError(message)
    work = _Work(take, np.asarray(start, np.float32), refiner, seen, usable, options.steps)
    found = _Found(np.zeros((len(take), len(channels.IDS)), np.float32))
    done = 0
    with open_video(_video_of(take, options.video)) as opened:
        _check_video(work, opened)
        identity = _identity(work, opened)
        wanted, last = _moments(work), None
        for done, places, pictures in _blocks(work, opened):
            if places:
                shown = work.shown(places, pictures)
                fitted = fit_frames(refiner, shown, identity, options.steps, last)
                last = fitted.parameters[-1]
                _keep(found, work, places, fitted)
                _render(found, work, [each for each in places if each in wanted], (places, shown, fitted, identity))
            progress = Progress(done, len(take), len(found.after), time.perf_counter() - begun)
            if on_progress is not None and not on_progress(progress):
                break
    return _refined(work, found, identity, done)


def _refined(work: _Work, found: _Found, identity: NDArray[np.float32], done: int) -> Refined:
    """The take with its refinement, `done` frames of it looked at."""
    take, entry = work.take, work.refiner.entry
    about = {
        "name": entry.name,
        "version": entry.version,
        "steps": work.steps,
        "frames": len(found.after),
        "identity": [round(float(each), 4) for each in identity],
        "renderings": found.renderings,
        **({"partial": True} if done < len(take) else {}),
    }
    return Refined(
        take=replace(take, refinement=found.refinement.astype(np.float16), meta={**take.meta, "refined": about}),
        before=float(np.mean(found.before)) if found.before else float("nan"),
        after=float(np.mean(found.after)) if found.after else float("nan"),
        frames=len(found.after),
    )


def check(take: Take) -> None:
    """Raises TakeError unless a take can be refined."""
    if take.is_imported:
        message = "Another program measured this take: without landmarks there is no face to refine."
        raise TakeError(message)
    if take.refinement is not None:
        message = "This take is refined already: refine the one that it was made from."
        raise TakeError(message)


def _video_of(take: Take, video: Path | None) -> Path:
    remembered = take.meta.get("source", {}).get("path")
    if video is None and not remembered:
        message = "The take does not say where its video lies: name it (--video)."
        raise TakeError(message)
    return video if video is not None else Path(str(remembered))


def _check_video(work: _Work, opened: Video) -> None:
    take = work.take
    if list(opened.info.size_px) != take.meta.get("frame_size", list(opened.info.size_px)):
        width, height = opened.info.size_px
        message = f"{opened.info.name} has {width} x {height} pixels: it is not the video that was analysed."
        raise VideoError(message)
    count = opened.info.frame_count
    if count is not None and count <= take.first_frame + int(np.flatnonzero(work.usable)[-1]):
        raise _too_short(opened)


def _too_short(opened: Video) -> VideoError:
    message = f"{opened.info.name} ends before the take does: it is not the video that was analysed."
    return VideoError(message)


def _identity(work: _Work, opened: Video) -> NDArray[np.float32]:
    """(K,) of the actor, from the calmest frames that show the face well, some time apart from each other."""
    take, angles = work.take, np.abs(work.seen.rotation[:, :2]).max(axis=1)
    well = work.usable & (take.confidence >= _SURE) & (angles <= _FRONTAL_RAD)
    chosen = np.flatnonzero(well if well.any() else work.usable)
    strength = np.square(work.start[chosen]).sum(axis=1)
    # The calmest frame of every stretch of the take, so that a passing mistake of the tracker weighs little.
    stretches = np.array_split(np.arange(len(chosen)), min(_CALM, len(chosen)))
    places = [int(chosen[part[np.argmin(strength[part])]]) for part in stretches]
    pictures = list[NDArray[np.float32]]()
    for place in places:
        number = take.first_frame + place
        pictures += [work.picture(frame.image, place) for frame in opened.frames(number, number + 1)]
    if len(pictures) < len(places):
        raise _too_short(opened)
    rest = np.median(work.seen.landmarks[places], axis=0)
    return fit_identity(work.refiner, work.shown(places, pictures), work.refiner.basis.identity_of(rest), work.steps)


def _moments(work: _Work) -> set[int]:
    """Frames that are rendered for the report: the most expressive one of each part of the take."""
    strength = np.where(work.usable, np.nan_to_num(np.square(work.start)).sum(axis=1), -1.0)
    parts = np.array_split(np.arange(len(work.take)), min(_RENDERINGS, len(work.take)))
    best = [int(part[np.argmax(strength[part])]) for part in parts]
    return {place for place in best if work.usable[place]}


def _blocks(work: _Work, opened: Video) -> Iterator[tuple[int, list[int], list[NDArray[np.float32]]]]:
    """Frames read so far, and places and pictures of those to be fitted, `_BLOCK` frames at a time."""
    take, first = work.take, work.take.first_frame
    places, pictures, done = list[int](), list[NDArray[np.float32]](), 0
    for frame in read_ahead(opened.frames(first, first + len(take))):
        place = frame.index - first
        if work.usable[place]:
            places.append(place)
            pictures.append(work.picture(frame.image, place))
        done = place + 1
        if done % _BLOCK == 0 or done == len(take):
            yield done, places, pictures
            places, pictures = [], []
    if done < len(take):
        raise _too_short(opened)


def _keep(found: _Found, work: _Work, places: list[int], fitted: Fitted) -> None:
    values = channels.complete(fitted.parameters[:, POSES:], work.refiner.entry.channels)
    known = np.isin(np.arange(len(channels.IDS)), _told(work.refiner.entry.channels))
    found.refinement[places] = np.where(known, values - work.start[places], 0.0)
    found.before += fitted.before.tolist()
    found.after += fitted.after.tolist()


def _told(ids: tuple[str, ...]) -> list[int]:
    """Places of the channels that a refiner has, and of the means of those with both sides."""
    means = [mean for mean, sides in channels.SIDES_OF.items() if set(sides) <= set(ids)]
    return [channels.INDEX[each] for each in (*ids, *means)]


def _render(
    found: _Found, work: _Work, wanted: list[int], solved: tuple[list[int], Shown, Fitted, NDArray[np.float32]]
) -> None:
    """Keeps what some frames of a block look like to the refiner, for the report."""
    places, shown, fitted, identity = solved
    for place in wanted:
        row = places.index(place)
        parameters = np.concatenate([fitted.parameters[row], identity, shown.appearance[row]])
        rendered = work.refiner.render(parameters[None])[0]
        image = np.rint(np.clip(rendered, 0.0, 1.0)[::-1].transpose(1, 2, 0) * 255.0).astype(np.uint8)
        coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
        found.renderings.append({"index": place, "jpeg": base64.b64encode(coded.tobytes()).decode()})


def start_of(take: Take, regressor: Regressor) -> NDArray[np.float32]:
    """(T, 58) values to start from: the head's with the actor's own neutral, as far as the take shows one.

    Raises:
        ModelError: The regressor is not the take's.
    """
    choice = choose_neutral(take, seen := features(take), NeutralSettings())
    return regressor.values(seen, choice.neutral)
