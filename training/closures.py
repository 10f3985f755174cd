"""Performers who speak and blink, filmed, with the truth of when their lips met and their eyes were shut.

    python -m training.closures [--count N] [--cast NAME]

Each clip is one person who is in no cast that anything is learnt from. The words are full of B, P and M, at natural
speed, among them sounds that nearly close the mouth; blinks are full, partial, long and one-sided, and there are low
looks and narrowed eyes that are none. Clips and truth are kept in the cache under a key of what makes them.
"""

import argparse
import functools
import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import PREDICTED_IDS
from training import packages
from training.synth import camera, capture, contact, performances, repertoire
from training.synth.anatomy import Anatomy
from training.synth.limits import INDEX, columns, enforce
from training.synth.performers import Performer, anatomy, sample
from training.synth.renderer import Renderer, sample_look
from training.synth.rings import Opening

CASTS: Final = {"tuning": 71, "tuning_more": 72, "report": 73}
"""Seeds: whom detection was tuned on (8 and 10 people), and whom figures are reported of."""

EDITION: Final = 1
"""Raise it when what is performed, filmed or measured here changes: clips are then filmed anew."""

RATE_HZ: Final = 30.0
SECONDS: Final = 16.0
PICTURE_PX: Final = 448

_CALM_S: Final = 1.2
_HOLD_S: Final = (0.05, 0.1)
"""How long the lips stay shut in a B, P or M."""

_SYLLABLE_S: Final = (0.16, 0.3)
_CLOSING: Final = "p b m"
_SHARE_CLOSING: Final = 0.4
_PAUSE: Final = 0.12
_BLINK_EVERY_S: Final = (0.7, 1.9)
_MIDDLE: Final = 0.6
"""Share of the mouth's width, about its middle, in which the gap between the lips is measured."""

_LEAST_FACE: Final = 0.42
"""Least height of the face against the picture's: nobody films a face to capture it from farther away."""

_SOURCES: Final = Path(__file__).parent / "synth"


@dataclass(frozen=True, slots=True)
class Clip:
    """A filmed performance and its truth, T frames at `RATE_HZ`.

    Attributes:
        path: The video.
        values: (T, P) float32 over `channels.PREDICTED_IDS`.
        lids: (T, 2) float32: opening of the left and the right eye against that of the resting face; 0 shut.
        lips_m: (T,) float32 metres: mean gap of the lips in the middle of the mouth, at an actor's true size.
    """

    path: Path
    values: NDArray[np.float32]
    lids: NDArray[np.float32]
    lips_m: NDArray[np.float32]


def clip(cast: str, number: int) -> Clip:
    """Films a performance, or finds it in the cache.

    Args:
        cast: One of `CASTS`.
        number: Which of its people, from 0.
    """
    folder = packages.cache_folder() / "training" / f"closures-{_key()}"
    path, truth = folder / f"{cast}_{number:02d}.mp4", folder / f"{cast}_{number:02d}.npz"
    if not truth.exists():
        folder.mkdir(parents=True, exist_ok=True)
        video, arrays = (folder / f"{cast}_{number:02d}.part-{os.getpid()}.{kind}" for kind in ("mp4", "npz"))
        np.savez(arrays, **film(np.random.default_rng([CASTS[cast], number]), video))
        video.replace(path)
        arrays.replace(truth)  # last: it says that both are whole
    with np.load(truth) as kept:
        return Clip(path, kept["values"], kept["lids"], kept["lips_m"])


@functools.cache
def _key() -> str:
    digest = hashlib.sha256(str(EDITION).encode())
    for source in sorted([*_SOURCES.glob("*.py"), *_SOURCES.glob("glsl/*")]):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def perform(rng: np.random.Generator, seconds: float = SECONDS) -> NDArray[np.float32]:
    """Draws a performance of at least five seconds: (T, P) values 0..1."""
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    rows = np.maximum(_speech(times_s, rng), _company(times_s, rng))
    _blinks(rows, times_s, rng)
    return enforce(rows)


def _speech(times_s: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float32]:
    """(T, P) a mouth that speaks, with many closures and a few pauses."""
    still = np.zeros(len(PREDICTED_IDS), np.float32)
    keys_s, mouths, name = [-1.0, _CALM_S], [still, still], ""
    others = [each for each in repertoire.VISEMES if each not in ("rest", _CLOSING)]
    while keys_s[-1] <= times_s[-1]:
        keys_s.append(keys_s[-1] + rng.uniform(*_SYLLABLE_S) * 0.7)
        if rng.random() < _PAUSE:
            mouths += [still, still]
            keys_s.append(keys_s[-1] + rng.uniform(0.2, 0.8))
            name = ""
        elif name != _CLOSING and rng.random() < _SHARE_CLOSING:
            name = _CLOSING
            shut = repertoire.viseme(name, rng, 1.0)
            shut[columns("lip_press")] = np.maximum(shut[columns("lip_press")], 0.2)
            mouths += [shut, shut]
            keys_s.append(keys_s[-1] + rng.uniform(*_HOLD_S))
        else:
            name = str(rng.choice(others))
            mouths.append(repertoire.viseme(name, rng, rng.uniform(0.8, 1.2)))
    return performances.between_keys(times_s, np.array(keys_s), np.array(mouths)).astype(np.float32)


