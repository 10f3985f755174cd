"""Refining a take's file: from the take on disk to the refined one beside it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from . import DEFAULT_REGRESSOR, refining
from . import take as takes
from .errors import TakeError
from .library import clips
from .pipeline import Progress
from .refiners.fitting import STEPS
from .refiners.refiner import open_refiner
from .registry import Registry
from .regressors import open_regressor
from .runtimes import AUTOMATIC_THREADS

ENDING: Final = f".refined{takes.SUFFIX}"


@dataclass(frozen=True, slots=True)
class Job:
    """What to refine.

    Attributes:
        source: The take.
        output: The refined take; an earlier one is replaced.
        video: The video, where it has moved; None to look for it where the take's notes and the take itself say.
        refiner: Name in the registry; None for the first.
        steps: Of each frame.
        device: `auto`, `cpu` or `cuda`.
        threads: Threads for each network; 0 for automatic.
    """

    source: Path
    output: Path
    video: Path | None = None
    refiner: str | None = None
    steps: int = STEPS
    device: str = "auto"
    threads: int = AUTOMATIC_THREADS


def output_of(source: Path) -> Path:
    """Where the refined take of a take goes: beside it, `NAME.refined.take.npz`."""
    return source.with_name(source.name.removesuffix(takes.SUFFIX) + ENDING)


def check_apart(source: Path, output: Path) -> None:
    """Raises TakeError where a refined take would take the place of the one that it is made from."""
    if output.absolute() == source.absolute():
        message = "The refined take cannot take the place of the one that it is made from: choose another name."
        raise TakeError(message)


def refine_file(
    job: Job, registry: Registry, on_progress: Callable[[Progress], bool] | None = None
) -> refining.Refined:
    """Refines a take and writes what came of it; the take itself is left alone.

    Args:
        job: What to refine.
        registry: Where refiner and regressor are looked up.
        on_progress: As in `refining.refine`; where it stops the pass, what is done is written.

    Raises:
        TakeError: The take cannot be read or refined, or would be replaced.
        VideoError: Its video cannot be read.
        ModelError: A model is missing or cannot be used.
        OutputError: The result cannot be written.
    """
    check_apart(job.source, job.output)
    take = takes.load(job.source)
    refining.check(take)
    refiner = open_refiner(registry, job.refiner, job.device, job.threads)
    name = str(take.meta.get("regressor", {}).get("name", DEFAULT_REGRESSOR))
    start = refining.start_of(take, open_regressor(registry, name, job.device, job.threads))
    known = clips.of_take(job.source, take.meta)
    video = job.video or (Path(known) if known else None)
    refined = refining.refine(take, start, refiner, refining.Options(video, job.steps), on_progress)
    takes.save(refined.take, job.output)
    return refined


def told(refined: refining.Refined) -> str:
    """What came of it, in a sentence for people."""
    if not refined.frames:
        return "Stopped before any frame was fitted."
    left = 100.0 * refined.after / refined.before if refined.before > 0.0 else 100.0
    return f"{refined.frames} of {len(refined.take)} frames fitted, {left:.0f} % of the difference to the video left."
