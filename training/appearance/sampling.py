"""Where the image stage looks: the landmark graph's maps, picked at landmarks.

Around a landmark that the tracker has placed, the maps tell how far it really is from there, in whatever way the head
is turned; a convolution over the whole map would have to find the place first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import torch

from au_mocap.blendshapes import POINTS
from au_mocap.landmark_model import INPUT_PX, OUTPUTS

PLACES: Final = (
    *POINTS,
    *(35, 36, 47, 116, 117, 139, 187, 211, 213, 214, 216, 219),
    *(265, 266, 277, 345, 346, 368, 411, 431, 433, 434, 436, 439),
)
"""Landmarks that are looked at: those of MediaPipe's scores, and cheeks, temples, nostrils and folds between them."""


@dataclass(frozen=True, slots=True)
class Look:
    """How one map is looked at.

    Attributes:
        offsets: Places around each landmark, in cells of the map.
    """

    offsets: tuple[tuple[float, float], ...] = ((0.0, 0.0),)

    def channels(self, name: str) -> int:
        """Numbers for each landmark."""
        return len(self.offsets) * OUTPUTS[name][0]


LOOKS: Final[Mapping[str, Look]] = {
    "map_64": Look(((-0.75, -0.75), (0.75, -0.75), (-0.75, 0.75), (0.75, 0.75))),
    "map_32": Look(),
    "map_16": Look(),
}


def columns(maps: tuple[str, ...]) -> list[int]:
    """Which numbers of a sample of all maps belong to some of them."""
    kept: list[int] = []
    start = 0
    for name, look in LOOKS.items():
        count = look.channels(name)
        kept += range(start, start + count) if name in maps else ()
        start += count
    return kept


def places(landmarks_px: torch.Tensor) -> torch.Tensor:
    """(N, 478, 3) landmarks in pixels of the tile to (N, L, 2) of `PLACES`, the tile reaching from -1 to 1."""
    return landmarks_px[:, list(PLACES), :2] * (2.0 / INPUT_PX) - 1.0


def sample(at: torch.Tensor, maps: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Picks maps at places, between their cells, the nearest edge's value beyond them.

    This is `torch.nn.functional.grid_sample` written with whole rows of channels: onnxruntime runs it in a third of the
    time.

    Args:
        at: (N, L, 2) from `places`.
        maps: (N, C, S, S) by name, in the order of `LOOKS`.

    Returns:
        (N, L, K): for each place the channels of each map at each offset.
    """
    picked: list[torch.Tensor] = []
    for name, table in maps.items():
        side = OUTPUTS[name][-1]
        offsets = torch.tensor(LOOKS[name].offsets, dtype=at.dtype)
        cells = ((at[:, :, None] + 1.0) * (side / 2.0) - 0.5 + offsets).clamp(0.0, side - 1.0)
        corner = cells.floor().clamp(max=side - 2.0)
        x_share, y_share = (cells - corner)[..., :1], (cells - corner)[..., 1:]
        column, row = corner[..., 0].long(), corner[..., 1].long()
        start = torch.arange(table.shape[0])[:, None, None] * side * side
        index = start + row * side + column
        rows = table.flatten(2).transpose(1, 2).flatten(0, 1)
        above = rows[index] * (1.0 - x_share) + rows[index + 1] * x_share
        below = rows[index + side] * (1.0 - x_share) + rows[index + side + 1] * x_share
        picked.append((above * (1.0 - y_share) + below * y_share).flatten(2))
    return torch.cat(picked, dim=2)
