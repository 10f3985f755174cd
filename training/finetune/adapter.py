"""What fine-tuning adds to a head: gains of channels, and a small change in what is read from its last layer.

Both work on the difference between a frame and the same face at rest, so they say nothing of a face at rest: the
neutral stays where it was, whatever was learnt. A channel that nothing was learnt for keeps its values to the bit.
"""

from pathlib import Path

import torch
from torch import nn

from training import onnx_export
from training.appearance.network import Comparison, Head
from training.finetune.base import examples

_FRAMES = {"landmarks", "rotation", "embedding"}


class AdaptedHead(nn.Module):
    """A head and its change, with the inputs of `au_mocap.regressors`: one neutral for all frames."""

    gain: torch.Tensor
    change: torch.Tensor

    def __init__(self, head: Head, gain: torch.Tensor, change: torch.Tensor) -> None:
        """Wraps a head.

        Args:
            head: The base, which is not altered.
            gain: (P,) added to the factor 1 of each channel.
            change: (P, W) weights of the last layer's W numbers.
        """
        super().__init__()
        self.head = head
        self.register_buffer("gain", gain.float().clone())
        self.register_buffer("change", change.float().clone())

    def forward(
        self,
        landmarks: torch.Tensor,
        rotation: torch.Tensor,
        embedding: torch.Tensor,
        neutral_landmarks: torch.Tensor,
        neutral_weight: torch.Tensor,
        neutral_embedding: torch.Tensor,
    ) -> torch.Tensor:
        """(N, P) values 0..1."""
        base, away, thought = looked(
            self.head, (landmarks, rotation, embedding), (neutral_landmarks, neutral_weight, neutral_embedding)
        )
        return (base + self.gain * away + thought @ self.change.T).clamp(0.0, 1.0)


Frames = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""(N, 478, 3) landmarks, (N, 3) rotation and (N, E) embedding."""

Rest = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""(478, 3) landmarks, (478, 1) weight and (E,) embedding of a neutral."""


def looked(head: Head, frames: Frames, rest: Rest) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What a head makes of frames, and how far that is from what it makes of the face at rest, turned alike.

    Returns:
        (N, P) values before they are clipped, (N, P) the same less those at rest, and (N, W) what the last layer reads
        less that at rest.
    """
    landmarks, rotation, embedding = frames
    neutral_landmarks, weight, neutral_embedding = (one[None] for one in rest)
    seen = head.compare(
        head.correct(landmarks, embedding),
        rotation,
        embedding,
        head.correct(neutral_landmarks, neutral_embedding),
        weight,
        neutral_embedding,
    )
    still = Comparison(0.0 * seen.moved, 0.0 * seen.difference, seen.person, rotation, seen.trust)
    thought, resting = head.think(seen), head.think(still)
    base = head.values(thought) + head.direct(seen.moved)
    return base, base - head.values(resting), thought - resting


def export(adapted: AdaptedHead, path: Path) -> float:
    """Writes the head with its change as one graph.

    Returns:
        Largest difference between onnxruntime and PyTorch on made-up faces.

    Raises:
        ValueError: It is above `onnx_export.TOLERANCE`; nothing was written.
    """
    given = examples(adapted.head)
    return onnx_export.export(adapted.eval(), given, "values", _FRAMES, path)
