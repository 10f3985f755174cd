"""Writes test clips whose every frame carries its own number in black and white blocks."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

BITS: Final = 10
BLOCK_PX: Final = 32
WIDTH_PX: Final = BITS * BLOCK_PX
HEIGHT_PX: Final = 2 * BLOCK_PX


def numbered_image(number: int) -> NDArray[np.uint8]:
    """Return (64, 320, 3) uint8: the number's bits as blocks in the upper half, lowest first; the rest is grey."""
    image = np.full((HEIGHT_PX, WIDTH_PX, 3), 128, np.uint8)
    for bit in range(BITS):
        image[:BLOCK_PX, bit * BLOCK_PX : (bit + 1) * BLOCK_PX] = 255 if number >> bit & 1 else 0
    return image


def read_number(image: NDArray[np.uint8]) -> int:
    """Return the number that `numbered_image` wrote, after any lossy codec."""
    upper = image[8 : BLOCK_PX - 8].mean(axis=(0, 2)).reshape(BITS, BLOCK_PX)[:, 8:-8].mean(axis=1)
    return int(sum(1 << bit for bit in range(BITS) if upper[bit] > 128))


def ffmpeg(*arguments: str | Path, stdin: bytes | None = None) -> None:
    """Run the ffmpeg program, skipping the test where there is none."""
    try:
        import imageio_ffmpeg

        program = imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError):
        program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("no ffmpeg to write test clips with: python make.py env installs imageio-ffmpeg")
    command = [program, "-v", "error", "-y", *(str(argument) for argument in arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")


def write_clip(
    path: Path, numbers: Sequence[int], *options: str | Path, rate_hz: int = 30, before: Sequence[str] = ()
) -> Path:
    """Write a clip of numbered frames.

    Args:
        path: The file; its suffix names the container.
        numbers: The number in each frame.
        options: ffmpeg's output options, H.264 with B-frames without any codec option.
        rate_hz: Rate of the frames fed in.
        before: ffmpeg's input options.
    """
    raw = b"".join(numbered_image(number).tobytes() for number in numbers)
    codec = () if "-c:v" in options else ("-c:v", "libx264", "-bf", "3", "-g", "60", "-pix_fmt", "yuv420p")
    source = ("-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{WIDTH_PX}x{HEIGHT_PX}", "-r", str(rate_hz))
    ffmpeg(*source, *before, "-i", "-", *codec, *options, path, stdin=raw)
    return path
