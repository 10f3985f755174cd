"""Cameras through OpenCV, and what may be wrong with them in words that help."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import cv2
import numpy as np

from ..errors import LiveError
from ..remote_process import HelperError, python
from .frames import SourceFrame

SYSTEM: Final = Path("/sys/class/video4linux")
DEVICES: Final = Path("/dev")

_GUESSED: Final = 4
"""Indexes that are offered where the system gives no names; to try them all would switch cameras on."""
_FIRST_FRAME_S: Final = 5.0
_LOST_S: Final = 2.0
_PROBE_S: Final = 30.0
_SKIP_ASKING: Final = "OPENCV_AVFOUNDATION_SKIP_AUTH"
_COMPRESSED_FROM_PX: Final = 640 * 480
_STAMP_S: Final = 0.5
"""Drivers' time stamps farther from now than this are of another clock."""


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """A camera that may be there.

    Attributes:
        index: What `CameraSource` opens it by.
        name: What to show to people.
    """

    index: int
    name: str


class Capture(Protocol):
    """What is used of a `cv2.VideoCapture`."""

    def isOpened(self) -> bool: ...  # noqa: D102, N802 - OpenCV's own names
    def set(self, propId: int, value: float) -> bool: ...  # noqa: D102, N803
    def get(self, propId: int) -> float: ...  # noqa: D102, N803
    def grab(self) -> bool: ...  # noqa: D102
    def retrieve(self) -> tuple[bool, Any]: ...  # noqa: D102
    def release(self) -> None: ...  # noqa: D102


def cameras(system: Path = SYSTEM) -> tuple[CameraInfo, ...]:
    """The cameras to choose from, without switching any of them on.

    On Linux those that the kernel lists, with their names. Elsewhere the first few indexes, whether there is a camera
    behind them or not: OpenCV can tell no more.

    Args:
        system: Where the kernel lists video devices.
    """
    if sys.platform != "linux":
        return tuple(CameraInfo(index, f"Camera {index}") for index in range(_GUESSED))
    found: list[CameraInfo] = []
    with contextlib.suppress(OSError):  # no video devices at all
        for device in system.iterdir():
            number = device.name.removeprefix("video")
            # A camera's further devices (index 1 and up) carry descriptions of its pictures, no pictures.
            if number.isdigit() and _line(device / "index") in ("", "0"):
                found.append(CameraInfo(int(number), _line(device / "name") or f"Camera {number}"))
    return tuple(sorted(found, key=lambda camera: camera.index))


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _open_capture(index: int) -> Capture:
    backend = {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_AVFOUNDATION, "win32": cv2.CAP_DSHOW}.get(sys.platform, 0)
    # How long the driver may keep `grab` waiting (10 s without this); and on macOS no question, since OpenCV would wait
    # for its answer in the main thread, which this is not: `check_permission` has asked.
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")
    os.environ.setdefault(_SKIP_ASKING, "1")
    level = cv2.setLogLevel(0)
    try:
        return cv2.VideoCapture(index, backend)
    finally:
        cv2.setLogLevel(level)


