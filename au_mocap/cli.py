"""The command line: `python -m au_mocap extract | report | models`. Needs no Blender.

Exit code 0 done, 1 failed, 2 bad usage. Results go to files, progress and messages to stderr, listings to stdout.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import onnxruntime

from . import __version__, exchange, files, pipeline, pose, report, smoothing
from . import take as takes
from .calibration import Curves, NeutralSettings, Settings, curves
from .errors import AuMocapError, ModelError, OutputError, SettingsError, TakeError
from .registry import BUNDLED, Registry
from .regressors import Regressor, open_regressor
from .sessions import ProviderWarning
from .take import Take
from .tracking import open_tracker

DEFAULT_REGRESSOR: Final = "geometry"
_PROGRESS_EVERY_S: Final = 0.25
_LOG_EVERY_S: Final = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    options = _parser().parse_args(arguments)
    warnings.showwarning = _show_warning
    warnings.simplefilter("always", ProviderWarning)
    try:
        return int(options.run(options))
    except AuMocapError as error:
        _say(f"Error: {error}")
    except KeyboardInterrupt:
        _say("Interrupted: nothing more was written.")
    except BrokenPipeError:
        sys.stderr.close()
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="au_mocap", description="Facial motion capture from plain video.")
    parser.add_argument("--version", action="version", version=f"AU Mocap {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    extract = commands.add_parser("extract", help="analyse videos and write takes or tables")
    extract.add_argument(
        "inputs", nargs="+", type=Path, metavar="VIDEO", help="video, image sequence, or a take to re-export"
    )
    extract.add_argument(
        "-o", "--output", type=Path, metavar="OUT", help="NAME.take.npz, NAME.csv, or a folder for both"
    )
    extract.add_argument("--overwrite", action="store_true", help="replace results that exist")
    _add_analysis(extract)
    _add_settings(extract)
    extract.set_defaults(run=_extract)

    sheet = commands.add_parser("report", help="draw the curves of a take with pictures of its video")
    sheet.add_argument("input", type=Path, metavar="TAKE_OR_VIDEO")
    sheet.add_argument("-o", "--output", type=Path, metavar="PNG", help="picture to write (default: beside the input)")
    sheet.add_argument("--video", type=Path, help="the take's video, where it has moved")
    sheet.add_argument("--overwrite", action="store_true", help="replace a picture that exists")
    _add_analysis(sheet)
    _add_settings(sheet)
    sheet.set_defaults(run=_report)

    models = commands.add_parser("models", help="list trackers, regressors and devices")
    models.add_argument(
        "--models", action="append", type=Path, default=[], metavar="DIR", help="a further model folder"
    )
    models.set_defaults(run=_models)
    return parser


def _add_analysis(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--regressor", default=None, metavar="NAME", help=f"default: {DEFAULT_REGRESSOR}")
    parser.add_argument("--tracker", default="onnx", choices=("onnx", "mediapipe"))
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument(
        "--fov",
        type=float,
        default=pose.DEFAULT_FOV_DEG,
        metavar="DEG",
        help="vertical field of view (default: %(default)g)",
    )
    parser.add_argument(
        "--frames", type=_frame_range, default=pipeline.Range(), metavar="A:B", help="analyse frames A to B-1"
    )
    parser.add_argument(
        "--models", action="append", type=Path, default=[], metavar="DIR", help="a further model folder"
    )


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--neutral",
        type=_neutral,
        default=NeutralSettings(),
        metavar="auto|none|mean|FRAMES",
        help="the actor's neutral: found automatically, none, the mean face, or frames such as 0,5,10-20",
    )
    parser.add_argument("--smooth", default="light", choices=tuple(smoothing.SIGMA_S), help="default: %(default)s")


def _frame_range(text: str) -> pipeline.Range:
    start, colon, stop = text.partition(":")
    try:
        frames = pipeline.Range(int(start or 0), int(stop) if stop else None)
    except ValueError:
        msg = f"'{text}' is no frame range: write 10:50, 10: or :50"
        raise argparse.ArgumentTypeError(msg) from None
    if not colon or frames.start < 0 or (frames.stop is not None and frames.stop <= frames.start):
        msg = f"'{text}' is no frame range: write 10:50, 10: or :50"
        raise argparse.ArgumentTypeError(msg)
    return frames


def _neutral(text: str) -> NeutralSettings:
    if text in ("auto", "none", "mean"):
        return NeutralSettings(mode=text)  # type: ignore[arg-type]
    frames: list[int] = []
    try:
        for part in text.split(","):
            first, dash, last = part.partition("-")
            frames += range(int(first), int(last) + 1) if dash else [int(first)]
    except ValueError:
        msg = f"'{text}': write auto, none, mean, or frames such as 0,5,10-20"
        raise argparse.ArgumentTypeError(msg) from None
    return NeutralSettings(mode="frames", frames=tuple(frames))


@dataclass(frozen=True, slots=True)
class _Outputs:
    """Where one input's results go; None for what is not wanted."""

    take: Path | None
    table: Path | None


def _outputs(source: Path, output: Path | None, several: bool) -> _Outputs:
    stem = _stem(source)
    if output is None:
        return _Outputs(Path(f"{stem}{takes.SUFFIX}"), None)
    if output.name.endswith(takes.SUFFIX) and not several:
        return _Outputs(output, None)
    if output.suffix.lower() == ".csv" and not several:
        return _Outputs(None, output)
    if output.suffix in ("", ".") or output.is_dir():
        return _Outputs(output / f"{stem}{takes.SUFFIX}", output / f"{stem}.csv")
    if several:
        msg = f"{output} is one file for several videos: name a folder."
        raise OutputError(msg)
    msg = f"{output} is neither NAME{takes.SUFFIX}, NAME.csv nor a folder."
    raise OutputError(msg)


