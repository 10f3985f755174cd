"""The command line, `python -m au_mocap COMMAND` (see `arguments`). Needs no Blender.

Exit code 0 done, 1 failed, 2 bad usage. Results go to files, progress and messages to stderr, listings to stdout.
"""

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from . import (
    DEFAULT_REGRESSOR,
    actors_command,
    agree_command,
    batch,
    convert_command,
    eval_command,
    exchange,
    files,
    html_report,
    pipeline,
    pose,
    profile,
    refine_command,
    report,
    sessions,
    takes_command,
)
from . import take as takes
from .arguments import DEFAULT_SMOOTHING, UsageError, build_parser
from .calibration import Curves, NeutralSettings, Settings
from .calibration import curves as curves_of
from .errors import AuMocapError, TakeError
from .imported import ImportedValues, Maker
from .library import clips
from .meter import Meter
from .registry import BUNDLED, Registry
from .regressors import open_regressor
from .take import Take
from .tracking import open_tracker
from .video import open_video

_FEW_FACES: Final = 0.25
"""Share of frames with a face below which the user is warned."""

_LOW_CONFIDENCE: Final = 0.3


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    options = build_parser().parse_args(arguments)
    commands = {
        "extract": _extract,
        "report": _report,
        "convert": convert_command.run,
        "models": _models,
        "refine": refine_command.run,
        "eval": eval_command.run,
        "agree": agree_command.run,
        "takes": takes_command.run,
    }
    runtime: Path | None = getattr(options, "runtime", None)  # not every command runs networks
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        warnings.simplefilter("always", sessions.ProviderWarning)
        try:
            if runtime is not None:
                sessions.use_runtime(runtime)
            code = commands[options.command](options)
            sys.stdout.flush()
        except UsageError as error:
            _say(f"Error: {error}")
            return 2
        except AuMocapError as error:
            _say(f"Error: {error}")
        except KeyboardInterrupt:
            _say("Interrupted: nothing more was written.")
        except BrokenPipeError:  # the reader of a listing has gone; leave nothing for Python to flush at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        else:
            return code
        finally:
            if runtime is not None:
                sessions.use_runtime(None)
    return 1


@dataclass(frozen=True, slots=True)
class _Outputs:
    """Where one input's results go; None for what is not wanted."""

    take: Path | None
    table: Path | None

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(path for path in (self.take, self.table) if path is not None)


def _is_take(path: Path) -> bool:
    return path.name.endswith(takes.SUFFIX)


def _outputs(source: Path, output: Path | None, *, several: bool) -> _Outputs:
    """Decides where an input's results go; raises UsageError where `output` does not say."""
    if output is None and not _is_take(source):
        return _Outputs(_beside(source, takes.SUFFIX), None)
    if output is None:
        message = f"{source} is a take already: name the table to write (-o NAME.csv)."
        raise UsageError(message)
    if not output.suffix or files.is_folder(output):
        stem = _stem(source)
        return _Outputs(None if _is_take(source) else output / f"{stem}{takes.SUFFIX}", output / f"{stem}.csv")
    if several:
        message = f"{output} is one file for several videos: name a folder."
        raise UsageError(message)
    if output.suffix.lower() == ".csv":
        return _Outputs(None, output)
    if _is_take(output) and not _is_take(source):
        return _Outputs(output, None)
    wanted = "NAME.csv or a folder" if _is_take(source) else f"NAME{takes.SUFFIX}, NAME.csv or a folder"
    message = f"Cannot write {output}: name {wanted}."
    raise UsageError(message)


def _beside(source: Path, ending: str) -> Path:
    return source.parent / f"{_stem(source)}{ending}"


def _stem(source: Path) -> str:
    name = source.name if source.name not in ("", "..") else source.resolve().name
    if name.endswith(takes.SUFFIX):
        return name.removesuffix(takes.SUFFIX)
    return name if files.is_folder(source) else Path(name).stem  # a folder of images: shot.010 is a whole name


def _extract(options: argparse.Namespace) -> int:
    sources: list[Path] = options.inputs
    if options.actors is not None:
        return _extract_actors(sources, options)
    jobs = [(source, _outputs(source, options.output, several=len(sources) > 1)) for source in sources]
    written = [path for _, outputs in jobs for path in outputs.paths]
    if len(set(written)) < len(written):
        message = "Two inputs share a name, so one result would replace the other: extract them one by one."
        raise UsageError(message)
    if options.skip_done:
        jobs = [job for job in jobs if not _skip(*job, options.regressor or DEFAULT_REGRESSOR)]
    for path in (path for _, outputs in jobs for path in outputs.paths):
        files.check_writable(path, overwrite=options.overwrite)
    _actor(options)  # a wrong one is told before any work is done
    outputs_of = dict(jobs)
    return _each(list(outputs_of), lambda source: _extract_one(source, outputs_of[source], options))


