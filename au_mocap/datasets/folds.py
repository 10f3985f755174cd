"""Folds that keep the people apart."""

from collections.abc import Iterable

from ..errors import SettingsError
from .clips import Clip


def subject_folds(clips: Iterable[Clip], count: int) -> list[tuple[str, ...]]:
    """Shares subjects out so that each fold has about as many labelled frames as the others.

    The same clips give the same folds on every machine and in any order: subjects go, most frames first, to the fold
    that has the fewest so far.

    Args:
        clips: The clips of a data set.
        count: Number of folds, at least 2.

    Returns:
        The subjects of each fold; no subject is in two.

    Raises:
        SettingsError: There are fewer subjects than folds, or fewer than two folds are asked for.
    """
    frames: dict[str, int] = {}
    for clip in clips:
        frames[clip.subject] = frames.get(clip.subject, 0) + len(clip.labels.frames)
    if not 2 <= count <= len(frames):
        message = (
            f"{count} folds of {len(frames)} subjects: choose at least 2 folds and no more than there are subjects."
        )
        raise SettingsError(message)
    folds: list[list[str]] = [[] for _ in range(count)]
    sizes = [0] * count
    for subject in sorted(frames, key=lambda name: (-frames[name], name)):
        smallest = min(range(count), key=lambda fold: (sizes[fold], fold))
        folds[smallest].append(subject)
        sizes[smallest] += frames[subject]
    return [tuple(sorted(fold)) for fold in folds]
