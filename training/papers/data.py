"""Films as the papers' systems read them: every picture with its truth, and where the tracker sees the face in it.

A film keeps the tile that the landmark graph was shown. Where its landmarks lie in that tile is worked out once, kept
beside the film, and serves every system: crops differ from paper to paper, landmarks do not.
"""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap.clip_statistics import Deviation
from au_mocap.crops import Crop
from au_mocap.landmark_model import INPUT_PX, LandmarkModel
from au_mocap.onnx_tracker import MIN_PRESENCE
from au_mocap.preprocessors import PREPROCESSORS
from au_mocap.registry import Registry
from au_mocap.sessions import open_session
from training.synth import film
from training.synth.film import FRAMES_PER_PERFORMER, Frames, Tiles

_WHOLE: Final = Crop(INPUT_PX / 2, INPUT_PX / 2, float(INPUT_PX), 0.0)
_LEVELS: Final = 255.0
_TILES_AT_ONCE: Final = 24


@dataclass(frozen=True, slots=True)
class Look:
    """What a system is shown of a frame.

    Attributes:
        preprocessor: A name of `au_mocap.preprocessors`.
        size_px: Side of the picture.
    """

    preprocessor: str
    size_px: int


@dataclass(frozen=True, slots=True)
class Maps:
    """What a system reads of the landmark graph in place of a picture.

    Attributes:
        inputs: Names of `au_mocap.landmark_model.OUTPUTS`, `landmarks` first.
    """

    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    """M filmed frames of some performers, `FRAMES_PER_PERFORMER` each.

    Attributes:
        frames: Truth and what was tracked when they were filmed.
        tiles: Their pictures.
        landmarks: (M, 478, 3) float32 pixels of the tile.
        usable: (M,) bool: the landmark graph sees a face; elsewhere the engine asks no regressor.
    """

    frames: Frames
    tiles: Tiles
    landmarks: NDArray[np.float32]
    usable: NDArray[np.bool_]

    def __len__(self) -> int:
        """Frames."""
        return len(self.frames)

    @property
    def performers(self) -> int:
        """How many people."""
        return len(self.frames) // FRAMES_PER_PERFORMER

    def rows(self, performers: NDArray[np.integer]) -> NDArray[np.int64]:
        """Usable frames of some performers, by their place in the cast."""
        rows = (np.asarray(performers)[:, None] * FRAMES_PER_PERFORMER + np.arange(FRAMES_PER_PERFORMER)).ravel()
        return rows[self.usable[rows]]

    def picture(self, row: int, look: Look) -> NDArray[np.uint8]:
        """(C, S, S) of one frame, in 255 steps."""
        shown = PREPROCESSORS[look.preprocessor](self.tiles[row], self.landmarks[row], _WHOLE, look.size_px)
        return np.rint(shown * _LEVELS).astype(np.uint8)

    def pictures(self, look: Look, rows: NDArray[np.integer] | None = None) -> NDArray[np.uint8]:
        """(N, C, S, S) of some frames, or of all; frames without a face are black."""
        chosen = np.arange(len(self)) if rows is None else rows
        nothing = np.zeros_like(self.picture(0, look))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            shown = pool.map(lambda row: self.picture(int(row), look) if self.usable[row] else nothing, chosen)
            return np.stack(list(shown))

    def deviations(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(M,) deviation of the clip that each of all pictures belongs to: of its performer's usable frames."""
        result = np.ones(len(self), np.float32)
        for performer in range(self.performers):
            clip = Deviation()
            rows = self.rows(np.array([performer]))
            for row in rows:
                clip.add(pictures[row].astype(np.float32) / _LEVELS)
            result[rows] = clip.value
        return result


def load(paths: Sequence[Path]) -> Cast:
    """Joins shards, and tracks their pictures where that is not done yet.

    Args:
        paths: Shards as `film.film_all` gives them, all in one folder.
    """
    tables = [_tracked(path) for path in paths]
    return Cast(
        frames=film.load(paths),
        tiles=film.load_tiles(paths),
        landmarks=np.concatenate([landmarks for landmarks, _ in tables]).astype(np.float32),
        usable=np.concatenate([presence for _, presence in tables]) > MIN_PRESENCE,
    )


def _tracked(path: Path) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    """(M, 478, 3) landmarks in the tile and (M,) presence of one shard, from the disk where they are kept."""
    registry = Registry()
    graph = registry.tracker("onnx").files["landmarks"]
    mark = hashlib.sha256(graph.sha256.encode()).hexdigest()[:8]
    kept = path.parent / f"tracked-{mark}" / path.name
    if kept.exists():
        with np.load(kept) as table:
            return table["landmarks"], table["presence"]
    model = LandmarkModel(open_session(registry.path(graph), "cpu"))
    tiles = film.load_tiles([path])

    def track(start: int) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
        shown = np.stack([tiles[row] for row in range(start, min(start + _TILES_AT_ONCE, len(tiles)))])
        found = model.run_tiles(shown, ("landmarks", "presence_logit"))
        logits = found["presence_logit"].reshape(-1)
        return found["landmarks"].astype(np.float16), (1.0 / (1.0 + np.exp(-logits))).astype(np.float32)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(track, range(0, len(tiles), _TILES_AT_ONCE)))
    landmarks, presence = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    kept.parent.mkdir(parents=True, exist_ok=True)
    temporary = kept.with_suffix(f".{os.getpid()}.part.npz")
    np.savez(temporary, landmarks=landmarks, presence=presence)
    temporary.replace(kept)
    return landmarks, presence
