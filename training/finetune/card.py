"""What is written beside an adapted head: its registry entry and its card."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from au_mocap import channels
from au_mocap.registry import RegressorEntry
from training.finetune.holding import Need
from training.finetune.judging import Verdict


@dataclass(frozen=True, slots=True)
class Facts:
    """What entry and card say beside the scores.

    Attributes:
        name: Of the adapted regressor.
        version: Changes with the head's file.
        base: Entry of the base.
        files: sha256 by file name: the stage's, then the head's.
        clips: Names of the folders of labels.
        learnt: Labelled frames that were learnt from.
        held: Labelled frames that were held back.
        by_clip: Whether whole clips were held back.
        changed: Ids of the channels that changed.
        short: Channels whose labels were too few.
    """

    name: str
    version: str
    base: RegressorEntry
    files: dict[str, str]
    clips: tuple[str, ...]
    learnt: int
    held: int
    by_clip: bool
    changed: tuple[str, ...]
    short: Sequence[Need]


def entry(facts: Facts, verdict: Verdict | None = None) -> str:
    """The text for `registry.toml`; without figures where there is no verdict yet."""
    base, image = facts.base, facts.base.image
    if image is None:
        message = f"'{base.name}' has no image stage"
        raise ValueError(message)
    (stage, stage_sum), (head, head_sum) = facts.files.items()
    inputs = ", ".join(f'"{name}"' for name in image.inputs)
    ids = ", ".join(f'"{channel_id}"' for channel_id in base.channels)
    trained = f"{base.training_data}; head adapted to {facts.learnt} labelled frames of {len(facts.clips)} clips"
    return f"""[[regressor]]
name = "{facts.name}"
version = "{facts.version}"
label = "{facts.name} ({base.label}, adapted)"
description = "{base.label} adapted to a user's own labels"
licence = "{base.licence}"
training_data = "{trained}"
normalisation = "{base.normalisation}"
channels = [{ids}]
image = {{ file = "{stage}", sha256 = "{stage_sum}", source = "maps", inputs = [{inputs}], \
embedding_size = {image.embedding_size} }}
head = {{ file = "{head}", sha256 = "{head_sum}" }}
{_accuracy(verdict)}"""


def _accuracy(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    (mae_before, mae), (icc_before, icc) = verdict.mean("mae"), verdict.mean("icc")
    return (
        f"accuracy = {{ mae_held_back = {mae:.4f}, mae_held_back_base = {mae_before:.4f}, "
        f"icc_held_back = {icc:.3f}, icc_held_back_base = {icc_before:.3f} }}\n"
    )


def table(verdict: Verdict) -> str:
    """Scores of the changed channels as a Markdown table, their mean last."""
    mae, icc = verdict.mean("mae"), verdict.mean("icc")
    rows = [
        (channels.CHANNELS[channels.INDEX[each.channel]].label, str(each.frames), each.mae, each.icc)
        for each in verdict.scores
    ]
    rows.append(("**Mean**", "", mae, icc))
    lines = ["| channel | frames | MAE before | MAE after | ICC before | ICC after |", "|---|---|---|---|---|---|"]
    lines += [f"| {label} | {n} | {m[0]:.3f} | {m[1]:.3f} | {i[0]:.2f} | {i[1]:.2f} |" for label, n, m, i in rows]
    return "\n".join(lines)


def write(path: Path, facts: Facts, verdict: Verdict) -> None:
    """Writes the card."""
    short = "\n".join(f"- {need.channel}: {need.missing}" for need in facts.short)
    text = _CARD.format(
        name=facts.name,
        base=facts.base.name,
        base_version=facts.base.version,
        base_sha=facts.base.head.sha256,
        version=facts.version,
        files="\n".join(f"  - `{file}`, sha256 `{digest}`" for file, digest in facts.files.items()),
        licence=facts.base.licence,
        date=datetime.now(UTC).date().isoformat(),
        clips=", ".join(facts.clips),
        learnt=facts.learnt,
        held=facts.held,
        how="whole clips" if facts.by_clip else "blocks of time",
        changed=", ".join(facts.changed),
        table=table(verdict),
        others=verdict.others,
        at_rest=verdict.at_rest,
        short=f"\nLabelled, but too little to learn from:\n\n{short}\n" if short else "",
    )
    path.write_text(text, encoding="utf-8", newline="\n")


_CARD: Final = """\
# Model card: `{name}`

`{base}` {base_version} adapted to labelled frames. The image stage is the base's; the head has gains for some channels
and a small change in what is read from its last layer.

- **Version**: {version}, made on {date}.
- **Base**: `{base}` {base_version}, head sha256 `{base_sha}`.
- **Files**:
{files}
- **Licence**: that of the base, {licence}. The labels and clips may have terms of their own.
- **Labels**: {learnt} frames were learnt from, {held} were held back ({how}). Clips: {clips}.
- **Changed**: {changed}. Every other predicted channel is the base's: the largest difference over all frames of the
  clips is {others:.1g}.
- **At rest**: on the actors' neutral faces no channel moved by more than {at_rest:.1g}.

## Held-back frames

Nothing was learnt or chosen on them. Values are the engine's, with the neutral that it finds itself, before smoothing.

{table}
{short}
These are the people, light and camera of the labelled clips. On others the adapted head may be no better than the base,
or worse: measure it with `python -m au_mocap eval` before it is used there.
"""