class CameraSource:
    """A camera of this computer."""

    def __init__(
        self,
        index: int,
        size_px: tuple[int, int] | None = None,
        rate_hz: float | None = None,
        *,
        open_capture: Callable[[int], Capture] = _open_capture,
        devices: Path = DEVICES,
    ) -> None:
        """Names the camera; it is switched on later.

        Args:
            index: As `cameras` lists it.
            size_px: Width and height to ask for; None for the camera's own.
            rate_hz: Frames per second to ask for; None for the camera's own.
            open_capture: Opens the camera of an index.
            devices: Where Linux keeps its device files.
        """
        self.index = index
        self.name = next((camera.name for camera in cameras() if camera.index == index), f"Camera {index}")
        self.size_px = size_px or (0, 0)
        self.rate_hz = rate_hz or 0.0
        self.ended = False
        self._wanted = (size_px, rate_hz)
        self._open_capture = open_capture
        self._devices = devices
        self._capture: Capture | None = None
        self._count = -1
        self._captured_s = 0.0
        self._last_good_s = 0.0

    def open(self) -> None:
        """Switches the camera on and waits for its first picture; see `Source.open`."""
        if self.index < 0:
            message = f"There is no camera {self.index}: cameras are counted from 0."
            raise LiveError(message)
        if sys.platform == "darwin":
            check_permission(self.index)
        capture = self._open_capture(self.index)
        self._capture = capture
        if not capture.isOpened():
            self.close()
            raise LiveError(self._why_closed())
        self._ask(capture)
        started_s = time.perf_counter()
        while not capture.grab():
            if time.perf_counter() - started_s > _FIRST_FRAME_S:
                self.close()
                message = (
                    f"{self.name} gives no picture: another program may be using it. Close that (a video call, another "
                    "Blender), or plug the camera in again."
                )
                raise LiveError(message)
            time.sleep(0.05)
        self._check_size(capture)
        self._last_good_s = time.perf_counter()

    def read(self, timeout_s: float) -> SourceFrame | None:
        """Waits for the next picture; see `Source.read`."""
        capture = self._capture
        if capture is None:
            return None
        started_s = time.perf_counter()
        good = capture.grab()
        now_s = time.perf_counter()
        good, image = capture.retrieve() if good else (False, None)
        if good and image is not None and image.size:
            self._last_good_s = now_s
            self._count += 1
            self._captured_s = max(self._moment(capture, now_s), float(np.nextafter(self._captured_s, np.inf)))
            # OpenCV gives every picture memory of its own.
            return SourceFrame(self._count, self._captured_s, np.asarray(image, np.uint8))
        if now_s - self._last_good_s > _LOST_S:
            self.close()
            message = f"{self.name} gives no more pictures: plug it in again, then start again."
            raise LiveError(message)
        time.sleep(max(min(timeout_s - (now_s - started_s), 0.02), 0.0))
        return None

    def close(self) -> None:
        """Switches the camera off; see `Source.close`."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    def _ask(self, capture: Capture) -> None:
        size_px, rate_hz = self._wanted
        # No queue that grows old; but with a single buffer the driver would have none to fill while it is read.
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 2)
        if size_px is not None:
            if size_px[0] * size_px[1] > _COMPRESSED_FROM_PX:  # uncompressed, USB carries a few frames a second of it
                capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, size_px[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size_px[1])
        if rate_hz is not None:
            capture.set(cv2.CAP_PROP_FPS, rate_hz)

    def _check_size(self, capture: Capture) -> None:
        size_px = (round(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), round(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
        wanted = self._wanted[0]
        if wanted is not None and size_px != wanted:
            self.close()
            message = (
                f"{self.name} does not give {wanted[0]} x {wanted[1]} pictures: choose {size_px[0]} x {size_px[1]}, or "
                "let the camera decide."
            )
            raise LiveError(message)
        self.size_px = size_px
        rate_hz = capture.get(cv2.CAP_PROP_FPS)
        self.rate_hz = float(rate_hz) if 0 < rate_hz < 1000 else 0.0

    def _moment(self, capture: Capture, now_s: float) -> float:
        """When the picture was taken: by the driver's stamp where that is of this clock, or else now."""
        stamp_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
        return stamp_s if 0.0 <= now_s - stamp_s < _STAMP_S else now_s

    def _why_closed(self) -> str:
        if sys.platform == "linux":
            device = self._devices / f"video{self.index}"
            if not device.exists():
                others = ", ".join(f"{camera.index} ({camera.name})" for camera in cameras())
                return f"There is no camera {self.index}: " + (f"choose {others}." if others else "plug one in.")
            if not os.access(device, os.R_OK | os.W_OK):
                return f"{device} may not be opened: add yourself to the group 'video', then log in again."
            return f"{self.name} cannot be opened: close other programs that film, or choose another camera."
        settings = "Settings > Privacy & security > Camera" if sys.platform == "win32" else "System Settings > Privacy"
        return (
            f"Camera {self.index} cannot be opened: plug it in, close other programs that film, and allow Blender to "
            f"use cameras in {settings}; or choose another index."
        )


_PROBE: Final = (
    "import sys; sys.path.insert(0, sys.argv[2]); import cv2; "
    "capture = cv2.VideoCapture(int(sys.argv[1])); sys.exit(0 if capture.isOpened() else 3)"
)


def check_permission(index: int, program: str = _PROBE) -> None:
    """Opens a camera in a process of its own first, where the system may end whoever does so without permission.

    macOS ends every program that touches a camera without a description of what for, and Blender's bundle has none: the
    whole scene would be lost. A child that dies in its place costs nothing; run from a terminal that may use the
    camera, both live.

    Args:
        index: The camera.
        program: Python source that gets the index and OpenCV's folder.

    Raises:
        LiveError: The child was ended by the system, or did not get through.
    """
    folder = str(Path(str(cv2.__file__)).parents[1])
    # The child may ask for permission: it has a main thread to wait in.
    environment = {name: value for name, value in os.environ.items() if name != _SKIP_ASKING}
    try:
        done = subprocess.run(
            [python(), "-c", program, str(index), folder],
            capture_output=True,
            timeout=_PROBE_S,
            check=False,
            env=environment,
        )
    except (HelperError, OSError):  # no Python to try it with: the user decides
        return
    except subprocess.TimeoutExpired as error:
        message = f"Camera {index} does not answer: answer the system's question about cameras, then start again."
        raise LiveError(message) from error
    if done.returncode < 0:
        message = (
            "The system does not let Blender use cameras. Start Blender from a terminal (on macOS: "
            "/Applications/Blender.app/Contents/MacOS/Blender) and allow the terminal to use the camera in System "
            "Settings > Privacy & Security > Camera."
        )
        raise LiveError(message)
