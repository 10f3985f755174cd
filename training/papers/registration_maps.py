"""What a frozen ImageNet network says of registered faces: worked out once for each performer, and kept."""

import copy
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from au_mocap import rotations
from au_mocap.runtimes import Session
from au_mocap.sessions import open_session
from training import onnx_export
from training.papers.balance import level_of
from training.papers.data import Cast, Look
from training.papers.export import fuse
from training.papers.registration_network import MAPS, SHRUNK, Trunk
from training.synth.film import FRAMES_PER_PERFORMER

EDITION: Final = 1
"""Names the kept maps: raise it when a change of the preprocessors or of the network makes the old ones useless."""

_LEVELS: Final = 255.0


@dataclass(frozen=True, slots=True)
class Truth:
    """What some performers did, all of their frames in order.

    Attributes:
        values: (N, P) float32.
        usable: (N,) bool: the frame shows a face.
        yaw_rad: (N,) turn of the head, to the actor's right positive.
    """

    values: NDArray[np.float32]
    usable: NDArray[np.bool_]
    yaw_rad: NDArray[np.float64]

    @classmethod
    def of(cls, cast: Cast, performers: int) -> "Truth":
        """Of a cast's first performers."""
        rows = slice(0, performers * FRAMES_PER_PERFORMER)
        yaw = rotations.to_angles(cast.frames.rotation[rows])[:, 0]
        return cls(cast.frames.values[rows], cast.usable[rows], yaw)

    @property
    def performers(self) -> int:
        """How many people."""
        return len(self.values) // FRAMES_PER_PERFORMER

    @property
    def levels(self) -> NDArray[np.int64]:
        """(N, P) levels of the values."""
        return level_of(self.values)


@dataclass(frozen=True, slots=True)
class Shown:
    """Some performers as the network sees them.

    Attributes:
        maps: (N, 192, 7, 7) float16; zeros where no face is seen.
        truth: Of the N frames.
    """

    maps: torch.Tensor
    truth: Truth

    def first(self, performers: int) -> "Shown":
        """Some of them."""
        rows = slice(0, performers * FRAMES_PER_PERFORMER)
        truth = Truth(self.truth.values[rows], self.truth.usable[rows], self.truth.yaw_rad[rows])
        return Shown(self.maps[rows], truth)


class Kept:
    """Maps of one look."""

    def __init__(self, home: Path, trunk: Trunk, look: Look, deadline_s: float | None) -> None:
        """Names the folder.

        Args:
            home: Where every look has a folder of its own.
            trunk: The network, with its ImageNet weights.
            look: What it is shown.
            deadline_s: `time.monotonic()` after which nothing is worked out any more; None without a limit.
        """
        self._network = home / f"trunk-{EDITION}-{look.size_px}.onnx"
        self._folder = home / f"maps-{EDITION}-{look.preprocessor}-{look.size_px}"
        self._size = (MAPS, *(2 * (-(-look.size_px // SHRUNK),)))
        self._look = look
        self._deadline_s = deadline_s
        self._trunk = trunk
        self._opened: Session | None = None

    def shown(self, cast: Cast, name: str) -> tuple[Shown, str]:
        """A cast's performers, and what was left out since the time was up."""
        known: list[NDArray[np.float16]] = []
        for performer in range(cast.performers):
            path = self._folder / name / f"{performer:05d}.npy"
            if known and not path.exists() and self._is_late():
                break
            known.append(self._of(cast, performer, path))
        shown = Shown(torch.from_numpy(np.concatenate(known)), Truth.of(cast, len(known)))
        missing = len(known) < cast.performers
        told = f"{len(known)} of {cast.performers} performers of the {name} cast were shown: the time was up"
        return shown, told if missing else ""

    def _is_late(self) -> bool:
        return self._deadline_s is not None and time.monotonic() >= self._deadline_s

    def _of(self, cast: Cast, performer: int, path: Path) -> NDArray[np.float16]:
        if path.exists():
            return np.load(path)
        rows = np.arange(performer * FRAMES_PER_PERFORMER, (performer + 1) * FRAMES_PER_PERFORMER)
        session = self._session()

        def maps_of(row: np.int64) -> NDArray[np.float32]:
            if not cast.usable[row]:
                return np.zeros(self._size, np.float32)
            picture = cast.picture(int(row), self._look).astype(np.float32) / np.float32(_LEVELS)
            return session.run({"picture": picture[None]})[0][0]

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            table = np.stack(list(pool.map(maps_of, rows))).astype(np.float16)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".part.npy")
        np.save(temporary, table)
        temporary.replace(path)
        return table

    def _session(self) -> Session:
        """The network as it will be exported: on a processor that takes half the time."""
        if self._opened is None:
            if not self._network.exists():
                self._network.parent.mkdir(parents=True, exist_ok=True)
                part = self._network.with_suffix(f".{os.getpid()}.onnx")
                example = {"picture": torch.rand(1, 3, self._look.size_px, self._look.size_px)}
                onnx_export.export(fuse(copy.deepcopy(self._trunk)), example, "maps", {"picture"}, part)
                part.replace(self._network)
            self._opened = open_session(self._network, "auto", threads=1)
        return self._opened
