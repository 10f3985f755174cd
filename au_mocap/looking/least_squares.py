"""Least squares without negative answers."""

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats


def nonnegative(design: Floats, target: Floats) -> NDArray[np.float64]:
    """The least-squares solution (k,) of `design @ x = target` with no x below 0 (Lawson and Hanson's method).

    Args:
        design: (N, k).
        target: (N,).
    """
    design, target = np.asarray(design, np.float64), np.asarray(target, np.float64)
    solution, free = np.zeros(design.shape[1]), np.zeros(design.shape[1], bool)
    tolerance = 1e-10 * max(1.0, float(np.abs(design.T @ target).max(initial=0.0)))
    for _ in range(3 * design.shape[1]):
        gradient = np.where(free, -np.inf, design.T @ (target - design @ solution))
        if free.all() or gradient.max() <= tolerance:
            break
        free[int(gradient.argmax())] = True
        while True:
            trial = np.zeros_like(solution)
            trial[free], *_ = np.linalg.lstsq(design[:, free], target, rcond=None)
            below = free & (trial <= 0.0)
            if not below.any():
                break
            step = float((solution[below] / np.maximum(solution[below] - trial[below], 1e-300)).min())
            solution = solution + step * (trial - solution)
            free &= solution > 1e-12
            solution[~free] = 0.0
        solution = trial
    return solution
