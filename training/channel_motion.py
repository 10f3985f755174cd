"""What each channel does to the 478 landmarks: the table that match by looking compares a character's shapes with.

    python -m training.channel_motion [--out FILE] [--people N] [--smoke]

Every performer is a random person with a manner of their own. Each is rendered, the shipped tracker finds the face, and
the channels' full actions are measured there by the very code that measures a character's shapes (`au_mocap.looking`),
so that both err alike. The mean over all people and their mirror images is kept. The demo head is none of them.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import PREDICTED_IDS, mirrored
from au_mocap.landmarks import COUNT
from au_mocap.looking import measure, motion, places, surface, view
from training import packages
from training.geometry.canonical import twins
from training.synth import performers
from training.synth.camera import View
from training.synth.performers import Anatomy, Performer
from training.synth.renderer import Renderer, sample_look
from training.synth.tracked import Tracked

PEOPLE: Final = 120
SMOKE_PEOPLE: Final = 2
SEED: Final = 11

_PICTURE_PX: Final = 512
_DISTANCE_M: Final = 30.0
"""So far away that perspective does not matter: the surface is drawn without."""

_REACH: Final = 2.6
_BELOW_EYES: Final = 0.55
"""Half a picture's width and its middle, in distances between the eyes."""


def main(arguments: list[str] | None = None) -> int:
    """Makes the file."""
    parser = argparse.ArgumentParser(description="Make the table of what each channel does to the landmarks.")
    parser.add_argument("--out", type=Path, help="file to write (default: the engine's own; required with --smoke)")
    parser.add_argument("--people", type=int, default=PEOPLE, help="performers to take the mean of")
    parser.add_argument("--smoke", action="store_true", help="a tiny run that shows that every step works")
    options = parser.parse_args(arguments)
    if options.smoke and options.out is None:
        parser.error("--smoke needs --out FILE: its result is not fit for the engine")
    if options.people < 1:
        parser.error("--people must be 1 or more")
    people = SMOKE_PEOPLE if options.smoke else options.people
    try:
        found = mean_motion(people, np.random.default_rng(SEED))
    except (packages.PackageError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    path = options.out or motion.FILE
    motion.write(found, path)
    print(f"Wrote {path}: {len(found)} channels, mean of {people} people")
    return 0


def mean_motion(people: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(P, 478, 3) mean full actions in distances between the eyes, left and right exact mirror images.

    Raises:
        RuntimeError: OpenGL cannot be started, or the tracker sees none of the people.
    """
    renderer, tracker = Renderer(performers.anatomy(), _PICTURE_PX), Tracked()
    total, seen = np.zeros((len(PREDICTED_IDS), COUNT, 3)), 0
    for _ in range(people):
        measured = motions_of(performers.sample(rng), renderer, tracker, rng)
        if measured is not None:
            total, seen = total + measured, seen + 1
    if not seen:
        message = f"The tracker saw none of {people} people: take more of them (--people)."
        raise RuntimeError(message)
    mean = total / seen
    twin = twins()
    others = [PREDICTED_IDS.index(mirrored(channel_id)) for channel_id in PREDICTED_IDS]
    return (mean + mean[others][:, twin] * [-1.0, 1.0, 1.0]) / 2


def motions_of(
    performer: Performer, renderer: Renderer, tracker: Tracked, rng: np.random.Generator
) -> NDArray[np.float64] | None:
    """(P, 478, 3) full actions of one person; None where the tracker does not see the face."""
    parts, nothing = performers.anatomy(), np.zeros(len(PREDICTED_IDS))
    reach = _REACH * performer.ipd_m
    place = np.array([0.0, -_BELOW_EYES * performer.ipd_m, _DISTANCE_M])
    camera = View(np.eye(3), place, _PICTURE_PX / 2 * _DISTANCE_M / reach, _PICTURE_PX)
    landmarks = tracker.find(renderer.draw(performer.neutral, nothing, camera, sample_look(performer, rng)))
    if landmarks is None:
        return None
    shown = surface.plain(performer.neutral, parts.triangles[~_lashes(parts)])
    frame = view.Frame(np.eye(3), -place * [1.0, 1.0, 0.0], reach, _PICTURE_PX)
    picture = view.draw(shown, frame, np.zeros_like(shown.points))
    found = places.under(landmarks, shown, picture, surface.islands(shown))
    shapes = (_action(performer, parts, values) for values in np.eye(len(PREDICTED_IDS)))
    return measure.measure(found, shown.points, shapes).motion


def _action(performer: Performer, parts: Anatomy, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 3) displacement by a single full action, eyeballs turned; what contact changes is left out."""
    posed = performer.neutral + performer.deltas[int(values.argmax())]
    posed[parts.eyeballs] = performer.eyes.vertices(parts, values)
    return (posed - performer.neutral).astype(np.float64)


def _lashes(parts: Anatomy) -> NDArray[np.bool_]:
    """(F,) triangles of the lashes, which hide the lids' edges."""
    return np.isin(parts.triangles, parts.lashes).any(axis=1)


if __name__ == "__main__":
    raise SystemExit(main())