def _extract_actors(sources: list[Path], options: argparse.Namespace) -> int:
    actors_command.check(sources, options)
    _actor(options)
    if options.output is None:
        _note_unused(options)

    def curves(take: Take, regressor: Maker) -> Curves:
        return _curves(take, regressor, _settings(options))

    return _each(sources, lambda source: actors_command.extract(source, options, curves, _say))


def _each(sources: list[Path], work: Callable[[Path], str]) -> int:
    """Does the same with every input, telling which ones failed; returns the exit code."""
    if len(sources) == 1:
        work(sources[0])
        return 0
    failures = 0
    for result in batch.each(sources, lambda source: source.name, work):
        if result.state == "failed":
            _say(f"Error: {result.name}: {result.detail}")
            failures += 1
    if failures:
        _say(f"{failures} of {len(sources)} inputs failed.")
    return 1 if failures else 0


def _skip(source: Path, outputs: _Outputs, regressor: str) -> bool:
    """Whether an input's take is there already, and so its table, where one is wanted; says so."""
    is_there = outputs.take is not None and batch.is_done(outputs.take, source, regressor)
    is_done = is_there and (outputs.table is None or files.is_file(outputs.table))
    if is_done:
        _say(f"Skipped {source.name}: {outputs.take} is there.")
    return is_done


def _extract_one(source: Path, outputs: _Outputs, options: argparse.Namespace) -> str:
    """Makes one input's results; returns their names."""
    take, regressor = _take_of(source, options)
    curves = _curves(take, regressor, _settings(options)) if outputs.table is not None else None
    if curves is None:
        _note_unused(options)
    if outputs.take is not None:  # first: what took long must not be lost to a table that a spreadsheet holds open
        takes.save(take, outputs.take)
        _say(f"Wrote {outputs.take}")
    if curves is not None and outputs.table is not None:
        exchange.write_csv(take, curves, outputs.table)
        _say(f"Wrote {outputs.table}")
    return ", ".join(map(str, outputs.paths))


def _note_unused(options: argparse.Namespace) -> None:
    """Tells of settings that were given although only a take is written."""
    given = [f"--{name}" for name in ("neutral", "smooth", "gaps", "profile") if getattr(options, name) is not None]
    given += ["--mirror"] if options.mirror else []
    if given:
        _say(f"Note: a take keeps what was measured; settings ({', '.join(given)}) act on tables and reports.")


def _take_of(source: Path, options: argparse.Namespace) -> tuple[Take, Maker]:
    """Loads a take, or makes one from a video."""
    registry = Registry((BUNDLED, *options.models))
    if _is_take(source):
        return _stored(source, registry, options)
    regressor = open_regressor(registry, options.regressor or DEFAULT_REGRESSOR, options.device, options.threads)
    tracker = open_tracker(options.tracker or "onnx", registry, options.device, options.threads)
    extraction = pipeline.Extraction(options.frames or pipeline.Range(), options.fov or pose.DEFAULT_FOV_DEG)
    meter = Meter(source.name)
    try:
        take, messages = pipeline.extract(source, tracker, regressor, extraction, meter)
    finally:
        meter.finish()
    for message in messages:
        _say(f"Warning: {message}")
    _check_faces(take, source.name)
    return take, regressor


def _stored(source: Path, registry: Registry, options: argparse.Namespace) -> tuple[Take, Maker]:
    given = [f"--{name}" for name in ("frames", "fov", "tracker") if getattr(options, name) is not None]
    if given:
        message = f"{source.name} has been analysed already: {', '.join(given)} needs the video."
        raise UsageError(message)
    take = takes.load(source)
    name = str(take.meta.get("regressor", {}).get("name", DEFAULT_REGRESSOR))
    if options.regressor not in (None, name):
        message = f"{source.name} was made with '{name}': analyse the video to use '{options.regressor}'."
        raise UsageError(message)
    if take.is_imported:
        return take, ImportedValues()
    return take, open_regressor(registry, name, options.device, options.threads)


def _check_faces(take: Take, name: str) -> None:
    """Warns of a take with few faces.

    Raises:
        TakeError: It has none.
    """
    found = int(take.found.sum())
    if not found:
        message = f"No face was found in {name}: nothing was written. The face must be seen, upright, from the front."
        raise TakeError(message)
    if found < _FEW_FACES * len(take):
        _say(
            f"Warning: a face was found in only {found} of {len(take)} frames of {name}; the others stay empty. "
            "Check that it is the actor's."
        )