def _stem(source: Path) -> str:
    if source.name.endswith(takes.SUFFIX):
        return source.name.removesuffix(takes.SUFFIX)
    return source.stem if source.suffix else source.name


def _extract(options: argparse.Namespace) -> int:
    jobs: list[tuple[Path, _Outputs]] = []
    for source in options.inputs:
        outputs = _outputs(source, options.output, len(options.inputs) > 1)
        for path in (outputs.take, outputs.table):
            if path is not None:
                files.check_writable(path, overwrite=options.overwrite)
        jobs.append((source, outputs))
    written = [path for _, outputs in jobs for path in (outputs.take, outputs.table) if path is not None]
    if len(set(written)) < len(written):
        msg = "Two inputs share a name, so one result would replace the other: extract them one by one."
        raise OutputError(msg)
    failures = 0
    for source, outputs in jobs:
        try:
            _extract_one(source, outputs, options)
        except AuMocapError as error:
            if len(jobs) == 1:
                raise
            _say(f"Error: {source.name}: {error}")
            failures += 1
    return 1 if failures else 0


def _extract_one(source: Path, outputs: _Outputs, options: argparse.Namespace) -> None:
    take, regressor = _take_of(source, options)
    if outputs.table is not None:
        result = _curves(take, regressor, options)
        exchange.write_csv(take, result, outputs.table)
    if outputs.take is not None:
        takes.save(take, outputs.take)
    for path in (outputs.take, outputs.table):
        if path is not None:
            _say(f"Wrote {path}")


def _take_of(source: Path, options: argparse.Namespace) -> tuple[Take, Regressor]:
    """Loads a take, or makes one from a video."""
    registry = Registry((BUNDLED, *options.models))
    if source.name.endswith(takes.SUFFIX):
        take = takes.load(source)
        name = str(take.meta.get("regressor", {}).get("name", DEFAULT_REGRESSOR))
        if options.regressor not in (None, name):
            msg = f"{source.name} was made with '{name}': analyse the video to use '{options.regressor}'."
            raise SettingsError(msg)
        return take, open_regressor(registry, name, options.device)
    regressor = open_regressor(registry, options.regressor or DEFAULT_REGRESSOR, options.device)
    tracker = open_tracker(options.tracker, registry, options.device)
    meter = _Meter(source.name)
    extraction = pipeline.Extraction(options.frames, options.fov)
    take, messages = pipeline.extract(source, tracker, regressor, extraction, meter)
    meter.finish()
    for message in messages:
        _say(f"Warning: {message}")
    if not take.found.any():
        msg = f"No face was found in {source.name}: nothing was written."
        raise TakeError(msg)
    return take, regressor


def _curves(take: Take, regressor: Regressor, options: argparse.Namespace) -> Curves:
    result = curves(take, Settings(neutral=options.neutral, smoothing=options.smooth), regressor)
    if options.neutral.mode == "auto":
        _say(f"Neutral found with confidence {result.neutral.confidence:.2f}")
    return result


def _report(options: argparse.Namespace) -> int:
    output = options.output or options.input.with_name(f"{_stem(options.input)}.report.png")
    files.check_writable(output, overwrite=options.overwrite)
    report.require_matplotlib()
    take, regressor = _take_of(options.input, options)
    video = options.video or (None if options.input.name.endswith(takes.SUFFIX) else options.input)
    report.write(take, _curves(take, regressor, options), output, video)
    _say(f"Wrote {output}")
    return 0


def _models(options: argparse.Namespace) -> int:
    registry = Registry((BUNDLED, *options.models))
    lines = ["Regressors"]
    for entry in registry.regressors:
        wanted = [entry.head] if entry.image is None else [entry.image, entry.head]
        lines.append(f"  {entry.name} {entry.version}  {entry.label}. {entry.licence}. {_state(registry, wanted)}")
    lines.append("Trackers")
    for entry in registry.trackers:
        lines.append(
            f"  {entry.name} {entry.version}  {entry.label}. {entry.licence}. {_state(registry, list(entry.files.values()))}"
        )
    lines += [f"  broken: {problem}" for problem in registry.problems.values()]
    lines.append("Execution providers: " + ", ".join(onnxruntime.get_available_providers()))
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _state(registry: Registry, wanted: list) -> str:  # type: ignore[type-arg]
    try:
        for model_file in wanted:
            registry.path(model_file)
    except ModelError as error:
        return str(error)
    return "Ready."


class _Meter:
    """Shows progress on stderr: one line that is redrawn in a terminal, a line now and then elsewhere."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._redraw = sys.stderr.isatty()
        self._shown_s = time.perf_counter()
        self._last: pipeline.Progress | None = None

    def __call__(self, progress: pipeline.Progress) -> bool:
        self._last = progress
        now_s = time.perf_counter()
        if now_s - self._shown_s >= (_PROGRESS_EVERY_S if self._redraw else _LOG_EVERY_S):
            self._shown_s = now_s
            self._show(progress, "\r" if self._redraw else "\n")
        return True

    def finish(self) -> None:
        if self._last is not None:
            self._show(self._last, "\n")

    def _show(self, progress: pipeline.Progress, end: str) -> None:
        total = f"/{progress.total}" if progress.total else ""
        text = (
            f"{self._name}: {progress.done}{total} frames, {progress.faces} faces, {progress.frames_per_s:.0f} frames/s"
        )
        sys.stderr.write(text + end)
        sys.stderr.flush()


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")


def _show_warning(message: Warning | str, *_details: object) -> None:
    _say(f"Warning: {message}")
