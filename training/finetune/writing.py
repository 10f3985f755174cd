"""An adapted regressor's files: made, measured, and kept where they are better than the base."""

import hashlib
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from au_mocap import files
from au_mocap.errors import OutputError, SettingsError
from au_mocap.registry import BUNDLED, Registry
from au_mocap.regressors import open_regressor
from training import registry_entry
from training.all_or_nothing import all_or_nothing
from training.finetune import adapter, card, judging
from training.finetune.tuning import Learnt

REGISTRY: Final = "registry.toml"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_UNCHANGED: Final = 1e-4
"""Most that a channel without labels may differ: what rounding may make."""


def check(out: Path, name: str, *, overwrite: bool) -> None:
    """Makes sure, before any work is done, that a result can be written.

    Raises:
        SettingsError: The name cannot be used.
        OutputError: The folder holds a result of that name, or cannot be written to.
        ModelError: The folder's registry cannot be read.
    """
    if not _NAME.fullmatch(name):
        message = f"'{name}' cannot be a regressor's name: use up to 40 small letters, digits, - and _."
        raise SettingsError(message)
    if name in {entry.name for entry in Registry().regressors}:
        message = f"'{name}' is a regressor of AU Mocap itself: give the result another --name."
        raise SettingsError(message)
    if out.resolve() == BUNDLED:
        message = f"{out} belongs to AU Mocap itself: give another folder as --out."
        raise OutputError(message)
    if (out / REGISTRY).exists():
        known = Registry((out,))
        if name in {*(entry.name for entry in known.regressors), *known.problems} and not overwrite:
            message = f"{out} holds a regressor '{name}' already: give another --name, or --overwrite."
            raise OutputError(message)
    files.check_writable(out / f"{name}_head.onnx", overwrite=True)


def keep_if_better(learnt: Learnt, out: Path, name: str) -> tuple[str, ...]:
    """Writes the regressor where it reads what was held back better than the base does.

    Returns:
        Names of the files.

    Raises:
        SettingsError: It does not; nothing was written.
        OutputError: The folder cannot be written to.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        facts = _draft(learnt, folder, name)
        tuned = open_regressor(Registry((BUNDLED, folder)), name, "cpu")
        verdict = judging.judge(learnt.source.regressor, tuned, learnt.clips, learnt.split.held, learnt.changed)
        if verdict.scores:
            sys.stderr.write(f"{card.table(verdict)}\n")
        if not verdict.improved:
            raise _no_better(learnt, verdict)
        if verdict.others > _UNCHANGED:
            message = f"a channel without labels changed by {verdict.others:.2g}"
            raise ValueError(message)
        (folder / REGISTRY).unlink()
        card.write(folder / f"{name}.md", facts, verdict)
        return _move(folder, out, name, card.entry(facts, verdict))


def _draft(learnt: Learnt, folder: Path, name: str) -> card.Facts:
    """Stage, head and a registry without figures."""
    base, stage = learnt.base.entry, learnt.base.stage
    stage_file, head_file = f"{base.name}_stage_{stage.file.sha256[:8]}.onnx", f"{name}_head.onnx"
    shutil.copyfile(learnt.source.registry.path(stage.file), folder / stage_file)
    difference = adapter.export(learnt.head, folder / head_file)
    sys.stderr.write(f"ONNX against PyTorch {difference:.1g}\n")
    digest = hashlib.sha256((folder / head_file).read_bytes()).hexdigest()
    facts = card.Facts(
        name=name,
        version=f"{base.version}-{digest[:8]}",
        base=base,
        files={stage_file: stage.file.sha256, head_file: digest},
        clips=tuple(clip.name for clip in learnt.clips),
        learnt=int(learnt.split.learnt.sum()),
        held=int(learnt.split.held.sum()),
        by_clip=learnt.split.by_clip,
        changed=learnt.changed,
        short=learnt.short,
    )
    registry_entry.put(folder / REGISTRY, "regressor", name, card.entry(facts))
    return facts


def _no_better(learnt: Learnt, verdict: judging.Verdict) -> SettingsError:
    name = learnt.base.entry.name
    if not verdict.scores:
        message = f"None of the channels that changed is labelled where it was held back, so '{name}' is kept."
        return SettingsError(message)
    mae, icc = verdict.mean("mae"), verdict.mean("icc")
    message = (
        f"What was held back is read no better (mean error {mae[0]:.4f} before, {mae[1]:.4f} after; ICC {icc[0]:.3f} "
        f"and {icc[1]:.3f}), so '{name}' is kept and nothing was written. Label further stretches of time."
    )
    return SettingsError(message)


def _move(folder: Path, out: Path, name: str, entry: str) -> tuple[str, ...]:
    """Puts all files in their place, or none."""
    made = sorted(path.name for path in folder.iterdir())
    try:
        out.mkdir(parents=True, exist_ok=True)
        with all_or_nothing([out / each for each in (*made, REGISTRY)]):
            for each in made:
                shutil.copyfile(folder / each, out / each)
            registry_entry.put(out / REGISTRY, "regressor", name, entry)
    except OSError as error:
        message = f"Cannot write to {out} ({error.strerror or error}): choose another folder."
        raise OutputError(message) from error
    return (*made, REGISTRY)
