"""What is behind a head."""

import cv2
import numpy as np
from numpy.typing import NDArray


def before_backdrop(picture: NDArray[np.uint8], backdrop: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Puts a cut-out before a smooth backdrop.

    Args:
        picture: (H, W, 4) BGRA, straight alpha.
        backdrop: (4, 3) sRGB 0..1 of the corners: upper left and right, lower left and right.

    Returns:
        (H, W, 3) BGR.
    """
    height, width = picture.shape[:2]
    corners = backdrop[:, ::-1].reshape(2, 2, 3).astype(np.float32)
    behind = 255.0 * cv2.resize(corners, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR)
    behind = behind[height // 2 : height // 2 + height, width // 2 : width // 2 + width]
    alpha = picture[..., 3:].astype(np.float32) / 255.0
    mixed = alpha * picture[..., :3] + (1.0 - alpha) * behind
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
