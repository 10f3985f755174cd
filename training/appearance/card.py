"""Model cards of the appearance regressors, with the figures of the run that made them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from au_mocap import channels, metrics
from training.outcome import FEAFA, Outcome


@dataclass(frozen=True, slots=True)
class Words:
    """What people read about a regressor: in the menu, in its tooltip, at the top of its card."""

    label: str
    description: str
    opening: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a card says beside the scores: see the card's text.

    Attributes:
        name: Of the regressor.
        version: Of the regressor.
        opset: Of the graphs.
        files: Bytes of each file.
        trained_on: Frames of the training cast.
        performers: People of the test cast.
        maps: What the stage reads.
        second_look: It reads them of the mirrored tile too.
        embedding: Numbers kept for each frame.
        lids: Gain of closing eyes beside what the validation cast gives.
    """

    name: str
    version: str
    opset: int
    files: dict[str, int]
    trained_on: int
    performers: int
    maps: tuple[str, ...]
    second_look: bool
    embedding: int
    lids: float


WORDS: Final = {
    "accurate": Words(
        "Accurate",
        "The default: AU values from what the face tracker sees in the skin and from its landmarks",
        "AU values from appearance and landmarks: the default. A stage looks at the face tracker's inner maps around\n"
        "each landmark, fine to coarse; a light head corrects the landmarks by what it saw there and compares\n"
        "them with the actor's neutral.",
    ),
    "fast": Words(
        "Fast",
        "Nearly as quick as tracking alone: looks at the face tracker's coarser maps only",
        "AU values for live use: a small stage looks at two of the face tracker's inner maps around each landmark; a\n"
        "light head corrects the landmarks by what it saw there and compares them with the actor's neutral.",
    ),
}


def write(path: Path, facts: Facts, own: Outcome, generic: Outcome) -> None:
    """Writes a card.

    Args:
        path: The Markdown file.
        facts: What it says beside the scores.
        own: Test cast, each performer's own neutral.
        generic: Test cast, the model's generic neutral.
    """
    tables = own.tables()
    icc, pcc, mae = (metric(*tables) for metric in (metrics.icc, metrics.pcc, metrics.mae))
    without = metrics.icc(*generic.tables())
    feafa = tables[0][:, FEAFA], tables[1][:, FEAFA]
    loss = float(metrics.feafa_loss(*feafa) / metrics.feafa_loss(feafa[1] * 0, feafa[1]))
    rows = "\n".join(
        f"| {channel.label} | {icc[index]:.2f} | {pcc[index]:.2f} | {mae[index]:.3f} | {without[index]:.2f} |"
        for index, channel in enumerate(channels.CHANNELS)
    )
    text = _CARD.format(
        lids=facts.lids,
        name=facts.name,
        opening=WORDS[facts.name].opening,
        files=", ".join(f"`{name}` ({size / 1e6:.1f} MB)" for name, size in facts.files.items()),
        version=facts.version,
        opset=facts.opset,
        maps=", ".join(f"`{name}`" for name in facts.maps),
        twice=_TWICE if facts.second_look else "",
        embedding=facts.embedding,
        trained_on=facts.trained_on,
        performers=facts.performers,
        icc=icc[FEAFA].mean(),
        worst=icc[FEAFA].min(),
        worst_label=channels.CHANNELS[int(icc[FEAFA].argmin())].label,
        pcc=pcc[FEAFA].mean(),
        mae=mae[FEAFA].mean(),
        loss=loss,
        without=without[FEAFA].mean(),
        rows=rows,
    )
    path.write_text(text, encoding="utf-8", newline="\n")


_TWICE: Final = """\
- **Second look**: the graph runs on the mirrored tile too, where it errs in other ways; the stage makes one embedding
  of both looks.
"""

_CARD: Final = """\
# Model card: `{name}`

{opening}

- **Files**: {files}; version {version}, half-float weights, ONNX opset {opset}.
- **Licence**: GPL-3.0-or-later.
- **Inputs and outputs**: those of every regressor, see `au_mocap/regressors.py`. The stage reads
  {maps} of the landmark graph and gives {embedding} numbers, which a take keeps for each frame.
{twice}- **Training data**: {trained_on} pictures of synthetic performers from MakeHuman's CC0 figure and face units,
  drawn at random over age, sex, ethnicity, weight, shape and manner; expressions balanced over channels and
  intensities, alone and in combination, beside natural ones, speech, blinks and gaze, still and in motion; head
  turns up to 45° yaw, 25° pitch and roll; skins, hair, glasses and hands of many kinds in many lights, filmed by good
  and bad cameras. Every picture was seen through the tracker that ships. No picture of a real person.
- **Neutral**: subtracted inside the head, from landmarks and embedding. With trust below 1 the generic neutral fills
  in.
- **Amplitude**: outputs are scaled on the validation cast so that a channel spreads as far as the truth, where it is
  recognised well enough (correlation above 0.25). Closing eyes are scaled by {lids:.2f} more: real blinks read lower
  than rendered ones. That figure was chosen with the clips of `bench real_clips` in view, the webcam blinks too.
- **Made by** `python make.py train accurate`, fixed seed.

## Accuracy on the test cast

{performers} performers that were used neither for training nor for choosing anything. Mean over FEAFA's 24 channels:
**ICC(3,1) {icc:.3f}** (weakest: {worst_label}, {worst:.2f}), PCC {pcc:.3f}, MAE {mae:.4f}; FEAFA loss {loss:.2f} of
constant zero's; with the generic neutral ICC(3,1) {without:.3f}. These are renders: real faces were looked at, not
measured.

| channel | ICC(3,1) | PCC | MAE | ICC(3,1), generic neutral |
|---|---|---|---|---|
{rows}
"""
