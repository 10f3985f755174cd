"""The label VAE: what goes with what in performances, and how far predictions are from that. Used in training alone."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from au_mocap.channels import PREDICTED_IDS
from training.papers.fitting import DEVICE
from training.papers.saying import say
from training.synth import performances
from training.synth.film import STEP_S

LATENT: Final = 24
PERFORMANCES: Final = (40, 1500)
"""Least and most performances that are drawn to learn from."""

_FRAMES: Final = 40
_WIDTH: Final = 128
_EPOCHS: Final = 100
_RATE: Final = 1e-3
_BATCH: Final = 512
_PRIOR: Final = 0.1
_NOISE: Final = 0.2


class LabelVae(nn.Module):
    """Values to a small latent space and back."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(len(PREDICTED_IDS), _WIDTH), nn.ReLU(), nn.Linear(_WIDTH, 2 * LATENT))
        self.decoder = nn.Sequential(nn.Linear(LATENT, _WIDTH), nn.ReLU(), nn.Linear(_WIDTH, len(PREDICTED_IDS)))

    def encode(self, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, P) values to (N, LATENT) means and variances."""
        mean, log_variance = self.encoder(values).chunk(2, dim=1)
        return mean, log_variance.clamp(-8.0, 8.0).exp()

    def loss(self, values: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """The paper's equation 2, averaged over label vectors.

        Args:
            values: (N, P) 0..1.
            noise: (N, LATENT) of a standard normal distribution.
        """
        spoiled = values + torch.empty_like(values).uniform_(-_NOISE, _NOISE)
        mean, variance = self.encode(spoiled)
        said = self.decoder(mean + variance.sqrt() * noise)
        told = nn.functional.binary_cross_entropy_with_logits(said, values, reduction="none").sum(dim=1)
        prior = 0.5 * (mean.square() + variance - variance.log() - 1.0).sum(dim=1)
        return (told + _PRIOR * prior).mean()

    def distance(self, predicted: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """The paper's equation 3, averaged over frames and latent numbers: (N, P) each to one number."""
        pairs = zip(self.encode(predicted), self.encode(truth), strict=True)
        return sum(((said - wanted).square().mean() for said, wanted in pairs), torch.zeros((), device=truth.device))


def label_vae(performers: int, seed: int, checkpoint: Path) -> LabelVae:
    """A frozen label VAE, from its file where it was trained before.

    Args:
        performers: People of the training cast: the larger, the more performances are drawn, within `PERFORMANCES`.
        seed: Chooses performances and first weights.
        checkpoint: The file.
    """
    vae = LabelVae()
    if checkpoint.exists():
        kept: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
        vae.load_state_dict(kept)
    else:
        count = min(max(performers, PERFORMANCES[0]), PERFORMANCES[1])
        loss = _train(vae, draw(count, seed), seed)
        say(f"{checkpoint.stem}: the label VAE learnt from {count} performances, loss {loss:.3f}")
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        temporary = checkpoint.with_suffix(".part")
        torch.save(vae.state_dict(), temporary)
        temporary.replace(checkpoint)
    return vae.to(DEVICE).eval().requires_grad_(False)


def draw(count: int, seed: int) -> torch.Tensor:
    """(count · 40, P) values of performances in which channels come together as people show them."""
    rng = np.random.default_rng([seed, count])
    return torch.from_numpy(np.concatenate([performances.sample(_FRAMES, STEP_S, rng) for _ in range(count)]))


def _train(vae: LabelVae, values: torch.Tensor, seed: int) -> float:
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(vae.parameters(), _RATE)
    loss = torch.zeros(())
    for _ in range(_EPOCHS):
        for rows in torch.randperm(len(values), generator=generator).split(_BATCH):
            loss = vae.loss(values[rows], torch.randn(len(rows), LATENT, generator=generator))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return float(loss.detach())
