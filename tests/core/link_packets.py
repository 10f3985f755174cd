"""Reads what the sender sends, byte by byte and without mercy: written from its description."""

import struct
from dataclasses import dataclass

VALUES = 61


@dataclass(frozen=True)
class Packet:
    """A datagram of Live Link Face."""

    device: str
    subject: str
    frame: int
    part: float
    numerator: int
    denominator: int
    values: tuple[float, ...]


def unpack(data: bytes) -> Packet:
    """A datagram as a packet; raises ValueError for anything that is none, to the last byte."""
    place = 0

    def take(form: str) -> tuple:
        nonlocal place
        size = struct.calcsize(f">{form}")
        if place + size > len(data):
            message = f"ends at byte {len(data)}, within {form}"
            raise ValueError(message)
        found = struct.unpack_from(f">{form}", data, place)
        place += size
        return found

    def text() -> str:
        (length,) = take("i")
        if not 0 < length < 256:
            message = f"a text of {length} bytes"
            raise ValueError(message)
        return take(f"{length}s")[0].decode("ascii")

    (version,) = take("B")
    if version != 6:
        message = f"version {version}"
        raise ValueError(message)
    device, subject = text(), text()
    frame, part, numerator, denominator = take("ifii")
    if not 0.0 <= part < 1.0 or numerator < 1 or denominator < 1:
        message = f"frame {frame} + {part} at {numerator}/{denominator}"
        raise ValueError(message)
    (count,) = take("B")
    if count != VALUES:
        message = f"{count} values"
        raise ValueError(message)
    values = take(f"{VALUES}f")
    if place != len(data):
        message = f"{len(data) - place} bytes too many"
        raise ValueError(message)
    return Packet(device, subject, frame, part, numerator, denominator, values)
