"""What a camera, its signal chain and a codec do to a picture.

Conditions are drawn once for a clip, so that a clip is consistent, and applied to each of its frames with fresh noise.
Most clips look like decent webcam or phone video; the worse they are, the rarer.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Codec = Literal["none", "jpeg", "webp"]
Resampling = Literal["area", "linear", "cubic"]

FACE_PX: Final = (80.0, 600.0)
"""Widths of the face, in pixels that the camera really resolved."""

_FACE_IN_PICTURE: Final = 0.6
"""Usual width of the face against the picture's."""

_INTERPOLATIONS: Final[dict[Resampling, int]] = {
    "area": cv2.INTER_AREA,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
}
_TILE_PX: Final = 1024
_LUMA_BGR: Final = np.array([0.114, 0.587, 0.299])
_MIDDLE: Final = 0.45
"""Grey, as a share of white, that contrast turns about."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """How one clip was filmed and stored.

    Attributes:
        side_px: Pixels that the camera resolved across the picture; nothing is lost where the picture has fewer.
        down: How the camera came to that resolution.
        up: How the picture is enlarged again.
        defocus_px: Radius of the circle of confusion, in resolved pixels.
        motion_px: Longest way that the picture moves during an exposure, in resolved pixels.
        motion_rad: Direction of that way, x to the right and y down.
        gains: Exposure and white balance: (blue, green, red) factors in linear light.
        lift: Added to black, 0..1 of white.
        contrast: Factor about middle grey.
        gamma: Exponent; above 1 darkens the middle.
        saturation: 0 grey, 1 as it is.
        bands: Levels of each colour that remain; 256 leaves all.
        vignette: Loss of light in the corners, 0..1.
        luma_noise: Standard deviation of the brightness noise in mid-tones, in grey levels 0..255.
        chroma_noise: Standard deviation of the blotchy colour noise in mid-tones, in grey levels.
        shadow_noise: How many times more noise black shows than white.
        sharpening: Strength of the halo round edges, 0 none.
        codec: JPEG (4:2:0) or an intra frame of VP8 (WebP).
        quality: Of the codec, 1..100.
    """

    side_px: int = 4096
    down: Resampling = "area"
    up: Resampling = "linear"
    defocus_px: float = 0.0
    motion_px: float = 0.0
    motion_rad: float = 0.0
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)
    lift: float = 0.0
    contrast: float = 1.0
    gamma: float = 1.0
    saturation: float = 1.0
    bands: int = 256
    vignette: float = 0.0
    luma_noise: float = 0.0
    chroma_noise: float = 0.0
    shadow_noise: float = 1.0
    sharpening: float = 0.0
    codec: Codec = "none"
    quality: int = 90


def sample(rng: np.random.Generator) -> Conditions:
    """Draws a clip's conditions; one hidden measure of how bad the equipment is ties most of them together."""
    bad = float(rng.beta(1.1, 2.6))
    face_px = float(np.exp(rng.uniform(*np.log(FACE_PX))))
    if face_px < FACE_PX[0] * 2.0 and rng.random() > bad + 0.3:
        face_px *= 2.0  # tiny faces belong to bad clips
    exposure = float(np.exp2(rng.normal(0.0, 0.2 + 0.35 * bad)))
    warmth, tint = rng.normal(0.0, 0.05 + 0.08 * bad), rng.normal(0.0, 0.02 + 0.03 * bad)
    balance = np.exp([-warmth, tint, warmth])
    balance /= balance @ _LUMA_BGR
    codec: Codec = ("none", "webp", "jpeg")[int(np.searchsorted([0.12, 0.32], rng.random()))]
    quality = rng.normal(88.0 - 70.0 * bad, 8.0) - (20.0 if codec == "webp" else 0.0)  # the two scales differ
    return Conditions(
        side_px=round(face_px / _FACE_IN_PICTURE),
        down=_pick(("area", "area", "linear", "cubic"), rng),
        up=_pick(("linear", "cubic", "area"), rng),
        defocus_px=float(rng.exponential(0.25 + 0.6 * bad)) if rng.random() < 0.6 else 0.0,
        motion_px=float(rng.exponential(1.0 + 4.0 * bad)) if rng.random() < 0.35 else 0.0,
        motion_rad=float(rng.uniform(0.0, np.pi)),
        gains=(float(exposure * balance[0]), float(exposure * balance[1]), float(exposure * balance[2])),
        lift=float(max(rng.normal(0.0, 0.03), -0.04)),
        contrast=float(np.exp(rng.normal(0.0, 0.1 + 0.12 * bad))),
        gamma=float(np.exp(rng.normal(0.0, 0.08 + 0.1 * bad))),
        saturation=0.0 if rng.random() < 0.1 else float(np.clip(rng.normal(0.95, 0.2), 0.15, 1.5)),
        bands=int(rng.integers(24, 80)) if rng.random() < 0.05 else 256,
        vignette=float(rng.uniform(0.05, 0.5)) if rng.random() < 0.3 else 0.0,
        luma_noise=float(rng.exponential(0.5 + 3.5 * bad)),
        chroma_noise=float(rng.exponential(0.3 + 3.0 * bad)),
        shadow_noise=float(rng.uniform(1.0, 3.0)),
        sharpening=float(rng.uniform(0.1, 0.5 + 1.2 * bad)) if rng.random() < 0.45 else 0.0,
        codec=codec,
        quality=int(np.clip(quality, 5, 98)),
    )