def _company(times_s: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float32]:
    """(T, P) what goes on beside the words: brows, a smile, narrowed eyes, looks aside and down."""
    rows = np.zeros((len(times_s), len(PREDICTED_IDS)), np.float32)
    actions = (("brow_raise", 0.7), ("brow_lower", 0.6), ("lip_corner_pull", 0.5), ("lid_tighten", 0.6))
    for stem, most in actions:
        course = performances.envelope(
            times_s, rng.uniform(_CALM_S, times_s[-1] - 3.0), 0.3, rng.uniform(0.5, 1.5), 0.4
        )
        for column in columns(stem):
            rows[:, column] = np.maximum(rows[:, column], most * rng.uniform(0.6, 1.0) * course)
    for down in (0.7, 0.0, 0.4, 0.0):
        course = performances.envelope(
            times_s, rng.uniform(_CALM_S, times_s[-1] - 2.0), 0.08, rng.uniform(0.5, 1.2), 0.08
        )
        look = repertoire.gaze(rng.uniform(-0.5, 0.5), -down)
        for side in "LR":
            look[INDEX[f"eye_close_{side}"]] = 0.35 * down
        rows = np.maximum(rows, look * course[:, None].astype(np.float32))
    return rows


def _blinks(rows: NDArray[np.float32], times_s: NDArray[np.float64], rng: np.random.Generator) -> None:
    """Adds blinks in place: most full, some partial, now and then a wink or eyes that stay shut."""
    start_s = _CALM_S
    while (start_s := start_s + rng.uniform(*_BLINK_EVERY_S)) < times_s[-1] - 1.0:
        closing_s = rng.uniform(*performances.BLINK_CLOSING_S)
        opening_s = rng.uniform(*performances.BLINK_OPENING_S)
        kind = rng.random()
        shut_s = rng.uniform(0.4, 0.8) if kind < 0.08 else rng.uniform(*performances.BLINK_CLOSED_S)
        depth = rng.uniform(0.3, 0.6) if kind > 0.82 else 1.0
        course = depth * performances.envelope(times_s, start_s, closing_s, shut_s, opening_s)
        for side in ("L", "R") if rng.random() < 0.92 else (str(rng.choice(["L", "R"])),):
            lid, wide = INDEX[f"eye_close_{side}"], INDEX[f"lid_raise_{side}"]
            rows[:, lid] = np.maximum(rows[:, lid], course)
            rows[:, wide] *= np.maximum(1.0 - 2.0 * course, 0.0)
        start_s += closing_s + shut_s + opening_s


def film(rng: np.random.Generator, path: Path, seconds: float = SECONDS) -> dict[str, NDArray[np.float32]]:
    """Films a person, who is drawn like the performance, and returns the arrays of a `Clip`."""
    from training.stage import write_video  # needs Blender

    performer, values = sample(rng), perform(rng, seconds)
    renderer = _renderer()
    look, conditions = sample_look(performer, rng), capture.sample(rng)
    lens = camera.sample_lens(rng)
    lens = replace(lens, face_share=max(lens.face_share, _LEAST_FACE))
    angles = 0.5 * performances.head_path(len(values), 1.0 / RATE_HZ, rng)
    views = lens.views(performer, angles, PICTURE_PX, rng)
    lids, lips = [], []

    def pictures() -> Iterator[NDArray[np.uint8]]:
        for row, view in zip(values, views, strict=True):
            vertices = performer.pose(row)
            lids.append(lid_opening(performer, vertices))
            lips.append(lip_gap_m(performer, vertices))
            yield capture.apply(renderer.draw(vertices, row, view, look), conditions, rng)

    write_video(path, pictures(), RATE_HZ)
    return {"values": values, "lids": np.array(lids, np.float32), "lips_m": np.array(lips, np.float32)}


@functools.cache
def _renderer() -> Renderer:
    return Renderer(anatomy(), PICTURE_PX)


def lid_opening(performer: Performer, vertices: NDArray[np.float32]) -> tuple[float, float]:
    """Opening of the left and the right eye of a posed face, against that of the resting one."""
    left, right = (
        _height(lid, vertices).mean() / max(float(_height(lid, performer.neutral).mean()), 1e-6)
        for lid in anatomy().lids
    )
    return float(left), float(right)


def lip_gap_m(performer: Performer, vertices: NDArray[np.float32]) -> float:
    """Mean gap between the lips in the middle of the mouth, scaled to eyes 63 mm apart; 0 where they touch."""
    parts: Anatomy = anatomy()
    across = np.abs(parts.base[parts.lips.edge_ids[parts.lips.upper], 0])
    middle = across < _MIDDLE * across.max()
    gap = contact.lip_gap(parts.lips, vertices)[middle].mean()
    return max(float(gap), 0.0) * 0.063 / performer.ipd_m


def _height(lid: Opening, vertices: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.maximum(contact.lip_gap(lid, vertices), 0.0)


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="training.closures", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=6)
    parser.add_argument("--cast", choices=sorted(CASTS), default="report")
    options = parser.parse_args(arguments)
    for number in range(options.count):
        made = clip(options.cast, number)
        shut, open_m = (made.lids < 0.05).mean(), float(np.median(made.lips_m)) * 1e3
        sys.stdout.write(f"{made.path}: {len(made.values)} frames, eyes shut {shut:.1%}, lips apart {open_m:.1f} mm\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.stdout.flush()
    code = main()
    sys.stdout.flush()
    os._exit(code)  # Blender as a module may crash when Python ends
