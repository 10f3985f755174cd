"""What the shipped tracker makes of a rendered picture."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap.crops import Crop, Image
from au_mocap.landmark_model import LandmarkModel, LandmarkResult, crop_around
from au_mocap.registry import Registry
from au_mocap.sessions import open_session

_PRESENT: Final = 0.5
_SETTLING_RUNS: Final = 2


class Tracked:
    """The landmark graph on single pictures, one thread."""

    def __init__(self) -> None:
        """Loads the bundled landmark graph."""
        registry = Registry()
        graph = registry.path(registry.tracker("onnx").files["landmarks"])
        self._model = LandmarkModel(open_session(graph, "cpu"))

    def find(self, picture: Image) -> NDArray[np.float32] | None:
        """Landmarks (478, 3) px of a face that fills a square picture; None where the graph sees none."""
        side = float(picture.shape[0])
        found = self._model.run(picture, Crop(side / 2, side / 2, side, 0.0))
        for _ in range(_SETTLING_RUNS):
            found = self._model.run(picture, crop_around(found.landmarks))
        return found.landmarks if found.presence > _PRESENT else None

    def follow(self, picture: Image, truth: NDArray[np.float32], rng: np.random.Generator) -> LandmarkResult:
        """Looks where tracking would: at the crop around the (478, 3) true landmarks, off by a frame's motion."""
        crop = crop_around(truth)
        shift = rng.normal(0.0, 0.015, 2) * crop.side_px
        return self._model.run(
            picture,
            Crop(
                center_x_px=crop.center_x_px + float(shift[0]),
                center_y_px=crop.center_y_px + float(shift[1]),
                side_px=crop.side_px * float(np.clip(rng.normal(1.0, 0.04), 0.85, 1.15)),
                roll_rad=crop.roll_rad + float(rng.normal(0.0, 0.03)),
            ),
        )
