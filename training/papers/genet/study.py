"""The paper's comparisons for a refiner: stability over windows of frames, robustness, accuracy."""

import time
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from au_mocap import metrics
from au_mocap.channels import CHANNELS, FEAFA_IDS
from au_mocap.crops import Image
from au_mocap.refiners.fitting import STEPS
from au_mocap.refiners.refiner import Refiner
from training.outcome import FEAFA
from training.papers.genet.playing import Clip, Played, clips, play
from training.papers.study import table
from training.papers.system import Order

WINDOWS: Final = range(2, 11)
PERFORMERS: Final = 12
_ALTERED: Final = 4
_TIMED: Final = 16


def study(refiner: Refiner, order: Order, steps: int = STEPS) -> str:
    """Markdown of all comparisons on some performers of the test cast; what the time is up for is left out and named.

    Args:
        refiner: What is studied.
        order: Its test cast is shown.
        steps: Of each fitting.
    """
    cast = order.casts["test"]
    performing = np.flatnonzero(cast.frames.moving[:: len(cast) // cast.performers])
    still = np.setdiff1d(np.arange(cast.performers), performing)
    people = np.sort(np.concatenate([performing[: PERFORMERS // 2], still[: PERFORMERS // 2]]))
    found = clips(refiner, cast, people)
    played = play(refiner, found, steps)
    parts = [_accuracy(played, len(people)), _stability(played), _cost(refiner, found[0])]
    parts.append(_robustness(refiner, order, people[:_ALTERED], steps))
    return "\n\n".join(parts)


def _accuracy(played: Played, performers: int) -> str:
    rows: list[list[str | float]] = []
    for column, channel_id in enumerate(FEAFA_IDS):
        both = [
            (float(metrics.icc(values, played.truth)[column]), float(metrics.mae(values, played.truth)[column]))
            for values in (played.start, played.refined)
        ]
        rows.append([CHANNELS[column].label, both[0][0], both[1][0], both[0][1], both[1][1]])
        assert CHANNELS[column].id == channel_id
    means = [float(np.mean([row[place] for row in rows])) for place in range(1, 5)]  # type: ignore[arg-type]
    rows.append(["**mean**", *means])
    left = float(played.after.mean() / played.before.mean())
    header = ("channel", "ICC, start", "ICC, refined", "MAE, start", "MAE, refined")
    return (
        f"## Accuracy\n\n{len(played.truth)} frames of {performers} performers of the test cast, started from the "
        f"standard regressor with the performer's own neutral. Fitting leaves {100 * left:.0f} % of the difference "
        f"between renderings and pictures.\n\n{table(header, rows)}"
    )


def _stability(played: Played) -> str:
    rows: list[list[str | float]] = []
    for window in WINDOWS:
        rows.append([str(window), *(stability(values, played.clip, window) for values in _tables(played))])
    return (
        "## Stability\n\nMean over FEAFA's 24 channels of the standard deviation within sliding windows of consecutive "
        "frames of performances, a tenth of a second apart: the paper's measure. The truth moves as well, so what is "
        f"above its column is noise, and what is below it is movement lost.\n\n"
        f"{table(('frames', 'start', 'refined', 'truth'), rows)}"
    )


def _tables(played: Played) -> tuple[NDArray[np.float32], ...]:
    return played.start, played.refined, played.truth


def stability(values: NDArray[np.float32], clip: NDArray[np.int64], window: int) -> float:
    """Mean standard deviation over windows of some frames, within clips; NaN where none is long enough.

    Args:
        values: (M, 58).
        clip: (M,) number of each frame's performance, below 0 for frames of none.
        window: Frames in a window, 2 or more.
    """
    found: list[NDArray[np.float64]] = []
    for number in np.unique(clip[clip >= 0]):
        part = values[clip == number, FEAFA].astype(np.float64)
        if len(part) >= window:
            found.append(np.lib.stride_tricks.sliding_window_view(part, window, axis=0).std(axis=-1))
    return float(np.concatenate(found).mean()) if found else float("nan")


def _cost(refiner: Refiner, clip: Clip) -> str:
    """Time of a step, and of the same gradient by differences."""
    count = min(_TIMED, len(clip.shown))
    own = np.tile(refiner.basis.identity_of(clip.rest), (count, 1))
    parameters = np.concatenate([clip.shown.start[:count], own, clip.shown.appearance[:count]], axis=1)
    features = clip.shown.features[:count]
    gradient_ms = _ms(lambda: refiner.step(parameters, features)) / count
    render_ms = _ms(lambda: refiner.features(refiner.render(parameters))) / count
    columns = refiner.parameters - refiner.basis.appearances
    return (
        "## Cost\n\n"
        f"One gradient takes {gradient_ms:.1f} ms a frame, forwards and backwards in one graph, a rendering with its "
        f"features {render_ms:.1f} ms: differences of one rendering for each of {columns} parameters and one more "
        f"would take {render_ms * (columns + 1):.0f} ms, {render_ms * (columns + 1) / gradient_ms:.0f} times as long. "
        f"{STEPS} steps are {gradient_ms * STEPS / 1000:.2f} s a frame."
    )


def _ms(work: Callable[[], object]) -> float:
    work()
    started = time.perf_counter()
    work()
    return 1000.0 * (time.perf_counter() - started)


def _robustness(refiner: Refiner, order: Order, people: NDArray[np.integer], steps: int) -> str:
    rows: list[list[str | float]] = []
    missing: list[str] = []
    plain: Played | None = None
    for name, alter in ALTERATIONS.items():
        if plain is not None and order.deadline_s is not None and time.monotonic() > order.deadline_s:
            missing.append(name)
            continue
        played = play(refiner, clips(refiner, order.casts["test"], people, alter), steps)
        plain = plain or played
        icc = [float(metrics.icc(values, played.truth)[FEAFA].mean()) for values in (played.start, played.refined)]
        moved = [
            float(np.abs(own[:, FEAFA] - other[:, FEAFA]).mean())
            for own, other in ((played.start, plain.start), (played.refined, plain.refined))
        ]
        rows.append([name, *icc, *moved])
    header = ("pictures", "ICC, start", "ICC, refined", "change, start", "change, refined")
    late = f"\n\nLeft out, since the time was up: {', '.join(missing)}." if missing else ""
    return (
        f"## Robustness\n\nThe same for {len(people)} performers whose pictures were altered before the tracker and "
        "everything after it saw them; change is the mean absolute difference from what was said of the pictures as "
        f"they are.\n\n{table(header, rows)}{late}"
    )


def _lit(side: int) -> Callable[[Image], Image]:
    def alter(image: Image) -> Image:
        ramp = np.linspace(0.35, 1.25, image.shape[1], dtype=np.float32)[::side]
        return np.clip(image * ramp[None, :, None], 0, 255).astype(np.uint8)

    return alter


def _dark(image: Image) -> Image:
    return np.asarray(image * 0.35, np.uint8)


def _soft(sigma: float) -> Callable[[Image], Image]:
    return lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def _posterised(image: Image) -> Image:
    flat = cv2.bilateralFilter(image, 9, 60, 7)
    return np.asarray((flat // 48) * 48 + 24, np.uint8)


ALTERATIONS: Final[dict[str, Callable[[Image], Image] | None]] = {
    "as they are": None,
    "dark": _dark,
    "light from one side": _lit(1),
    "light from the other": _lit(-1),
    "blurred, 2 px": _soft(2.0),
    "blurred, 4 px": _soft(4.0),
    "posterised, like a drawing": _posterised,
}
