"""A trained generator as a file, and what others use it for: pictures in 255 steps to pictures in 255 steps."""

import pickle
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from au_mocap.channels import PREDICTED_IDS
from training.papers.data import Look
from training.papers.fitting import DEVICE
from training.papers.translator.album import to_colours, to_steps
from training.papers.translator.network import Generator
from training.papers.translator.settings import Settings, TranslatorError, Weights

FILE: Final = "translator.pt"
_AT_ONCE: Final = 32


class Translator:
    """Shows faces with other Action Units.

    Attributes:
        settings: Of its network; `settings.look` says what its pictures have to be.
    """

    def __init__(self, settings: Settings, generator: Generator) -> None:
        self.settings = settings
        self._generator = generator.to(DEVICE).eval()

    def translate(self, pictures: NDArray[np.uint8], values: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Translates pictures.

        Args:
            pictures: (N, 3, S, S) RGB, as `album.cut` cuts them out for `settings.look`.
            values: (N, P) what each should show, over `channels.PREDICTED_IDS`, 0..1.

        Returns:
            (N, 3, S, S) RGB.

        Raises:
            TranslatorError: The arrays are of other shapes, or a value is outside 0..1.
        """
        size = self.settings.look.size_px
        wanted = (len(pictures), 3, size, size), (len(pictures), len(PREDICTED_IDS))
        if (pictures.shape, values.shape) != wanted:
            message = f"{pictures.shape} pictures and {values.shape} values cannot be translated: give {wanted}."
            raise TranslatorError(message)
        if not ((values >= 0.0) & (values <= 1.0)).all():
            message = "Values to be shown lie between 0 and 1: clip them first."
            raise TranslatorError(message)
        shown = [
            self._show(pictures[start : start + _AT_ONCE], values[start : start + _AT_ONCE])
            for start in range(0, len(pictures), _AT_ONCE)
        ]
        return np.concatenate([pictures[:0], *shown])

    def _show(self, pictures: NDArray[np.uint8], values: NDArray[np.float32]) -> NDArray[np.uint8]:
        with torch.no_grad():
            return to_steps(self._generator(to_colours(pictures).to(DEVICE), torch.from_numpy(values).to(DEVICE)))

    def save(self, path: Path) -> None:
        """Writes settings and weights, in one piece."""
        temporary = path.with_suffix(".part")
        state = {name: weights.cpu() for name, weights in self._generator.state_dict().items()}
        torch.save({"settings": asdict(self.settings), "channels": list(PREDICTED_IDS), "generator": state}, temporary)
        temporary.replace(path)


def open_translator(path: Path) -> Translator:
    """Reads what `Translator.save` wrote.

    Raises:
        TranslatorError: The file is missing, is none of a translator, or is of other channels.
    """
    if not path.is_file():
        message = f"There is no translator at {path}: run make.py train papers translator."
        raise TranslatorError(message)
    try:
        kept: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        said: dict[str, Any] = dict(kept["settings"])
        look, weights = Look(**said.pop("look")), Weights(**said.pop("weights"))
        settings = Settings(look=look, weights=weights, **said)
        channel_ids = tuple(kept["channels"])
        generator = Generator(settings)
        if channel_ids == PREDICTED_IDS:
            generator.load_state_dict(kept["generator"])
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        message = f"{path} does not hold a translator: make it anew with make.py train papers translator."
        raise TranslatorError(message) from error
    if channel_ids != PREDICTED_IDS:
        message = f"{path} shows other channels than this version knows: run make.py train papers translator again."
        raise TranslatorError(message)
    return Translator(settings, generator)
