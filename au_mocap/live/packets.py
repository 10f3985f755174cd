"""What face capture apps send over UDP, a frame in each datagram.

Epic's Live Link Face, as the engine's own plugin and its public readers take it (github.com/JimWest/PyLiveLinkFace,
github.com/EpicGames/UnrealEngine, AppleARKitLiveLinkSource.cpp), all numbers with the most significant byte first:

    uint8     version, 6
    string    device: int32 length in bytes, then the text
    string    subject, the name under which the receiver lists the face
    int32     frame, float32 part of the frame
    int32     rate's numerator, int32 its denominator
    uint8     61, the number of values
    float32   61 times: `exchange.live_link_face.SHAPES`, then `ANGLES` in radians

iFacialMocap sends the text that `exchange.ifacialmocap` reads and writes, with whole numbers.
"""

import math
import struct
import uuid
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..arrays import Floats
from ..exchange import ifacialmocap, live_link_face

VERSION: Final = 6
_LAST_PART: Final = 0.99999  # what is nearer to 1 becomes 1 as a float32
_DEVICES: Final = uuid.UUID("6f1c3f0e-4a52-5b0b-9d3f-61a8a3a6f7c2")
"""Device names are derived from it and the subject: the same for ever, and nothing of the machine in them."""


@dataclass(frozen=True, slots=True)
class FrameTime:
    """When a frame was, as a frame number.

    Attributes:
        frame: Whole frames.
        part: 0 to below 1, the part of a frame beyond.
        numerator: Frames a second are `numerator / denominator`.
        denominator: 1 or more.
    """

    frame: int
    part: float
    numerator: int
    denominator: int = 1


def frame_time(time_s: float, numerator: int, denominator: int = 1) -> FrameTime:
    """A time in seconds as a frame number at a rate of `numerator / denominator` frames a second."""
    frames = time_s * numerator / denominator
    whole = math.floor(frames)
    return FrameTime(whole, min(frames - whole, _LAST_PART), numerator, denominator)


@dataclass(frozen=True, slots=True)
class Face:
    """What is told of a face.

    Attributes:
        values: (58,) 0..1, columns as `channels.IDS`.
        rotation: (4,) quaternion of the head pose contract; NaN where unknown, which is sent as looking ahead.
        position: (3,) metres of the same; NaN where unknown, which is sent as 0.
        found: Whether the face is in sight.
    """

    values: Floats
    rotation: Floats
    position: Floats
    found: bool = True


def live_link(subject: str, face: Face, at: FrameTime) -> bytes:
    """A datagram of Live Link Face; the subject in ASCII."""
    name, device = subject.encode("ascii"), str(uuid.uuid5(_DEVICES, subject)).upper().encode("ascii")
    numbers = live_link_face.numbers_of(face.values[None], face.rotation[None])[0]
    head = struct.pack(f">Bi{len(device)}si{len(name)}s", VERSION, len(device), device, len(name), name)
    time = struct.pack(">ifii", at.frame, at.part, at.numerator, at.denominator)
    return head + time + struct.pack(f">B{len(numbers)}f", len(numbers), *numbers.tolist())


def ifacialmocap_text(face: Face) -> bytes:
    """A datagram of iFacialMocap."""
    found = np.array([face.found])
    rows = ifacialmocap.texts_of(face.values[None], face.rotation[None], face.position[None], found, whole=True)
    return next(rows).encode("ascii")
