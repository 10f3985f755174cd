"""Image stages: the heavy half of a regressor, run once a frame, whose answer a take keeps."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from . import blendshapes
from .clip_statistics import REMEMBERED, Deviation
from .crops import Image, readable
from .errors import ModelError, TrackerError
from .landmark_model import OUTPUTS, LandmarkModel
from .preprocessors import PREPROCESSORS
from .registry import ImageStage, Registry
from .runtimes import AUTOMATIC_THREADS, Session
from .sessions import open_session
from .tracking import TrackedFace

_LARGEST: Final = float(np.finfo(np.float16).max)
"""A take keeps embeddings as half floats."""


class Stage:
    """An image stage that is ready to run. One instance may be used by several threads at once.

    Attributes:
        entry: What the registry says of it.
        session: Session of its graph.
        maps: Outputs of the landmark graph that it reads; a tracker that can should hand them on with each face.
    """

    def __init__(self, entry: ImageStage, session: Session, landmark_model: Callable[[], LandmarkModel]) -> None:
        """Wraps a session; use `open_stage`.

        Args:
            entry: What the registry says of it.
            session: Session of its graph.
            landmark_model: Gives the landmark graph, for faces that come without its maps.
        """
        self.entry = entry
        self.session = session
        self.maps = entry.inputs
        self._landmark_model = landmark_model
        self._running = Deviation(REMEMBERED)

    def reset(self) -> None:
        """Forgets the clip seen so far; call it before another one is shown to `embed`."""
        self._running = Deviation(REMEMBERED)

    def embed(self, image: Image, face: TrackedFace) -> NDArray[np.float32]:
        """Looks at one face; a stage with clip statistics goes by those of the pictures since `reset`.

        Args:
            image: (H, W, 3) uint8 BGR.
            face: The face that was found in it. Where it lacks a map that is read, the landmark graph is run on its
                crop.

        Returns:
            (E,) float32.

        Raises:
            ModelError: The graph failed, or its answer is not what the registry promises.
            TrackerError: The image is none, or the face lies nowhere in it.
        """
        if self.entry.clip_statistics:
            picture = self.picture(image, face)
            return self.embed_picture(picture, self._running.add(picture))
        frame = readable(image)
        _check_shown(frame, face)
        return self._run(self._feeds(frame, face))

    def picture(self, image: Image, face: TrackedFace) -> NDArray[np.float32]:
        """What a stage of source `crop` is shown of a face, before clip statistics: (C, S, S) float32, 0..1.

        Raises:
            TrackerError: The image is none, or the face lies nowhere in it.
        """
        frame = readable(image)
        _check_shown(frame, face)
        return PREPROCESSORS[self.entry.preprocessor](frame, face.landmarks, face.crop, self.entry.size_px)

    def embed_picture(self, picture: NDArray[np.float32], deviation: float) -> NDArray[np.float32]:
        """Looks at a picture of a clip whose deviation is known; (E,) float32.

        Raises:
            ModelError: The graph failed, or its answer is not what the registry promises.
        """
        (name,) = self.session.input_names
        return self._run({name: picture[None] / np.float32(deviation)})

    def _run(self, feeds: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        embedding = self.session.run(feeds)[0]
        size = self.entry.embedding_size
        if embedding.size != size or not np.abs(embedding).max() <= _LARGEST:
            message = f"its image stage returned {embedding.shape}, its registry entry promises {size} finite numbers."
            raise ModelError(message)
        return embedding.reshape(size).astype(np.float32, copy=False)

    def _feeds(self, image: Image, face: TrackedFace) -> Mapping[str, NDArray[Any]]:
        stage = self.entry
        if stage.source == "maps":
            return self._maps_of(image, face)
        (name,) = self.session.input_names
        if stage.source == "landmarks":
            return {name: blendshapes.points_of(face.landmarks)}
        return {name: self.picture(image, face)[None]}

    def _maps_of(self, image: Image, face: TrackedFace) -> Mapping[str, NDArray[Any]]:
        carried = face.maps
        if any(name not in carried for name in self.maps):
            carried = self._landmark_model().run(image, face.crop, self.maps).maps
        return {name: carried[name] for name in self.maps}


def _check_shown(frame: Image, face: TrackedFace) -> None:
    height, width = frame.shape[:2]
    crop = face.crop
    reach = crop.side_px  # more than half of the diagonal
    shown = -reach < crop.center_x_px < width + reach and -reach < crop.center_y_px < height + reach
    if not (crop.side_px > 0 and shown and np.isfinite(face.landmarks).all()):
        message = f"There is no face to look at: {crop} shows nothing of a frame of {width}x{height} px."
        raise TrackerError(message)


def open_stage(entry: ImageStage, registry: Registry, device: str, threads: int = AUTOMATIC_THREADS) -> Stage:
    """Loads an image stage.

    Args:
        entry: What the registry says of it.
        registry: Where its files are looked up.
        device: `auto`, `cpu` or `cuda`.
        threads: Threads inside one operator, 0 for automatic; see `sessions.open_session`.

    Raises:
        ModelError: A file is missing or damaged, or its graph does not read what the registry says.
        SettingsError: Unknown device.
    """
    _check_source(entry)
    session = open_session(registry.path(entry.file), device, threads)
    fitting = set(session.input_names) == set(entry.inputs) if entry.inputs else len(session.input_names) == 1
    if not fitting:
        message = (
            f"its image stage reads {', '.join(session.input_names)}, its registry entry promises "
            f"{', '.join(entry.inputs) or 'one input'}."
        )
        raise ModelError(message)

    @cache
    def landmark_model() -> LandmarkModel:
        graph = registry.path(registry.tracker("onnx").files["landmarks"])
        return LandmarkModel(open_session(graph, device, threads))

    return Stage(entry, session, landmark_model)


def _check_source(entry: ImageStage) -> None:
    if entry.source == "crop" and entry.preprocessor not in PREPROCESSORS:
        message = f"its preprocessor '{entry.preprocessor}' is none of {', '.join(PREPROCESSORS)}."
        raise ModelError(message)
    unknown = [name for name in entry.inputs if name not in OUTPUTS]
    if unknown:
        message = f"the landmark graph has no {', '.join(unknown)}, only {', '.join(OUTPUTS)}."
        raise ModelError(message)
