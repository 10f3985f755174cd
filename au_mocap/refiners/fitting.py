"""Fitting a refiner's parameters to pictures: gradient descent with priors.

Every step goes down the gradient of the difference between rendering and picture, each parameter at its own rate, and
is then drawn towards where the frame started and towards its neighbours in time. Of the whole sum that is minimised

    difference(x_t) + anchor / 2 |x_t - start_t|^2 + steadiness / 2 |x_t - x_(t-1)|^2

the last two are solved for exactly in each step, over all frames at once (a proximal step), so that strong priors make
nothing swing. Steps become shorter along a cosine.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..errors import SettingsError
from .basis import POSES
from .refiner import Refiner

STEPS: Final = 30
MOST_STEPS: Final = 1000
IDENTITY_PRIOR: Final = 0.02


@dataclass(frozen=True, slots=True)
class Shown:
    """N frames to be fitted.

    Attributes:
        pose: (N, 2) float32 pose parameters to start from.
        values: (N, P) float32 values of the refiner's channels to start from, 0..1.
        appearance: (N, A) float32 colours of the pictures.
        features: (N, F, T, T) float32 of the pictures.
        tied: (N,) bool: the frame follows upon the one before it, within a clip.
    """

    pose: NDArray[np.float32]
    values: NDArray[np.float32]
    appearance: NDArray[np.float32]
    features: NDArray[np.float32]
    tied: NDArray[np.bool_]

    def __len__(self) -> int:
        """N."""
        return len(self.pose)

    @property
    def start(self) -> NDArray[np.float32]:
        """(N, 2 + P) pose and values."""
        return np.concatenate([self.pose, self.values], axis=1)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was found.

    Attributes:
        parameters: (N, 2 + P) pose and values, 0..1.
        before: (N,) loss at the start.
        after: (N,) loss of what was found.
    """

    parameters: NDArray[np.float32]
    before: NDArray[np.float32]
    after: NDArray[np.float32]


def check_steps(steps: int) -> None:
    """Raises SettingsError unless a number of steps can be."""
    if not 1 <= steps <= MOST_STEPS:
        message = f"A frame is refined in 1 to {MOST_STEPS} steps, not {steps}."
        raise SettingsError(message)


def fit_frames(
    refiner: Refiner, shown: Shown, identity: Floats, steps: int = STEPS, last: Floats | None = None
) -> Fitted:
    """Finds pose and values of consecutive frames.

    Args:
        refiner: What renders.
        shown: The frames, and where to start.
        identity: (K,) of the actor.
        steps: How often everything is moved.
        last: (2 + P,) what was found of the frame before the first, where that is tied to it.

    Raises:
        ModelError: A graph failed.
        SettingsError: The number of steps cannot be.
    """
    check_steps(steps)
    basis = refiner.basis
    start = shown.start.astype(np.float64)
    free = start.shape[1]
    fixed = np.concatenate([np.tile(np.asarray(identity, np.float32), (len(shown), 1)), shown.appearance], axis=1)
    rates = basis.rates[:free] * basis.step
    chain = _laplacian(shown.tied, last is not None)
    pull = np.zeros_like(start)
    if last is not None and len(start):
        pull[0] = np.asarray(last, np.float64) * bool(shown.tied[0])
    found, losses = start, list[NDArray[np.float32]]()
    for number in range(steps):
        loss, slope = refiner.step(np.concatenate([found, fixed], axis=1), shown.features)
        losses.append(loss)
        share = 0.5 * (1.0 + math.cos(math.pi * number / steps))
        anchor, steadiness = float(basis.anchor) * share, float(basis.steadiness) * share
        moved = found - share * rates * slope[:, :free]
        system = (1.0 + anchor) * np.eye(len(start)) + steadiness * chain
        found = np.clip(np.linalg.solve(system, moved + anchor * start + steadiness * pull), 0.0, 1.0)
    after, _ = refiner.step(np.concatenate([found, fixed], axis=1), shown.features)
    return Fitted(found.astype(np.float32), losses[0], after)


def fit_identity(refiner: Refiner, shown: Shown, start: Floats, steps: int = STEPS) -> NDArray[np.float32]:
    """Finds the (K,) identity that all frames share, pose and values as they start; raises as `fit_frames`.

    It stays in the subspace of the training performers and near its start, which is a face of that subspace.
    """
    check_steps(steps)
    basis = refiner.basis
    free = POSES + shown.values.shape[1]
    rates = basis.rates[free:] * basis.step
    first = np.asarray(start, np.float64)
    found = first
    for number in range(steps):
        rows = np.tile(found, (len(shown), 1))
        parameters = np.concatenate([shown.start, rows, shown.appearance], axis=1)
        _, slope = refiner.step(parameters, shown.features)
        share = 0.5 * (1.0 + math.cos(math.pi * number / steps))
        moved = found - share * rates * slope[:, free : free + basis.identities].mean(axis=0)
        prior = IDENTITY_PRIOR * share
        found = np.clip((moved + prior * first) / (1.0 + prior), 0.0, 1.0)
    return found.astype(np.float32)


def _laplacian(tied: NDArray[np.bool_], has_last: bool) -> NDArray[np.float64]:
    """(N, N) of the chain of frames: what neighbours draw at each other; the frame before the first is held."""
    count = len(tied)
    result = np.zeros((count, count))
    for place in np.flatnonzero(tied):
        if place:
            result[place - 1 : place + 1, place - 1 : place + 1] += [[1.0, -1.0], [-1.0, 1.0]]
        elif has_last:
            result[0, 0] += 1.0
    return result
