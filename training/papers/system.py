"""What a paper's system is: from films to two graphs, with the words that its card says of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from torch import nn

from training.papers.data import Cast, Look, Maps


@dataclass(frozen=True, slots=True)
class Words:
    """What people read.

    Attributes:
        label: In menus.
        description: In the tooltip.
        paper: Which paper, and where its text describes the system.
        structure: What is as in the paper.
        departures: What is not, and why.
        reported: What the paper reports on its own data.
        licence: SPDX expression of the files.
        neutral: What is done with the actor's neutral.
    """

    label: str
    description: str
    paper: str
    structure: str
    departures: str
    reported: str
    licence: str = "GPL-3.0-or-later"
    neutral: str = (
        "the paper takes none away. Here the actor's is subtracted as far as it is trusted; `--neutral none` gives the "
        "paper's values"
    )


@dataclass(frozen=True, slots=True)
class Order:
    """What a system is asked for.

    Attributes:
        casts: `training`, `validation` and `test`.
        checkpoints: Folder for what an interrupted run leaves behind; of this order's films alone.
        epochs: Passes over the training cast.
        seed: Chooses first weights and order.
        deadline_s: `time.monotonic()` after which no further pass begins; None without a limit.
        backbone: FEAFA: name of the ImageNet network.
        weights: FEAFA: file with its weights; None for those of the registry.
        finetune: FEAFA, registered: passes over the pictures with the ImageNet network set free.
        folds: FEAFA: parts of the subject-exclusive protocol, at least 2; 0 leaves it out.
    """

    casts: Mapping[str, Cast]
    checkpoints: Path
    epochs: int
    seed: int = 1
    deadline_s: float | None = None
    backbone: str = "efficientnet_lite0"
    weights: Path | None = None
    finetune: int = 0
    folds: int = 5


@dataclass(frozen=True, slots=True)
class Trained:
    """What training made.

    Attributes:
        name: Of the regressor.
        look: What the image stage is shown.
        clip_statistics: As in the registry.
        stage: Pictures (N, C, S, S), or landmarks and maps, to embeddings (N, E).
        head: Embeddings (N, E) to values (N, P), 0..1; or a `NeutralHead`.
        embedding: E.
        channels: The P ids.
        words: For people.
        trained_on: Pictures that it learnt from.
        beside: What the registry and the card say of other training data, beginning with "; ".
        shortened: What was cut short, and what was measured on the way; a sentence each, without the full stop.
        window_s: How far before and after a frame the head, a `NeutralHead`, reads embeddings; 0 where it does not.
    """

    name: str
    look: Look | Maps
    clip_statistics: str
    stage: nn.Module
    head: nn.Module
    embedding: int
    channels: tuple[str, ...]
    words: Words
    trained_on: int
    beside: str = ""
    shortened: tuple[str, ...] = ()
    window_s: float = 0.0


class System(Protocol):
    """One paper's system.

    Attributes:
        name: Of its regressor and on the command line.
        words: For people.
    """

    name: str
    words: Words

    def train(self, order: Order) -> Trained:
        """Trains it; raises RuntimeError with what to do where something is missing."""
        ...


@runtime_checkable
class Product(Protocol):
    """A system whose product is no regressor: it writes, registers and measures that itself."""

    name: str
    words: Words

    def make(self, order: Order, out: Path) -> None:
        """Trains it and writes it into a folder of models; raises RuntimeError with what to do."""
        ...


@runtime_checkable
class Studied(Protocol):
    """A system that repeats comparisons of its paper (`--study`); those that do not simply lack the method."""

    name: str
    words: Words

    def study(self, order: Order) -> str:
        """Makes them on the test cast.

        Args:
            order: What is asked for; its deadline holds for everything together.

        Returns:
            Markdown below a page's title: what was compared and how, tables (`study.table`), what was shortened.

        Raises:
            RuntimeError: Something is missing; the message says what to do.
        """
        ...


class NeutralHead(nn.Module):
    """A head with the inputs that the engine gives; one of these is exported as it is."""

    @staticmethod
    def unread(landmarks: torch.Tensor, rotation: torch.Tensor, neutral_landmarks: torch.Tensor) -> torch.Tensor:
        """(N, 1) zeros: everything that is not read has to be named, or the graph would lack the input."""
        return 0.0 * (landmarks[:, :1, 0] + rotation[:, :1] + neutral_landmarks[:1, 0])


class SubtractedHead(NeutralHead):
    """A head without the actor's neutral, made into one as the engine wants it: the neutral's values are taken away.

    With a value v, the neutral's n and its mean trust t: `(v - t n) / max(1 - t n, 0.2)`. The papers take nothing away:
    that is trust 0.
    """

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(
        self,
        landmarks: torch.Tensor,
        rotation: torch.Tensor,
        embedding: torch.Tensor,
        neutral_landmarks: torch.Tensor,
        neutral_weight: torch.Tensor,
        neutral_embedding: torch.Tensor,
    ) -> torch.Tensor:
        """Inputs as `au_mocap.regressors` describes; the (N, P) values go by the embeddings and the trust alone."""
        unread = self.unread(landmarks, rotation, neutral_landmarks)
        rest = neutral_weight.mean() * self.head(neutral_embedding[None])
        return (subtract(self.head(embedding), rest) + unread).clamp(0.0, 1.0)


def subtract(values: torch.Tensor, rest: torch.Tensor) -> torch.Tensor:
    """What is left of values 0..1 when the neutral's are taken away, stretched so that full actions stay full."""
    return (values - rest) / (1.0 - rest).clamp_min(0.2)
