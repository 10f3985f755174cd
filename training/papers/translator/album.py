"""The pictures that a translator learns from: faces that look towards the camera, and who resembles whom."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from training.geometry.network import CHANNEL_TWIN
from training.papers.data import Cast, Look
from training.papers.translator.settings import TranslatorError
from training.synth.film import FRAMES_PER_PERFORMER

TURNED_DEGREES: Final = 20.0
"""How far a head may be turned from the camera for its picture to be used."""

ALIKE_DEGREES: Final = 12.0
"""How far two heads of a person may be turned from each other for their pictures to be compared."""

_FINER: Final = 2
_AT_ONCE: Final = 480
_NOISE: Final = 0.1
_HALF: Final = 127.5


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures to translate.

    Attributes:
        source: (N, 3, S, S) -1..1.
        shown: (N, P) its values.
        wanted: (N, P) the values to be shown.
        own: (N, 3, S, S) the picture that those were taken from.
        same: (N,) bool: that is the same person's, the head turned alike.
        shares: (N,) where between render and translation the critic's slope is measured, 0..1.
    """

    source: torch.Tensor
    shown: torch.Tensor
    wanted: torch.Tensor
    own: torch.Tensor
    same: torch.Tensor
    shares: torch.Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same on another device."""
        columns = (self.source, self.shown, self.wanted, self.own, self.same, self.shares)
        return Batch(*(column.to(device) for column in columns))


@dataclass(frozen=True, slots=True)
class Album:
    """K pictures of some people, each person's together.

    Attributes:
        pictures: (K, 3, S, S) uint8 RGB.
        values: (K, P) float32 over `channels.PREDICTED_IDS`.
        person: (K,) rising numbers of the performers.
        rotation: (K, 3, 3) float32 true head rotation.
    """

    pictures: NDArray[np.uint8]
    values: NDArray[np.float32]
    person: NDArray[np.int64]
    rotation: NDArray[np.float32]

    def __len__(self) -> int:
        """Pictures."""
        return len(self.values)

    @property
    def people(self) -> NDArray[np.int64]:
        """Everybody's number, once."""
        return np.unique(self.person)

    @property
    def neutral(self) -> NDArray[np.bool_]:
        """(K,) nothing at all is shown."""
        return (self.values == 0.0).all(axis=1)

    def of(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> "Album":
        """Some of the pictures, in the order of the album."""
        return Album(self.pictures[rows], self.values[rows], self.person[rows], self.rotation[rows])

    def seen(self, rows: NDArray[np.integer]) -> torch.Tensor:
        """(N, 3, S, S) -1..1 of some pictures."""
        return to_colours(self.pictures[rows])

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        """Sources drawn by chance and mirrored by chance; half of them with a target of the same person."""
        rows, targets = rng.integers(0, len(self), (2, size))
        same = np.zeros(size, np.bool_)
        for place in np.flatnonzero(rng.random(size) < 0.5):
            alike = self._alike(int(rows[place]))
            if len(alike):
                targets[place], same[place] = rng.choice(alike), True
        noise = rng.uniform(-_NOISE, _NOISE, (size, self.values.shape[1])).astype(np.float32)
        # Values that a picture is compared with are left as they are.
        noise[same] = 0.0
        turned = torch.from_numpy(rng.random(size) < 0.5)
        return Batch(
            source=_flipped(self.seen(rows), turned),
            shown=_swapped(self.values[rows], turned),
            wanted=_swapped(np.clip(self.values[targets] + noise, 0.0, 1.0), turned),
            own=_flipped(self.seen(targets), turned),
            same=torch.from_numpy(same),
            shares=torch.from_numpy(rng.random(size).astype(np.float32)),
        )

    def _alike(self, row: int) -> NDArray[np.int64]:
        """The same person's other pictures with the head turned alike."""
        first, last = np.searchsorted(self.person, (self.person[row], self.person[row] + 1))
        between = np.swapaxes(self.rotation[first:last], 1, 2) @ self.rotation[row]
        near = _degrees(between) < ALIKE_DEGREES
        near[row - first] = False
        return first + np.flatnonzero(near)


def of(cast: Cast, look: Look) -> Album:
    """A cast's usable pictures of heads that are hardly turned.

    Args:
        cast: Films.
        look: How the faces are cut out.

    Raises:
        TranslatorError: There is none.
    """
    rows = cast.rows(np.arange(cast.performers))
    rows = rows[_degrees(cast.frames.rotation[rows]) < TURNED_DEGREES]
    if not len(rows):
        message = f"No head of the cast is turned less than {TURNED_DEGREES:.0f} degrees: film more (--shards)."
        raise TranslatorError(message)
    frames = cast.frames
    return Album(cut(cast, look, rows), frames.values[rows], rows // FRAMES_PER_PERFORMER, frames.rotation[rows])


def cut(cast: Cast, look: Look, rows: NDArray[np.integer]) -> NDArray[np.uint8]:
    """(N, 3, S, S) RGB of some frames, without the stairs that a small registered face has at its edges."""
    finer = replace(look, size_px=_FINER * look.size_px)
    parts = [_shrunk(cast.pictures(finer, part)) for part in np.split(rows, [*range(_AT_ONCE, len(rows), _AT_ONCE)])]
    return np.concatenate(parts)


def joined(albums: Sequence[Album]) -> Album:
    """Several albums as one; nobody is in two of them."""
    starts = np.cumsum([0, *(int(each.person.max()) + 1 for each in albums[:-1])])
    return Album(
        pictures=np.concatenate([each.pictures for each in albums]),
        values=np.concatenate([each.values for each in albums]),
        person=np.concatenate([each.person + start for each, start in zip(albums, starts, strict=True)]),
        rotation=np.concatenate([each.rotation for each in albums]),
    )


def to_colours(pictures: NDArray[np.uint8]) -> torch.Tensor:
    """Pictures in 255 steps as the networks read them, -1..1."""
    return torch.from_numpy(pictures).float() / _HALF - 1.0


def to_steps(colours: torch.Tensor) -> NDArray[np.uint8]:
    """What a network shows, -1..1, in 255 steps."""
    return ((colours.clamp(-1.0, 1.0) + 1.0) * _HALF).round().byte().cpu().numpy()


def _degrees(rotations: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N,) angles of (N, 3, 3) rotations."""
    cosines = (np.trace(rotations.astype(np.float64), axis1=1, axis2=2) - 1.0) / 2.0
    return np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))


def _shrunk(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(N, 3, S, S) to a side of S / `_FINER`."""
    count, colours, size = pictures.shape[:3]
    blocks = pictures.reshape(count, colours, size // _FINER, _FINER, size // _FINER, _FINER)
    return np.rint(blocks.mean(axis=(3, 5))).astype(np.uint8)


def _flipped(pictures: torch.Tensor, turned: torch.Tensor) -> torch.Tensor:
    return torch.where(turned[:, None, None, None], pictures.flip(-1), pictures)


def _swapped(values: NDArray[np.float32], turned: torch.Tensor) -> torch.Tensor:
    table = torch.from_numpy(values)
    return torch.where(turned[:, None], table[:, list(CHANNEL_TWIN)], table)
