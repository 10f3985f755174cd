"""The third paper's four losses (section 3.2), each as the generator or the critic wants it small."""

import torch
from torch import nn

from training.papers.translator.network import Critic


def difference(real: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """First line of equation 1: how much better translations score than renders.

    Args:
        real: (N,) scores of renders.
        made: (N,) scores of translations.
    """
    return made.mean() - real.mean()


def penalty(critic: Critic, real: torch.Tensor, made: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Second line of equation 1: how far the critic's slope is from 1 between renders and translations.

    Args:
        critic: Whose slope it is.
        real: (N, 3, S, S) renders.
        made: (N, 3, S, S) translations.
        shares: (N,) how much of the render is in each picture between the two, 0..1.
    """
    share = shares[:, None, None, None]
    between = (share * real + (1.0 - share) * made).detach().requires_grad_()
    (slopes,) = torch.autograd.grad(critic(between)[0].sum(), between, create_graph=True)
    return (slopes.flatten(1).norm(dim=1) - 1.0).square().mean()


def expression(shown: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """A half of equation 2: squared error of what the critic reads from pictures.

    As in the implementation that the paper started from, it is the mean over AUs: so the weight of 160 is meant.

    Args:
        shown: (N, P) read from the pictures.
        wanted: (N, P).
    """
    return nn.functional.mse_loss(shown, wanted)


def identity(found: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """Equation 3: what a picture that was translated there and back lacks of its source, both (N, 3, S, S)."""
    return nn.functional.l1_loss(found, source)


def idiosyncratic(made: torch.Tensor, own: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
    """Equation 4: how far translations are from the same person's own pictures of those values.

    Args:
        made: (N, 3, S, S) translations.
        own: (N, 3, S, S) pictures that the wanted values are of.
        same: (N,) bool: of the same person as the source; the others do not count.
    """
    off = (made - own).abs().mean(dim=(1, 2, 3))
    return (off * same).sum() / same.sum().clamp_min(1)