def _settings(options: argparse.Namespace) -> Settings:
    neutral = options.neutral or NeutralSettings()
    settings = Settings(
        neutral=neutral,
        smoothing=options.smooth or DEFAULT_SMOOTHING,
        gaps=options.gaps or "leave",
        mirror=options.mirror,
    )
    actor = _actor(options)
    if actor is not None:
        settings = replace(actor.applied(settings), **({"neutral": neutral} if options.neutral else {}))
    return settings


def _curves(take: Take, regressor: Maker, settings: Settings) -> Curves:
    result = curves_of(take, settings, regressor)
    if settings.neutral.mode == "auto":
        confidence = result.neutral.confidence
        hint = "; name neutral frames with --neutral if the face looks wrong" if confidence < _LOW_CONFIDENCE else ""
        _say(f"Neutral found with confidence {confidence:.2f}{hint}")
    return result


def _actor(options: argparse.Namespace) -> profile.Profile | None:
    """The actor's profile, if one was named; raises ProfileError."""
    return profile.load(options.profile) if options.profile is not None else None


def _report(options: argparse.Namespace) -> int:
    source: Path = options.input
    output: Path = options.output or _beside(source, f".report{html_report.SUFFIX}")
    is_picture = output.suffix.lower() == ".png"
    _check_report(output, options, is_picture=is_picture)
    shown = _performance(source, options)
    video = options.video or (_video_of(source, shown.take) if _is_take(source) else source)
    if is_picture:
        report.write(shown.take, shown.curves, output, video)
    else:
        # What chooses how to analyse is meant for the first: the second was analysed before.
        stored = argparse.Namespace(**{**vars(options), **dict.fromkeys(("regressor", "frames", "fov", "tracker"))})
        against = None if options.against is None else _performance(options.against, stored)
        for note in html_report.write(shown, output, video, against):
            _say(f"Warning: {note}")
    _say(f"Wrote {output}")
    return 0


def _video_of(source: Path, shown: Take) -> Path | None:
    """Where the video of a take that was read from a file is now, as far as anything says."""
    found = clips.of_take(source, shown.meta)
    return Path(found) if found else None


def _check_report(output: Path, options: argparse.Namespace, *, is_picture: bool) -> None:
    """Looks at everything that can be wrong before any work is done; raises UsageError or another AuMocapError."""
    if not is_picture and output.suffix.lower() not in (html_report.SUFFIX, ".htm"):
        message = f"A report is a page or a picture: name NAME.html or NAME.png, not {output}."
        raise UsageError(message)
    if options.against is not None and (is_picture or not _is_take(options.against)):
        message = f"--against compares with a second take (NAME{takes.SUFFIX}) in a page: name NAME.html as the output."
        raise UsageError(message)
    files.check_writable(output, overwrite=options.overwrite)
    if is_picture:
        report.require_matplotlib()
    _actor(options)
    if options.video is not None:
        open_video(options.video).close()


def _performance(source: Path, options: argparse.Namespace) -> html_report.Performance:
    take, regressor = _take_of(source, options)
    settings = _settings(options)
    return html_report.Performance(_stem(source), take, _curves(take, regressor, settings), settings)


def _models(options: argparse.Namespace) -> int:
    registry = Registry((BUNDLED, *options.models))
    lines = ["Regressors"]
    for entry in registry.regressors:
        state = _state(lambda name=entry.name: open_regressor(registry, name, "cpu"))
        lines.append(f"  {entry.name} {entry.version}  {entry.label}. {entry.licence}. {state}")
    lines.append("Trackers")
    for entry in registry.trackers:
        state = _state(lambda name=entry.name: open_tracker(name, registry, "cpu"))
        lines.append(f"  {entry.name} {entry.version}  {entry.label}. {entry.licence}. {state}")
    lines += refine_command.listing(registry)
    lines += [f"  Broken: {problem}" for problem in registry.problems.values()]
    lines += _device_lines()
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _device_lines() -> list[str]:
    """What networks could run on: every execution provider, and why it does not work."""
    chosen = sessions.runtime()
    try:
        states = sessions.devices()
    except AuMocapError as error:
        return [f"Devices of {chosen.name}", f"  Not tried: {error}"]
    version = f" ({chosen.version()})" if any(state.installed for state in states) else ""
    lines = [f"Devices of {chosen.name}{version}"]
    for state in states:
        verdict = "Works." if state.works else f"Not here: {state.reason.rstrip('.')}."
        lines.append(f"  {state.name}, {state.provider}: {verdict}")
    return lines


def _state(attempt: Callable[[], object]) -> str:
    """Whether something that is bundled can be opened here, or what is wrong with it."""
    try:
        attempt()
    except AuMocapError as error:
        return str(error)
    return "Ready."


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")


def _show_warning(message: Warning | str, *_details: object) -> None:
    _say(f"Warning: {message}")
