"""What the command line understands: its commands, options and the forms of their values."""

import argparse
import sys
from pathlib import Path
from typing import Final, NoReturn

from . import (
    DEFAULT_REGRESSOR,
    __version__,
    agree_command,
    cast,
    exchange,
    gaps,
    pipeline,
    pose,
    refine_command,
    smoothing,
    takes_command,
)
from .calibration import NeutralSettings
from .datasets import LOADERS
from .errors import AuMocapError
from .runtimes import AUTOMATIC_THREADS, MOST_THREADS

DEFAULT_SMOOTHING: Final = "light"
EVAL_SMOOTHING: Final = "off"
"""A regressor is measured as it is."""

_MOST_NEUTRAL_FRAMES: Final = 100_000


class UsageError(AuMocapError):
    """Arguments that do not fit each other."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Says what is wrong with the arguments and exits with code 2."""
        sys.stderr.write(f"Error: {message}. See {self.prog} --help.\n")
        raise SystemExit(2)


def build_parser() -> Parser:
    """The parser; parsed options carry the command's name in `command`."""
    parser = Parser(prog="python -m au_mocap", description="Facial motion capture from plain video.")
    parser.add_argument("--version", action="version", version=f"AU Mocap {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_extract(commands.add_parser("extract", help="analyse videos and write takes or tables"))
    refine = commands.add_parser("refine", help="correct a take by renderings of the face")
    refine_command.add_arguments(refine)
    _add_models(refine)
    _add_report(commands.add_parser("report", help="show the curves of a take with pictures of its video"))
    _add_convert(commands.add_parser("convert", help="read and write the files of other programs"))
    _add_models(commands.add_parser("models", help="list trackers, regressors and devices"))
    _add_eval(commands.add_parser("eval", help="measure regressors on labelled recordings"))
    agree_command.add_arguments(commands.add_parser("agree", help="compare the coders who labelled a clip"))
    takes_command.add_options(commands.add_parser("takes", help="list, search, tag and relink a folder of takes"))
    return parser


def _add_extract(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "inputs", nargs="+", type=Path, metavar="VIDEO", help="video, image sequence, or a take to make a table of"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="NAME.take.npz, NAME.csv, or a folder for both (default: the take, beside the video)",
    )
    parser.add_argument(
        "--actors",
        type=_actors,
        metavar="all|N",
        help="follow everybody in the shot, or N people at most, in one pass: NAME.actor1.take.npz and so on, the "
        "larger faces first and those of like size from left to right (default: one take, of the largest face)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace results that exist")
    parser.add_argument(
        "--skip-done", action="store_true", help="leave out videos whose take is there, whole and by the same regressor"
    )
    _add_analysis(parser)
    _add_settings(parser)
    _add_showing(parser)


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=Path, metavar="TAKE_OR_VIDEO")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="NAME.html, a page that opens offline, or NAME.png, which needs matplotlib (default: the page, beside the "
        "input)",
    )
    parser.add_argument(
        "--against", type=Path, metavar="TAKE", help="draw another take of the same clip over it, and compare the two"
    )
    parser.add_argument("--video", type=Path, help="the take's video, where it has moved")
    parser.add_argument("--overwrite", action="store_true", help="replace a report that exists")
    _add_analysis(parser)
    _add_settings(parser)
    _add_showing(parser)


def _add_convert(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=Path, metavar="IN", help="a recording of another program, or a take")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="a take (NAME.take.npz), NAME.csv, NAME.json, or a file in the format of --to (default: beside the input; "
        "a take of a recording, a table of a take)",
    )
    parser.add_argument("--from", dest="source_format", choices=exchange.NAMES, help="default: by what the file holds")
    parser.add_argument("--to", dest="target_format", choices=exchange.NAMES, help="default: by the output's ending")
    parser.add_argument(
        "--rate", type=_rate, metavar="HZ", help="frames a second, where a file has no times or needs a timecode"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a file that exists")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="default: %(default)s")
    _add_models(parser)
    _add_settings(parser, f"{DEFAULT_SMOOTHING} for a take that was analysed, off for a recording")
    _add_showing(parser)


def _add_eval(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "inputs",
        nargs="+",
        type=Path,
        metavar="INPUT",
        help="the folder of a --dataset; or a take, table (CSV) or video and the table of its labels",
    )
    parser.add_argument(
        "--dataset", choices=tuple(LOADERS), help="form of the folder; csv: videos with tables of labels beside them"
    )
    parser.add_argument(
        "--regressor",
        action="append",
        metavar="NAME",
        help=f"may be given several times to compare (default: {DEFAULT_REGRESSOR})",
    )
    parser.add_argument("--coder", metavar="NAME", help="with --dataset annotated: whose labels (default: agreed)")
    parser.add_argument("--folds", type=_folds, metavar="K", help="also score K groups that share no subject")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--overwrite", action="store_true", help="replace a file of figures that exists")
    parser.add_argument("--takes", type=Path, metavar="FOLDER", help="keep takes there and use those that fit")
    _add_tools(parser)
    _add_settings(parser, EVAL_SMOOTHING)


def _add_models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--models", action="append", type=Path, default=[], metavar="DIR", help="a further model folder"
    )
    parser.add_argument(
        "--runtime",
        type=Path,
        metavar="FOLDER",
        help="run networks on the onnxruntime in this folder, where `pip install --target FOLDER onnxruntime-gpu` has "
        "put one (default: the one installed here)",
    )


