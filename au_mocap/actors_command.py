"""`extract --actors`: several takes of one video."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final

from . import DEFAULT_REGRESSOR, actors, exchange, files, pipeline, pose
from . import take as takes
from .arguments import UsageError
from .calibration import Curves
from .errors import OutputError
from .imported import Maker
from .meter import Meter
from .registry import BUNDLED, Registry
from .regressors import open_regressor
from .take import Take
from .tracking import open_tracker

_ENDINGS: Final = (takes.SUFFIX, ".csv")

CurvesOf = Callable[[Take, Maker], Curves]
"""A take's curves with the settings that were asked for."""


def check(sources: list[Path], options: argparse.Namespace) -> None:
    """Makes sure, before any work is done, that results have a place.

    Raises:
        UsageError: An input is a take, two share a name, the output is one file, or `--skip-done` was asked for, too.
        OutputError: A place cannot be written to.
    """
    output: Path | None = options.output
    if options.skip_done:
        message = "How many takes --actors makes is known only afterwards: leave out --skip-done."
        raise UsageError(message)
    stored = [source for source in sources if source.name.endswith(takes.SUFFIX)]
    if stored:
        message = f"{stored[0].name} is a take of one actor: --actors needs the video."
        raise UsageError(message)
    if output is not None and output.suffix and not files.is_folder(output):
        message = f"{output} is one file for several actors: name a folder."
        raise UsageError(message)
    written = [path for source in sources for path in _paths(source, output, 1)]
    if len(set(written)) < len(written):
        message = "Two inputs share a name, so one result would replace the other: extract them one by one."
        raise UsageError(message)
    for path in written:
        files.check_writable(path, overwrite=options.overwrite)


def extract(source: Path, options: argparse.Namespace, curves_of: CurvesOf, say: Callable[[str], None]) -> str:
    """Analyses everybody in a video and writes their takes, and their tables where a folder was named.

    Returns:
        The names of what was written.

    Raises:
        OutputError: A result exists already, or cannot be written.
        AuMocapError: The video cannot be read, or nobody was seen in it.
    """
    registry = Registry((BUNDLED, *options.models))
    regressor = open_regressor(registry, options.regressor or DEFAULT_REGRESSOR, options.device, options.threads)
    tracker = open_tracker(options.tracker or "onnx", registry, options.device, options.threads)
    how = pipeline.Extraction(options.frames or pipeline.Range(), options.fov or pose.DEFAULT_FOV_DEG, options.actors)
    meter = Meter(source.name)
    try:
        made, messages = actors.analyse_all(source, tracker, regressor, how, meter)
    finally:
        meter.finish()
    for message in messages:
        say(f"Warning: {message}")
    outputs = [_paths(source, options.output, number) for number in range(1, len(made) + 1)]
    try:
        for path in (path for paths in outputs for path in paths):
            files.check_writable(path, overwrite=options.overwrite)
    except OutputError:
        # What took long must not be lost.
        outputs = [list(map(files.free_path, paths, _ENDINGS)) for paths in outputs]
    for take, paths in zip(made, outputs, strict=True):
        takes.save(take, paths[0])
        say(f"Wrote {paths[0]}: face in {int(take.found.sum())} of {len(take)} frames")
        if len(paths) > 1:
            exchange.write_csv(take, curves_of(take, regressor), paths[1])
            say(f"Wrote {paths[1]}")
    return ", ".join(str(path) for paths in outputs for path in paths)


def _paths(source: Path, output: Path | None, number: int) -> list[Path]:
    """Where one actor's take goes, and the table where there is one."""
    stem = source.name if files.is_folder(source) else source.stem
    if output is None:
        return [source.parent / f"{stem}.actor{number}{takes.SUFFIX}"]
    return [output / f"{stem}.actor{number}{ending}" for ending in _ENDINGS]
