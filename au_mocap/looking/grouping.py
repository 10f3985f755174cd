"""What counts as one: channels that a character moves together by one shape, shapes that are halves of one action."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..channels import PREDICTED_IDS, mirrored
from .assignment import assign
from .problem import LEAST_MOTION, LOOK, TONGUE, Problem

LEAST_FIT: Final = 0.6
"""Cosine between motions that makes a match."""

LEAST_WORTH: Final = 0.4
"""Cosine below which a pairing is not even thought of."""

_BUNDLED: Final = 1.15
"""How much better several must fit together than any of them alone to be taken for one."""

_MOST_HALVES: Final = 24
_HALVES_SHARE: Final = 0.5
"""Shapes that are tried as halves of one action, and the greatest cosine between two halves."""

Group = tuple[str, ...]


def columns(problem: Problem) -> list[tuple[int, ...]]:
    """Shapes that count as one: halves of what moves in the middle of the face, left and right or above and below."""
    middle = [(each,) for each in problem.ids if mirrored(each) == each and each != TONGUE]
    everything = [(each,) for each in problem.ids if each != TONGUE]
    alone = np.array([problem.fit(group) for group in everything]).reshape(len(everything), len(problem.shapes))
    owned = np.zeros(len(problem.shapes))
    for row, shape in assign(alone - LEAST_WORTH):
        owned[shape] = alone[row, shape]
    joined: list[tuple[int, ...]] = []
    for group in middle:
        fit = problem.fit(group)
        pair, worth = _best_pair(problem, group, np.argsort(-fit)[:_MOST_HALVES])
        is_free = not any(set(pair) & set(other) for other in joined)
        if is_free and worth >= max(LEAST_FIT, _BUNDLED * max(owned[list(pair)].max(initial=0.0), fit.max())):
            joined.append(pair)
    taken = {shape for pair in joined for shape in pair}
    return [*joined, *((shape,) for shape in range(len(problem.shapes)) if shape not in taken)]


def _best_pair(problem: Problem, group: Group, among: NDArray[np.int64]) -> tuple[tuple[int, ...], float]:
    """The two shapes whose sum fits channels best, and its cosine; neither may hold a large part of the other."""
    target, chosen = problem.target(group), [int(each) for each in among if problem.candidates[each]]
    if len(chosen) < 2 or not target.any():
        return (), 0.0
    shapes = problem.shapes[chosen]
    gram, along = shapes @ shapes.T, shapes @ target / float(np.linalg.norm(target))
    energy = np.diag(gram)
    total = np.sqrt(np.maximum(energy[:, None] + energy[None] + 2.0 * gram, 1e-18))
    fit = (along[:, None] + along[None]) / total
    apart = np.abs(gram) <= _HALVES_SHARE * np.sqrt(energy[:, None] * energy[None])
    fit = np.where(apart, np.triu(fit, 1), 0.0)
    first, second = np.unravel_index(int(fit.argmax()), fit.shape)
    return (chosen[int(first)], chosen[int(second)]), float(fit[first, second])


def groups(problem: Problem) -> list[Group]:
    """Channels that one shape plays each: single ones, but for those that this character only moves together."""
    visible = [each for each in problem.ids if np.abs(problem.target((each,))).max(initial=0.0) > LEAST_MOTION / 2]
    singles = [(each,) for each in visible if each != TONGUE]
    alone = np.array([problem.fit(group) for group in singles]).reshape(len(singles), len(problem.shapes))
    together = [group for group in _bundles() if all((each,) in singles for each in group)]
    bundled = np.array([problem.fit(group) for group in together]).reshape(len(together), len(problem.shapes))
    pairs = assign(alone - LEAST_WORTH)
    owned = {singles[row][0] for row, shape in pairs if _own(alone, bundled, row, shape)}
    best_alone = np.zeros(len(problem.shapes))
    for row, shape in pairs:
        best_alone[shape] = alone[row, shape]
    active: list[Group] = []
    for row in (int(each) for each in np.argsort(-(bundled.max(axis=1, initial=0.0)))):
        shape = int(bundled[row].argmax())
        group = together[row]
        is_taken = owned & set(group) or {each for other in active for each in other} & set(group)
        fits = bundled[row, shape] >= max(LEAST_FIT, _BUNDLED * best_alone[shape])
        if fits and not is_taken and bundled[row, shape] >= bundled[:, shape].max():
            active.append(group)
    taken = {each for group in active for each in group}
    return [*active, *(group for group in singles if group[0] not in taken)]


def _own(alone: NDArray[np.float64], bundled: NDArray[np.float64], row: int, shape: int) -> bool:
    """Whether a shape that could play a channel is not rather one for several channels."""
    fit = alone[row, shape]
    return bool(fit >= LEAST_FIT and fit * _BUNDLED > bundled[:, shape].max(initial=0.0))


def _bundles() -> list[Group]:
    """Channels that characters often have one shape for."""
    found: list[Group] = []
    for left in (each for each in PREDICTED_IDS if each.endswith("_L")):
        if not left.startswith(("jaw", "mouth", LOOK)):
            found.append((left, mirrored(left)))
    for stems in (("inner_brow_raise", "brow_raise"), ("cheek_raise", "lid_tighten")):
        sides = [tuple(f"{stem}_{side}" for stem in stems) for side in "LR"]
        found += [*sides, sides[0] + sides[1]]
    found.append(("upper_lip_suck", "lower_lip_suck"))
    found += [("look_up_L", "look_up_R"), ("look_down_L", "look_down_R")]
    return [*found, ("look_out_L", "look_in_R"), ("look_in_L", "look_out_R")]