def apply(picture: NDArray[np.uint8], conditions: Conditions, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Films a clean picture.

    Args:
        picture: (H, W, 3) uint8 BGR.
        conditions: The clip's; the same for all its frames.
        rng: Noise and motion of this frame.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        ValueError: The picture is larger than the noise that is kept.
    """
    height, width = picture.shape[:2]
    if max(height, width) > _TILE_PX:
        message = f"Pictures of at most {_TILE_PX} px can be filmed; this one has {width}x{height}."
        raise ValueError(message)
    scale = min(conditions.side_px / width, 1.0)
    image: NDArray[Any] = picture
    if scale < 1.0:
        side = max(round(width * scale), 1), max(round(height * scale), 1)
        image = cv2.resize(image, side, interpolation=_INTERPOLATIONS[conditions.down])
    image = _blurred(image, conditions, rng)
    image = _toned(image, conditions)
    image = _noisy(image, conditions, rng)
    if conditions.sharpening > 0:
        soft = cv2.GaussianBlur(image, (0, 0), 1.2)
        image = cv2.addWeighted(image, 1.0 + conditions.sharpening, soft, -conditions.sharpening, 0.0)
    if conditions.bands < 256:
        image = cv2.LUT(image, _bands(conditions.bands))
    image = _coded(image, conditions)
    if scale < 1.0:
        image = cv2.resize(image, (width, height), interpolation=_INTERPOLATIONS[conditions.up])
    return np.asarray(image, np.uint8)


def _pick(choices: tuple[Resampling, ...], rng: np.random.Generator) -> Resampling:
    return choices[rng.integers(len(choices))]


def _blurred(image: NDArray[np.uint8], conditions: Conditions, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Defocus, and this frame's share of the clip's motion."""
    if conditions.defocus_px > 0.2:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.6 * conditions.defocus_px), np.uint8)
    length_px = conditions.motion_px * rng.random()
    if length_px > 1.0:
        direction_rad = conditions.motion_rad + rng.normal(0.0, 0.2)
        image = np.asarray(cv2.filter2D(image, -1, _streak(length_px, direction_rad)), np.uint8)
    return image


def _streak(length_px: float, direction_rad: float) -> NDArray[np.float32]:
    """A kernel that smears along a line through its middle."""
    reach = int(np.ceil(length_px / 2))
    way = np.array([np.cos(direction_rad), np.sin(direction_rad)]) * length_px / 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    along = np.clip((x * way[0] + y * way[1]) / (way @ way), -1.0, 1.0)
    distance = np.hypot(x - along * way[0], y - along * way[1])
    kernel = np.maximum(1.0 - distance, 0.0)
    return (kernel / kernel.sum()).astype(np.float32)


