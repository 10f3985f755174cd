"""What each channel does to the 478 landmarks: the table that match by looking compares a character's shapes with.

    python -m training.channel_motion [--out FILE] [--people N] [--smoke]

Every performer is a random person with a manner of their own; landmarks are the places on the mesh where the shipped
tracker sees them (`training.synth.correspondences`). Each face is aligned to the canonical one before its motions are
taken, and the mean over all people and their mirror images is kept. The demo head is none of them.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import PREDICTED_IDS, mirrored
from au_mocap.landmarks import align, canonical_face
from au_mocap.looking import motion
from training import packages
from training.geometry.canonical import mirror_landmarks
from training.synth import film, performers
from training.synth.correspondences import Correspondences
from training.synth.performers import Performer

PEOPLE: Final = 200
VIEWS: Final = 300
SMOKE_PEOPLE: Final = 2
SMOKE_VIEWS: Final = 8
SEED: Final = 11


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
    people, views = (SMOKE_PEOPLE, SMOKE_VIEWS) if options.smoke else (options.people, VIEWS)
    try:
        places, _ = film.film_all(film.Call({}, views=views), options.out.parent if options.smoke else None)
        found = mean_motion(places, people, np.random.default_rng(SEED))
    except (packages.PackageError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    path = options.out or motion.FILE
    motion.write(found, path)
    print(f"Wrote {path}: {len(found)} channels, mean of {people} people")
    return 0


def mean_motion(places: Correspondences, people: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(P, 478, 3) mean full actions in distances between the eyes, left and right exact mirror images."""
    total = np.zeros((len(PREDICTED_IDS), len(canonical_face().points), 3))
    for _ in range(people):
        total += motions_of(performers.sample(rng), places)
    mean = total / people
    twin = mirror_landmarks(canonical_face().points)
    others = [PREDICTED_IDS.index(mirrored(channel_id)) for channel_id in PREDICTED_IDS]
    return (mean + mean[others][:, twin] * [-1.0, 1.0, 1.0]) / 2


def motions_of(performer: Performer, places: Correspondences) -> NDArray[np.float64]:
    """(P, 478, 3) full actions of one person, the neutral face aligned to the canonical one."""
    parts = performers.anatomy()
    neutral = places.points(performer.neutral).astype(np.float64)
    aligned = align(neutral[None])
    size = np.ptp(aligned.points[0] @ aligned.rotations[0].T, axis=0).max() / np.ptp(neutral, axis=0).max()
    found = np.empty((len(PREDICTED_IDS), *neutral.shape))
    for row, values in enumerate(np.eye(len(PREDICTED_IDS))):
        posed = performer.neutral + performer.deltas[row]
        posed[parts.eyeballs] = performer.eyes.vertices(parts, values)
        found[row] = places.points(posed) - neutral
    return found @ aligned.rotations[0] * size


if __name__ == "__main__":
    raise SystemExit(main())
