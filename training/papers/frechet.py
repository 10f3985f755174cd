"""How far two sets of pictures are from each other: the Fréchet distance of an ImageNet network's features.

The usual distance (FID) takes the features of Inception, whose weights are in no package registry. Here they are the
1280 numbers before EfficientNet-Lite0's last layer, so that no figure of this module may stand beside a published one.
"""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training.papers.export import fuse
from training.papers.fitting import DEVICE
from training.papers.imagenet import BACKBONES, EfficientNetLite0, open_backbone

SIDE_PX: Final = 96
"""Side that pictures are brought to before the network looks at them."""

_AT_ONCE: Final = 32
_LEVELS: Final = 255.0


class Eye:
    """EfficientNet-Lite0 without its last layer."""

    def __init__(self) -> None:
        """Fetches the weights; raises PackageError where the registry cannot be reached."""
        whole = open_backbone(BACKBONES["efficientnet_lite0"])
        if not isinstance(whole.network, EfficientNetLite0):
            message = "the features are those of EfficientNet-Lite0"
            raise TypeError(message)
        whole.network._fc = nn.Identity()
        self._network = fuse(whole).to(DEVICE)

    def features(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, 3, S, S) RGB in 255 steps to (N, 1280)."""
        found: list[torch.Tensor] = []
        with torch.no_grad():
            for part in torch.from_numpy(pictures).split(_AT_ONCE):
                shown = part.to(DEVICE).float() / _LEVELS
                sized = nn.functional.interpolate(shown, (SIDE_PX, SIDE_PX), mode="bilinear", antialias=True)
                found.append(self._network(sized).cpu())
        return torch.cat(found).numpy()


def distance(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Fréchet distance of the normal distributions that two sets of features have the mean and covariance of.

    `|m - n|² + tr(A) + tr(B) - 2 tr((A½ B A½)½)`. It shrinks with the number of pictures; compare only distances of
    sets of one size.

    Args:
        first: (N, D) features, N at least 2.
        second: (M, D) features, M at least 2.

    Raises:
        ValueError: A set is too small, or the features are of different networks.
    """
    if min(len(first), len(second)) < 2 or first.shape[1:] != second.shape[1:]:
        message = f"sets of shape {first.shape} and {second.shape} have no distance: give at least 2 rows of one width"
        raise ValueError(message)
    mean, other_mean = (each.mean(axis=0, dtype=np.float64) for each in (first, second))
    around, other_around = first - mean, second - other_mean
    if len(first) + len(second) < first.shape[1]:
        # Few pictures fill a corner of the features' space only: what happens there is all there is.
        axes = np.linalg.qr(np.concatenate([around, other_around]).T)[0]
        around, other_around = around @ axes, other_around @ axes
    scatter, other_scatter = (each.T @ each / (len(each) - 1) for each in (around, other_around))
    strengths, axes = np.linalg.eigh(scatter)
    root = (axes * np.sqrt(strengths.clip(0.0))) @ axes.T
    shared = np.sqrt(np.linalg.eigvalsh(root @ other_scatter @ root).clip(0.0)).sum()
    apart = float(np.square(mean - other_mean).sum())
    return max(apart + float(np.trace(scatter) + np.trace(other_scatter) - 2.0 * shared), 0.0)
