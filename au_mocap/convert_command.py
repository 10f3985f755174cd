"""The command `convert`: recordings of other programs become takes, and curves become files for other programs."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from . import DEFAULT_REGRESSOR, exchange, files
from . import take as takes
from .arguments import DEFAULT_SMOOTHING, UsageError
from .calibration import NeutralSettings, Settings
from .calibration import curves as curves_of
from .imported import ImportedValues, Maker
from .registry import BUNDLED, Registry
from .regressors import open_regressor
from .take import Take

_BY_SUFFIX: Final = {".csv": exchange.TABLE.name, ".json": exchange.JSON.name}
_SETTINGS: Final = ("neutral", "smooth", "gaps")


@dataclass(frozen=True, slots=True)
class _Job:
    """Where a result goes and in which format; None for a take."""

    output: Path
    format_name: str | None


def run(options: argparse.Namespace) -> int:
    """Converts what was asked for and returns the exit code.

    Raises:
        UsageError: Options do not fit each other.
        AuMocapError: The input cannot be read or the output not be written; the message says why.
    """
    source: Path = options.input
    is_take = source.name.endswith(takes.SUFFIX)
    job = _job(source, options, is_take=is_take)
    _check(options, job, is_take=is_take)
    files.check_writable(job.output, overwrite=options.overwrite)
    if is_take:
        take = takes.load(source)
    else:
        imported = exchange.read(source, options.source_format, options.rate)
        take = imported.take
        for note in imported.notes:
            _say(f"Note: {note}.")
    if job.format_name is None:
        takes.save(take, job.output)
    else:
        curves = curves_of(take, _settings(take, options), _maker(take, options))
        exchange.write(take, curves, job.output, job.format_name, options.rate)
    _say(f"Wrote {job.output}")
    return 0


def _job(source: Path, options: argparse.Namespace, *, is_take: bool) -> _Job:
    output: Path | None = options.output
    wanted: str | None = options.target_format
    if output is None:
        if wanted is None and not is_take:
            return _Job(source.with_name(exchange.stored_name(source)), None)
        form = exchange.by_name(wanted or exchange.TABLE.name)
        stem = source.name.removesuffix(takes.SUFFIX) if is_take else source.stem
        return _Job(source.with_name(f"{stem}{form.suffix}"), form.name)
    if output.name.endswith(takes.SUFFIX):
        if wanted is not None:
            message = f"{output} is a take: leave --to {wanted} out, or name a file NAME{_suffix_of(wanted)}."
            raise UsageError(message)
        return _Job(output, None)
    name = wanted or _BY_SUFFIX.get(output.suffix.lower())
    if name is None:
        message = f"Cannot tell the format of {output}: name it with --to, or write NAME{takes.SUFFIX}, .csv or .json."
        raise UsageError(message)
    return _Job(output, name)


def _suffix_of(name: str) -> str:
    return exchange.by_name(name).suffix


def _check(options: argparse.Namespace, job: _Job, *, is_take: bool) -> None:
    """Raises UsageError for options that do not fit each other."""
    if is_take and job.format_name is None:
        message = f"{options.input.name} is a take already: name another format with -o or --to."
        raise UsageError(message)
    if is_take and options.source_format is not None:
        message = f"{options.input.name} is a take, not {options.source_format}: leave --from out."
        raise UsageError(message)
    given = [f"--{name}" for name in _SETTINGS if getattr(options, name) is not None]
    given += ["--mirror"] if options.mirror else []
    if job.format_name is None and given:
        message = f"A take keeps what was measured; settings ({', '.join(given)}) act on other outputs."
        raise UsageError(message)
    if job.output.resolve() == options.input.resolve():
        message = f"{options.input} would be replaced by its own result: name another output with -o."
        raise UsageError(message)


def _settings(take: Take, options: argparse.Namespace) -> Settings:
    """A recording of another program stays as it is unless something else is asked for."""
    return Settings(
        neutral=options.neutral or NeutralSettings(mode="none" if take.is_imported else "auto"),
        smoothing=options.smooth or ("off" if take.is_imported else DEFAULT_SMOOTHING),
        gaps=options.gaps or "leave",
        mirror=options.mirror,
    )


def _maker(take: Take, options: argparse.Namespace) -> Maker:
    if take.is_imported:
        return ImportedValues()
    name = str(take.meta.get("regressor", {}).get("name", DEFAULT_REGRESSOR))
    return open_regressor(Registry((BUNDLED, *options.models)), name, options.device)


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")
