"""Basic features: the frozen landmark graph's maps on a grid that five points align, weighted by landmark attention.

The paper turns the pictures before and after a frame by its five points. Here every frame's maps are laid over one and
the same template by its own five points, so that all of them are aligned with each other, whichever are compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import nn

from au_mocap.landmark_model import INPUT_PX, OUTPUTS
from au_mocap.landmarks import IPD_M, LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS, canonical_face

GRID: Final = 16
"""Cells of the grid along a side."""

OFFSETS: Final[Mapping[str, tuple[tuple[float, float], ...]]] = {
    "map_64": ((-0.75, -0.75), (0.75, -0.75), (-0.75, 0.75), (0.75, 0.75)),
    "map_32": ((0.0, 0.0),),
    "map_16": ((0.0, 0.0),),
}
"""The maps that are read, fine to coarse, and where around the middle of each cell, in cells of the map."""

LOW: Final = ("map_64",)
"""Low-level maps, read as they are; the others are weighted by attention."""

CHANNELS: Final = sum(len(offsets) * OUTPUTS[name][0] for name, offsets in OFFSETS.items())

_FIVE: Final = (LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS, (1,), (291,), (61,))
"""Landmarks whose means are the five points: eyes, tip of the nose, corners of the mouth."""

ATTENDED_POINTS: Final = (
    *(162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389),
    *(71, 63, 105, 66, 107, 336, 296, 334, 293, 301),
    *(168, 197, 5, 4, 75, 97, 2, 326, 305),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),
    *(78, 82, 13, 312, 308, 317, 14, 87),
)
"""Where heat maps peak: the mesh's landmarks at the 68 places that face alignment networks are trained for."""

_SPREAD_CELLS: Final = 1.0
_MARGIN: Final = 1.05
_LEAST_SIZE_PX2: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Template:
    """The face that all are laid over, in distances between the eyes.

    Attributes:
        points: (5, 2) the five points, their mean at the origin.
        cells: (GRID², 2) middles of the grid's cells, row by row.
        cell: Side of a cell.
    """

    points: torch.Tensor
    cells: torch.Tensor
    cell: float


def _template() -> _Template:
    face = torch.from_numpy(canonical_face().points[:, :2] / IPD_M).float()
    points = five(face[None])[0]
    middle = points.mean(dim=0)
    low, high = face.amin(dim=0) - middle, face.amax(dim=0) - middle
    side = float((high - low).max()) * _MARGIN
    steps = (torch.arange(GRID) + 0.5) / GRID - 0.5
    down, across = torch.meshgrid(steps, steps, indexing="ij")
    cells = torch.stack([across, down], dim=-1).flatten(0, 1) * side + (low + high) / 2
    return _Template(points - middle, cells, side / GRID)


def five(landmarks: torch.Tensor) -> torch.Tensor:
    """(N, 478, 2 or more) landmarks to (N, 5, 2): left and right eye, nose, left and right corner of the mouth."""
    return torch.stack([landmarks[:, list(each), :2].mean(dim=1) for each in _FIVE], dim=1)


class Basic(nn.Module):
    """From landmarks and maps of a tile to the paper's basic features F; nothing in it is learnt."""

    points: torch.Tensor
    cells: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        template = _template()
        self.register_buffer("points", template.points, persistent=False)
        self.register_buffer("cells", template.cells, persistent=False)
        self.reach = _SPREAD_CELLS * template.cell

    def forward(self, landmarks: torch.Tensor, maps: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """(N, 478, 3) pixels of the tile and (N, C, S, S) maps by name, in order, to (N, CHANNELS, GRID, GRID)."""
        places, size_px2 = self.place(landmarks)
        attention = self.attend(landmarks, places, size_px2).unflatten(1, (1, GRID, GRID))
        picked: list[torch.Tensor] = []
        for name, table in maps.items():
            for offset in OFFSETS[name]:
                cells = places * (2.0 / INPUT_PX) - 1.0 + places.new_tensor(offset) * (2.0 / OUTPUTS[name][-1])
                grid = cells.unflatten(1, (GRID, GRID))
                seen = nn.functional.grid_sample(table, grid, padding_mode="border", align_corners=False)
                picked.append(seen if name in LOW else seen * attention)
        return torch.cat(picked, dim=1)

    def place(self, landmarks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Where the grid's cells lie: (N, GRID², 2) pixels of the tile, and (N, 1, 1) pixels² of a square of theirs.

        The similarity is the one that least squares fits to the five points.
        """
        seen = five(landmarks)
        middle = seen.mean(dim=1, keepdim=True)
        x, y = seen[..., 0] - middle[..., 0], seen[..., 1] - middle[..., 1]
        across, down = self.points.unbind(dim=1)
        spread = self.points.square().sum()
        cosine = ((x * across + y * down).sum(dim=1) / spread)[:, None]
        sine = ((y * across - x * down).sum(dim=1) / spread)[:, None]
        right, below = self.cells.unbind(dim=1)
        turned = torch.stack([cosine * right - sine * below, sine * right + cosine * below], dim=2)
        return turned + middle, (cosine.square() + sine.square()).clamp_min(_LEAST_SIZE_PX2)[..., None]

    def attend(self, landmarks: torch.Tensor, places: torch.Tensor, size_px2: torch.Tensor) -> torch.Tensor:
        """(N, GRID²) heat maps of the landmarks in one plane, 0..1: at each cell the strongest."""
        away = places[:, :, None] - landmarks[:, None, list(ATTENDED_POINTS), :2]
        nearest = away.square().sum(dim=3).amin(dim=2)
        return torch.exp(nearest / size_px2[..., 0] * (-0.5 / self.reach**2))
