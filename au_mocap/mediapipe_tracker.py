"""The second tracker: Google's `mediapipe` package, for those who have it installed."""

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from .crops import readable
from .errors import TrackerError
from .landmark_model import crop_around
from .landmarks import COUNT
from .tracking import TrackedFace, shown_share

BUNDLE_VARIABLE: Final = "AU_MOCAP_FACE_LANDMARKER"
"""Environment variable that names the `face_landmarker.task` file where none is handed in."""

_INSTALL: Final = "Install it with `pip install mediapipe==0.10.21`, or use the tracker 'onnx', which needs nothing."


class MediapipeTracker:
    """Follows a face with the mediapipe package's Face Landmarker in VIDEO mode.

    It follows whichever face the package picks, and its landmarks are smoothed over time by the package. The package
    gives no presence score, so the confidence says how much of the face the frame shows, not whether anything hides it.
    """

    name = "mediapipe"

    def __init__(self, bundle: Path | None = None) -> None:
        """Loads the package and its bundle.

        Args:
            bundle: Google's `face_landmarker.task`; None to take the file that `AU_MOCAP_FACE_LANDMARKER` names.

        Raises:
            TrackerError: The package or the bundle is missing or cannot be loaded.
        """
        self._bundle = _bundle(bundle)
        self._package = _package()
        self.version = str(self._package.__version__)
        self._landmarker: Any = None
        self._last_ms = -1
        self.reset()

    def reset(self, maps: Sequence[str] = ()) -> None:  # noqa: ARG002 - the package keeps its graphs' maps to itself
        """Forgets the face; see `FaceTracker.reset`."""
        if self._landmarker is not None:
            self._landmarker.close()
        self._landmarker = self._create()
        self._last_ms = -1

    def track(self, image: NDArray[Any], time_s: float) -> TrackedFace | None:
        """Finds the face in the next frame; see `FaceTracker.track`."""
        frame = readable(image)
        self._last_ms = max(round(time_s * 1000), self._last_ms + 1)  # the package refuses times that do not grow
        rgb = self._package.Image(
            image_format=self._package.ImageFormat.SRGB, data=cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        )
        faces = self._landmarker.detect_for_video(rgb, self._last_ms).face_landmarks
        if not faces:
            return None
        height, width = frame.shape[:2]
        points = np.array([(point.x * width, point.y * height, point.z * width) for point in faces[0]], np.float32)
        if points.shape != (COUNT, 3):
            message = f"{self._bundle} finds {len(points)} landmarks, expected {COUNT}. Use the official bundle."
            raise TrackerError(message)
        crop = crop_around(points)
        return TrackedFace(points, crop, shown_share(points, crop, frame))

    def _create(self) -> Any:  # noqa: ANN401 - the package is not typed
        tasks = importlib.import_module("mediapipe.tasks.python")
        vision = importlib.import_module("mediapipe.tasks.python.vision")
        try:
            options = vision.FaceLandmarkerOptions(
                base_options=tasks.BaseOptions(model_asset_buffer=self._bundle.read_bytes()),
                running_mode=vision.RunningMode.VIDEO,
                num_faces=1,
            )
            return vision.FaceLandmarker.create_from_options(options)
        except (OSError, RuntimeError, ValueError) as error:
            message = f"mediapipe cannot load {self._bundle}: {error}. Use the official face_landmarker.task."
            raise TrackerError(message) from error


def _bundle(bundle: Path | None) -> Path:
    named = os.environ.get(BUNDLE_VARIABLE)
    path = bundle or (Path(named) if named else None)
    if path is None or not path.is_file():
        what = "No face_landmarker.task was given" if path is None else f"{path} is not a file"
        message = (
            f"{what}. The tracker 'mediapipe' needs Google's face_landmarker.task: download it, then set "
            f"{BUNDLE_VARIABLE} to its path, or use the tracker 'onnx', which needs nothing."
        )
        raise TrackerError(message)
    return path


def _package() -> Any:  # noqa: ANN401 - the package is not typed
    try:
        return importlib.import_module("mediapipe")
    except ImportError as error:
        message = f"The mediapipe package is not installed ({error}). {_INSTALL}"
        raise TrackerError(message) from error