def _toned(image: NDArray[np.uint8], conditions: Conditions) -> NDArray[np.uint8]:
    """Vignette, exposure, white balance, contrast, gamma and saturation; what is brighter than white is lost."""
    if conditions.vignette > 0:
        shade = _vignette(image.shape[0], image.shape[1], conditions.vignette)
        image = np.asarray(cv2.multiply(image, shade, dtype=cv2.CV_8U), np.uint8)
    light = (np.arange(256)[:, None] / 255.0) ** 2.2 * conditions.gains
    tone = np.clip(light, 0.0, 1.0) ** (conditions.gamma / 2.2)
    tone = (tone - _MIDDLE) * conditions.contrast + _MIDDLE + conditions.lift
    image = np.asarray(cv2.LUT(image, _levels(tone)[None]), np.uint8)
    if conditions.saturation != 1.0:
        grey = np.tile(_LUMA_BGR, (3, 1))
        mixture = conditions.saturation * np.eye(3) + (1.0 - conditions.saturation) * grey
        image = np.asarray(cv2.transform(image, mixture), np.uint8)
    return image


@lru_cache(maxsize=4)  # one clip's picture at a time
def _vignette(height: int, width: int, strength: float) -> NDArray[np.float32]:
    """(H, W, 3) share of the light that arrives."""
    y, x = np.mgrid[-1.0 : 1.0 : height * 1j, -1.0 : 1.0 : width * 1j]
    return np.repeat((1.0 - strength * ((x**2 + y**2) / 2.0) ** 1.5)[..., None], 3, axis=2).astype(np.float32)


def _noisy(image: NDArray[np.uint8], conditions: Conditions, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Fine noise of the brightness and blotchy noise of the colours, both stronger in the dark."""
    if max(conditions.luma_noise, conditions.chroma_noise) < 0.25:
        return image
    height, width = image.shape[:2]
    luma, chroma = _noise_tiles()
    cut = _cut(height, width, rng)
    noise = cv2.merge([luma[cut] * np.float32(conditions.luma_noise)] * 3)
    if conditions.saturation > 0:
        noise += chroma[_cut(height, width, rng)] * np.float32(conditions.chroma_noise)
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    darkness = np.linspace(1.0, 0.0, 256) ** 1.5
    strength = cv2.LUT(grey, (1.0 + (conditions.shadow_noise - 1.0) * darkness).astype(np.float32)[None])
    noise *= np.asarray(strength)[..., None]
    return np.asarray(cv2.add(image, noise, dtype=cv2.CV_8U), np.uint8)


@cache
def _noise_tiles() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Brightness noise (S, S) and colour noise (S, S, 3), of unit deviation; frames cut their own pieces from them."""
    rng = np.random.default_rng(0)
    luma = cv2.GaussianBlur(rng.standard_normal((_TILE_PX, _TILE_PX), np.float32), (0, 0), 0.45)
    chroma = cv2.GaussianBlur(rng.standard_normal((_TILE_PX, _TILE_PX, 3), np.float32), (0, 0), 1.6)
    chroma = chroma - chroma @ _LUMA_BGR.astype(np.float32)[:, None]  # it leaves the brightness alone
    return luma / luma.std(), (chroma / chroma.std()).astype(np.float32)


def _cut(height: int, width: int, rng: np.random.Generator) -> tuple[slice, slice]:
    """A random piece of the tile, at times turned over."""
    top, left = rng.integers(0, _TILE_PX - np.array([height, width]) + 1)
    step_y, step_x = rng.choice([-1, 1], 2)
    rows, columns = slice(top, top + height), slice(left, left + width)
    return _turned(rows, step_y), _turned(columns, step_x)


def _turned(piece: slice, step: int) -> slice:
    return piece if step > 0 else slice(piece.stop - 1, piece.start - 1 if piece.start else None, -1)


def _bands(count: int) -> NDArray[np.uint8]:
    steps = np.round(np.arange(256) / 255.0 * (count - 1)) / (count - 1)
    return _levels(steps)


def _levels(shares: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Shares of white as grey levels."""
    return np.clip(np.round(shares * 255.0), 0, 255).astype(np.uint8)


def _coded(image: NDArray[np.uint8], conditions: Conditions) -> NDArray[np.uint8]:
    if conditions.codec == "none":
        return image
    settings = {
        "jpeg": [cv2.IMWRITE_JPEG_QUALITY, conditions.quality],
        "webp": [cv2.IMWRITE_WEBP_QUALITY, conditions.quality],
    }
    suffix = ".jpg" if conditions.codec == "jpeg" else ".webp"
    coded = cv2.imencode(suffix, image, settings[conditions.codec])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
