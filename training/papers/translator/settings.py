"""How large the generator is, and what its training weighs."""

from dataclasses import dataclass, field
from typing import Final

from au_mocap.preprocessors import PREPROCESSORS
from training.papers.data import Look
from training.papers.fitting import DEVICE

LEAST_PX: Final = 16
_STEPS_OF_SIZE: Final = "a power of two, 16 or more"


class TranslatorError(RuntimeError):
    """A translator cannot be made or read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each loss counts (equation 5); the paper's numbers, but the penalty's, which is GANimation's.

    Attributes:
        adversarial: Looking like a render, equation 1.
        expression: Showing the wanted values, equation 2.
        identity: Finding back to the source, equation 3.
        idiosyncratic: Looking like the same person's own picture, equation 4.
        penalty: Of a critic that is too steep, within equation 1.
    """

    adversarial: float = 1.0
    expression: float = 160.0
    identity: float = 10.0
    idiosyncratic: float = 1.0
    penalty: float = 10.0


@dataclass(frozen=True, slots=True)
class Settings:
    """A generator and its training.

    Attributes:
        look: What it is shown and shows; the side is a power of two.
        width: Maps of the generator's first layer.
        blocks: Residual blocks at a quarter of the side.
        critic_width: Maps of the critic's first layer.
        critic_steps: Steps of the critic for each of the generator.
        batch: Pictures in a step.
        rate: Learning rate of the first two thirds; then it falls to 0 along a line.
        weights: Of the losses.
    """

    look: Look
    width: int
    blocks: int
    critic_width: int
    critic_steps: int
    batch: int
    rate: float
    weights: Weights = field(default_factory=Weights)

    def __post_init__(self) -> None:
        """Raises TranslatorError for a look that no network fits."""
        size = self.look.size_px
        if size < LEAST_PX or size & (size - 1):
            message = f"A translator's pictures cannot have a side of {size} px: choose {_STEPS_OF_SIZE}."
            raise TranslatorError(message)
        if self.look.preprocessor not in PREPROCESSORS or self.look.preprocessor.endswith("grey"):
            wanted = ", ".join(name for name in sorted(PREPROCESSORS) if not name.endswith("grey"))
            message = f"A translator is not shown '{self.look.preprocessor}': choose from {wanted}."
            raise TranslatorError(message)


def settings(preprocessor: str, size_px: int | None = None) -> Settings:
    """What suits this machine: GANimation's size on a GPU, something that a processor trains in minutes elsewhere.

    Args:
        preprocessor: A name of `au_mocap.preprocessors`, in colour.
        size_px: Side of the pictures; None for 128 on a GPU and 64 without one.
    """
    if DEVICE.type == "cuda":
        return Settings(Look(preprocessor, size_px or 128), 64, 6, 64, critic_steps=5, batch=25, rate=1e-4)
    return Settings(
        Look(preprocessor, size_px or 64),
        width=24,
        blocks=4,
        critic_width=48,
        critic_steps=1,
        batch=16,
        rate=4e-4,
        weights=Weights(expression=20.0, idiosyncratic=50.0),
    )