def _add_analysis(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--regressor", metavar="NAME", help=f"default: {DEFAULT_REGRESSOR}")
    parser.add_argument("--frames", type=_frame_range, metavar="A:B", help="analyse frames A to B-1 only")
    _add_tools(parser)


def _add_tools(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tracker",
        choices=("onnx", "mediapipe"),
        help="default: onnx; mediapipe needs that package, and its face_landmarker.task named in the environment "
        "variable AU_MOCAP_FACE_LANDMARKER",
    )
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="default: %(default)s")
    parser.add_argument(
        "--threads",
        type=_threads,
        default=AUTOMATIC_THREADS,
        metavar="N",
        help="processor threads for each network (default: 0, automatic)",
    )
    parser.add_argument(
        "--fov", type=_fov, metavar="DEG", help=f"vertical field of view in degrees (default: {pose.DEFAULT_FOV_DEG:g})"
    )
    _add_models(parser)


def _add_settings(parser: argparse.ArgumentParser, default_smoothing: str = DEFAULT_SMOOTHING) -> None:
    parser.add_argument(
        "--neutral",
        type=_neutral,
        metavar="auto|none|mean|FRAMES",
        help="the actor's neutral: found automatically (default), none, the mean face, or frames such as 0,5,10-20",
    )
    parser.add_argument("--smooth", choices=tuple(smoothing.SIGMA_S), help=f"default: {default_smoothing}")


def _add_showing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--gaps",
        choices=gaps.MODES,
        help="curves while no face is seen: left empty (default), hold what was last seen, or fade to rest within "
        f"{gaps.EASE_S:g} s and back while the head holds",
    )
    parser.add_argument(
        "--profile",
        type=Path,
        metavar="JSON",
        help="an actor's profile, as saved in Blender: neutral (unless --neutral is given), ranges and intensity",
    )
    parser.add_argument(
        "--mirror", action="store_true", help="swap the actor's left and right, for video that was recorded mirrored"
    )


def _fov(text: str) -> float:
    try:
        fov_deg = float(text)
    except ValueError:
        fov_deg = float("nan")
    if not pose.MIN_FOV_DEG <= fov_deg <= pose.MAX_FOV_DEG:
        message = f"'{text}' is no field of view: give {pose.MIN_FOV_DEG:g} to {pose.MAX_FOV_DEG:g} degrees"
        raise argparse.ArgumentTypeError(message)
    return fov_deg


def _rate(text: str) -> float:
    try:
        rate_hz = float(text)
        exchange.check_rate(rate_hz)
    except (ValueError, AuMocapError):
        message = f"'{text}' is no frame rate: write frames a second, such as 60 or 29.97"
        raise argparse.ArgumentTypeError(message) from None
    return rate_hz


def _actors(text: str) -> int:
    if text == "all":
        return cast.MOST_ACTORS
    if not text.isdecimal() or not 1 <= int(text) <= cast.MOST_ACTORS:
        message = f"'{text}' is no number of actors: write all, or 1 to {cast.MOST_ACTORS}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _threads(text: str) -> int:
    if not text.isdecimal() or int(text) > MOST_THREADS:
        message = f"'{text}' is no number of threads: write 1 to {MOST_THREADS}, or 0 for automatic"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _frame_range(text: str) -> pipeline.Range:
    start, colon, stop = text.partition(":")
    try:
        frames = pipeline.Range(int(start or 0), int(stop) if stop else None)
    except ValueError:
        frames = pipeline.Range(-1)
    if not colon or frames.start < 0 or (frames.stop is not None and frames.stop <= frames.start):
        message = f"'{text}' is no frame range: write 10:50, 10: or :50"
        raise argparse.ArgumentTypeError(message)
    return frames


def _folds(text: str) -> int:
    if not text.isdecimal() or int(text) < 2:
        message = f"'{text}' is no number of folds: write 2 or more"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _neutral(text: str) -> NeutralSettings:
    if text == "auto" or text == "none" or text == "mean":
        return NeutralSettings(mode=text)
    frames: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not first.strip().isdecimal() or (dash and not last.strip().isdecimal()):
            message = f"'{text}' is no neutral: write auto, none, mean, or frames such as 0,5,10-20"
            raise argparse.ArgumentTypeError(message)
        span = range(int(first), int(last if dash else first) + 1)
        if not 0 < len(span) <= _MOST_NEUTRAL_FRAMES:
            message = f"'{part}' holds no frames, or too many: write the lower number first, such as 10-20"
            raise argparse.ArgumentTypeError(message)
        frames += span
    return NeutralSettings(mode="frames", frames=tuple(frames))
