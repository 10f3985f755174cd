"""One picture of a take: curves of the active channels over time, with pictures of the video."""

import warnings
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from . import channels, portraits, rotations
from .arrays import Floats
from .calibration import Curves
from .errors import OutputError
from .files import replacing
from .take import Take

_THUMBNAILS: Final = 10
_THUMBNAIL_PX: Final = 180
_LEFT, _RIGHT, _MIDDLE, _HEAD = "#2a78b5", "#d9662b", "#4d4d4d", ("#7a4fa3", "#3b8f5a", "#b8860b")


def require_matplotlib() -> None:
    """Makes sure, before any work is done, that a picture can be drawn.

    Raises:
        OutputError: matplotlib is not installed.
    """
    try:
        import_module("matplotlib")
    except ImportError as error:
        message = "Reports need matplotlib: pip install matplotlib."
        raise OutputError(message) from error


def write(take: Take, curves: Curves, path: Path, video: Path | None = None) -> None:
    """Draws a take.

    Args:
        take: The take.
        curves: Its curves.
        path: PNG to write.
        video: The video for the thumbnails; None takes the path that the take remembers. Where it cannot be opened or
            has another size, the report goes without pictures.

    Raises:
        OutputError: matplotlib is missing or the file cannot be written.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    pairs = active_channels(curves.values)
    pictures = _thumbnails(take, video)
    ratios = [2.2 if pictures else 0.01, *[1.0] * len(pairs), 2.0]
    figure: Any = Figure(figsize=(13, 0.9 + 0.42 * sum(ratios)), dpi=110, facecolor="white")
    grid = figure.add_gridspec(
        len(ratios), 1, height_ratios=ratios, hspace=0.12, left=0.17, right=0.98, top=1 - 0.45 / figure.get_figheight(),
        bottom=0.5 / figure.get_figheight(),
    )  # fmt: skip
    axes = [figure.add_subplot(cell) for cell in grid]
    span = (float(curves.time_s[0]), float(max(curves.time_s[-1], curves.time_s[0] + 1e-3)))
    _draw_thumbnails(axes[0], pictures, span)
    for axis, ids in zip(axes[1:-1], pairs, strict=True):
        _draw_channel(axis, take, curves, ids, span)
    _draw_head(axes[-1], take, curves, span)
    name = take.meta.get("source", {}).get("name", "take")
    found = f"{int(take.found.sum())} of {len(take)} frames with a face"
    figure.suptitle(
        f"{name}   ·   {found}   ·   neutral confidence {curves.neutral.confidence:.2f}",
        x=0.17, ha="left", fontsize=11, parse_math=False, y=1 - 0.14 / figure.get_figheight(),
    )  # fmt: skip
    with replacing(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # a name in a script that the font lacks
        figure.savefig(temporary, format="png")


def active_channels(values: Floats) -> list[tuple[str, ...]]:
    """Channels that are present somewhere, sides together, in the vocabulary's order; means of sides are left out."""
    peaks = np.nan_to_num(np.nanmax(np.concatenate([values, np.zeros((1, values.shape[1]))]), axis=0))
    groups: list[tuple[str, ...]] = []
    for channel in channels.CHANNELS:
        if channel.id in channels.SIDES_OF or channel.side == "R":
            continue
        ids = (channel.id, channels.mirrored(channel.id)) if channel.side == "L" else (channel.id,)
        if max(peaks[channels.INDEX[channel_id]] for channel_id in ids) > channels.PRESENT_ABOVE:
            groups.append(ids)
    return groups


def _draw_channel(axis: Any, take: Take, curves: Curves, ids: tuple[str, ...], span: tuple[float, float]) -> None:  # noqa: ANN401
    colors = (_LEFT, _RIGHT) if len(ids) == 2 else (_MIDDLE,)
    for channel_id, color in zip(ids, colors, strict=True):
        curve = curves.values[:, channels.INDEX[channel_id]]
        axis.fill_between(curves.time_s, 0, curve, color=color, alpha=0.18, linewidth=0)
        axis.plot(curves.time_s, curve, color=color, linewidth=1.1)
    label = channels.CHANNELS[channels.INDEX[ids[0]]].label.removesuffix(", left")
    axis.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8.5, labelpad=8)
    axis.set_ylim(0, 1.02)
    _dress(axis, take, curves, span)


def _draw_head(axis: Any, take: Take, curves: Curves, span: tuple[float, float]) -> None:  # noqa: ANN401
    angles = np.degrees(rotations.to_angles(rotations.to_matrices(curves.head_rotation)))
    for column, (name, color) in enumerate(zip(("yaw", "pitch", "roll"), _HEAD, strict=True)):
        axis.plot(curves.time_s, angles[:, column], color=color, linewidth=1.2, label=name)
    low, high = axis.get_ylim()
    axis.set_ylim(low, high + 0.35 * (high - low))  # room for the legend
    axis.set_ylabel("Head, degrees", rotation=0, ha="right", va="center", fontsize=8.5, labelpad=8)
    axis.legend(loc="upper right", ncols=3, fontsize=8, frameon=False)
    _dress(axis, take, curves, span)
    axis.tick_params(labelbottom=True, bottom=True, labelleft=True, labelsize=8)
    axis.set_xlabel("seconds      blue: the actor's left, orange: right, grey shade: no face", fontsize=8.5)


def _dress(axis: Any, take: Take, curves: Curves, span: tuple[float, float]) -> None:  # noqa: ANN401
    lost = ~take.found
    axis.fill_between(
        curves.time_s,
        0,
        1,
        where=lost.tolist(),
        transform=axis.get_xaxis_transform(),
        color="#bbbbbb",
        alpha=0.5,
        linewidth=0,
        step="mid",
    )
    axis.set_xlim(*span)
    axis.tick_params(labelbottom=False, labelleft=False, bottom=False, left=False)
    for spine in ("top", "right", "left"):
        axis.spines[spine].set_visible(False)
    axis.spines["bottom"].set_color("#cccccc")


def _draw_thumbnails(axis: Any, pictures: list[tuple[float, NDArray[np.uint8]]], span: tuple[float, float]) -> None:  # noqa: ANN401
    axis.set_axis_off()
    axis.set_xlim(*span)
    axis.set_ylim(0, 1)
    for index, (time_s, picture) in enumerate(pictures):
        left = index / len(pictures)
        inset = axis.inset_axes((left, 0.06, 0.97 / len(pictures), 0.9))
        inset.imshow(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        inset.set_title(f"{time_s:.2f} s", fontsize=7.5, pad=2)
        inset.set_axis_off()


def _thumbnails(take: Take, video: Path | None) -> list[tuple[float, NDArray[np.uint8]]]:
    """Pictures of the face from the middles of equal stretches of the take; empty where the video is gone."""
    wanted = {int((index + 0.5) * len(take) / _THUMBNAILS) for index in range(_THUMBNAILS)}
    found = portraits.portraits(take, wanted, _THUMBNAIL_PX, video).pictures
    return [(picture.time_s, picture.image) for picture in found]
