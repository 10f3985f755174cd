"""Performances with known values, and files in the forms of other programs, for tests of the exchange."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from au_mocap import channels, exchange, rotations
from au_mocap.calibration import Curves, NeutralChoice
from au_mocap.take import Take
from tests.core.takes import made_take

LLF_HEAD = ("HeadYaw", "HeadPitch", "HeadRoll")


def smooth_values(frames: int, *, symmetric: bool = False) -> np.ndarray:
    """(T, 58) waves of different phase and height, all rules applied; alike on both sides if so wanted."""
    place = np.linspace(0.0, 1.0, frames)[:, None]
    phase = np.arange(len(channels.IDS))[None] * 0.7
    values = (0.5 + 0.45 * np.sin(6.0 * place + phase)).astype(np.float32)
    values[:, channels.INDEX["lips_together"]] *= 0.1
    values[:, channels.INDEX["jaw_drop"]] = 0.6
    if symmetric:
        values = (values + values[:, channels.MIRROR]) / 2
    for stem in ("inner_brow_raise", "cheek_puff"):  # one shape each, so both sides are alike
        values[:, channels.INDEX[f"{stem}_R"]] = values[:, channels.INDEX[f"{stem}_L"]]
    for side in "LR":  # an eye looks up or down, in or out
        values[:, channels.INDEX[f"look_down_{side}"]] = values[:, channels.INDEX[f"look_out_{side}"]] = 0.0
    return channels.enforce_rules(values)


def turns(frames: int) -> np.ndarray:
    """(T, 4) quaternions of a head that turns, nods and tilts."""
    place = np.linspace(0.0, 1.0, frames)
    angles = np.stack([0.6 * np.sin(5 * place), 0.3 * np.cos(4 * place), 0.2 * np.sin(7 * place)], axis=1)
    return rotations.continuous(rotations.to_quaternions(rotations.from_angles(angles)))


def performance(frames: int = 60, faceless: Sequence[int] = (), **options: Any) -> tuple[Take, Curves]:  # noqa: ANN401
    """A take at 25 fps and its curves, with no face in some frames."""
    take = made_take(frames=frames, faceless=tuple(faceless))
    gone = ~take.found
    values = options.get("values", smooth_values(frames, symmetric=options.get("symmetric", False))).copy()
    rotation = options.get("rotation", turns(frames)).copy()
    position = np.linspace([0.0, 0.01, 0.5], [0.05, -0.02, 0.6], frames)
    for array in (values, rotation, position):
        array[gone] = np.nan
    return take, Curves(take.time_s, values, rotation, position, NeutralChoice((), (), 0.0, None))


def one_sided(channel_id: str, value: float = 0.8, frames: int = 3) -> np.ndarray:
    """(T, 58) values of a face that does one thing."""
    values = np.zeros((frames, len(channels.IDS)), np.float32)
    values[:, channels.INDEX[channel_id]] = value
    return channels.enforce_rules(values)


def curve(take: Take, channel_id: str) -> np.ndarray:
    """(T,) values of a channel, derived means included."""
    return channels.complete(take.values, take.channels)[:, channels.INDEX[channel_id]]


def angles_deg(take: Take) -> np.ndarray:
    """(T, 3) yaw, pitch, roll of a take's head."""
    return np.degrees(rotations.to_angles(rotations.to_matrices(take.head_rotation)))


def write_table(
    path: Path, rows: Sequence[Mapping[str, object]], delimiter: str = ",", encoding: str = "utf-8"
) -> Path:
    """A table with the keys of the first row as names."""
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def llf_row(timecode: str, **shapes: object) -> dict[str, object]:
    """A row of Live Link Face with all 61 numbers, 0 unless given."""
    from au_mocap.exchange import live_link_face

    row: dict[str, object] = dict.fromkeys(live_link_face.COLUMNS, 0.0)
    return {**row, "Timecode": timecode, "BlendShapeCount": 61, **shapes}


def llf(path: Path, timecodes: Sequence[str], **shapes: object) -> Path:
    """A recording of Live Link Face in which every row is alike but for its timecode."""
    return write_table(path, [llf_row(code, **shapes) for code in timecodes])


def codes(count: int, rate: int, start_s: int = 36_000, step: int = 1) -> list[str]:
    """Timecodes one step after another."""
    places = start_s * rate + step * np.arange(count)
    return [f"{p // rate // 3600:02}:{p // rate // 60 % 60:02}:{p // rate % 60:02}:{p % rate:02}.000" for p in places]


def lines(path: Path, *content: str) -> Path:
    path.write_text("\n".join(content) + "\n", encoding="utf-8")
    return path


def read(path: Path, **options: Any) -> exchange.Imported:  # noqa: ANN401
    return exchange.read(path, **options)
