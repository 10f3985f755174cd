"""Small clips for tests, written with the ffmpeg program."""

import subprocess
from pathlib import Path

import pytest

TONE_FROM_S = 0.5


def ffmpeg(*arguments: str | Path) -> None:
    """Run the ffmpeg program that the test environment brings."""
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="no ffmpeg to write test clips with")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *(str(argument) for argument in arguments)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")


def write_clip(path: Path, seconds: float = 2.0, rate_hz: float = 30.0, sound: bool = True) -> Path:
    """A test picture, and a tone from half a second on."""
    picture = ("-f", "lavfi", "-i", f"testsrc=d={seconds}:r={rate_hz}:s=160x120")
    tone = ("-f", "lavfi", "-i", f"aevalsrc='if(gt(t,{TONE_FROM_S}),sin(6283*t),0)':d={seconds}") if sound else ()
    ffmpeg(*picture, *tone, "-pix_fmt", "yuv420p", path)
    return path
