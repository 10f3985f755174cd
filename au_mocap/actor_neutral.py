"""An actor's neutral as a thing of its own: taken from one take, it fits every other take of the same actor."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from .errors import ProfileError
from .landmarks import COUNT
from .regressors import Neutral

_DIGITS: Final = 6
_MOST_NUMBERS: Final = 4096
"""Of an embedding, whatever the regressor."""


@dataclass(frozen=True, slots=True)
class ActorNeutral:
    """A neutral and what it is for. Two of them are equal where their numbers are.

    Attributes:
        regressor: Name of the regressor whose head reads it.
        version: That regressor's version.
        confidence: 0..1, how near to rest the frames were that it was averaged from.
        neutral: What the head is given.
    """

    regressor: str
    version: str
    confidence: float
    neutral: Neutral = field(compare=False)
    digest: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Checks sizes and ranges; raises ProfileError."""
        given = self.neutral
        if given.landmarks.shape != (COUNT, 3) or given.weight.shape != (COUNT, 1) or given.embedding.ndim != 1:
            message = f"the neutral must hold {COUNT} landmarks, as many weights, and an embedding."
            raise ProfileError(message)
        arrays = [np.ascontiguousarray(each) for each in (given.landmarks, given.weight, given.embedding)]
        if not all(np.isfinite(each).all() for each in arrays):
            message = "the neutral holds values that are no finite numbers."
            raise ProfileError(message)
        if given.weight.min() < 0.0 or given.weight.max() > 1.0 or not 0.0 <= self.confidence <= 1.0:
            message = "the neutral's weights and confidence must lie between 0 and 1."
            raise ProfileError(message)
        digest = hashlib.sha256(b"".join(each.tobytes() for each in arrays)).hexdigest()
        object.__setattr__(self, "digest", digest)

    def to_document(self) -> dict[str, Any]:
        """JSON-compatible data."""
        return {
            "regressor": self.regressor,
            "regressor_version": self.version,
            "confidence": round(self.confidence, _DIGITS),
            "landmarks": _rounded(self.neutral.landmarks),
            "weight": _rounded(self.neutral.weight[:, 0]),
            "embedding": _rounded(self.neutral.embedding),
        }

    @classmethod
    def from_document(cls, document: object) -> "ActorNeutral":
        """Reads JSON-compatible data; raises ProfileError saying what is wrong with it."""
        wanted = {"regressor", "regressor_version", "confidence", "landmarks", "weight", "embedding"}
        if not isinstance(document, dict) or set(cast(dict[str, Any], document)) != wanted:
            message = f"'neutral' must have the fields {', '.join(sorted(wanted))} and no others."
            raise ProfileError(message)
        table = cast(dict[str, Any], document)
        names = table["regressor"], table["regressor_version"]
        if not all(isinstance(each, str) and each for each in names):
            message = "the neutral's regressor and its version must be texts."
            raise ProfileError(message)
        confidence = table["confidence"]
        if isinstance(confidence, bool) or not isinstance(confidence, int | float):
            message = "the neutral's confidence must be a number."
            raise ProfileError(message)
        neutral = Neutral(
            landmarks=_array(table["landmarks"], "landmarks", (COUNT, 3)),
            weight=_array(table["weight"], "weight", (COUNT,))[:, None],
            embedding=_array(table["embedding"], "embedding", None),
        )
        return cls(*names, float(confidence), neutral)


def _rounded(array: NDArray[np.float32]) -> list[Any]:
    """Numbers as short as float32 needs them, since a file of 15 digits would be twice as long."""
    short = [float(f"{number:.{_DIGITS + 1}g}") for number in array.reshape(-1).tolist()]
    return np.array(short).reshape(array.shape).tolist()


def _array(value: object, name: str, shape: tuple[int, ...] | None) -> NDArray[np.float32]:
    try:
        array = np.array(value)
        with np.errstate(over="ignore"):  # infinity is refused with the rest
            numbers = array.astype(np.float32) if array.dtype.kind in "if" else None
    except (ValueError, OverflowError):  # rows of several lengths, or numbers that are none
        numbers = None
    if numbers is None and value == []:
        numbers = np.zeros(0, np.float32)
    fits = numbers is not None and (
        numbers.shape == shape if shape else numbers.ndim == 1 and len(numbers) <= _MOST_NUMBERS
    )
    if numbers is None or not fits:
        wanted = " x ".join(map(str, shape)) if shape else f"at most {_MOST_NUMBERS}"
        message = f"the neutral's {name} must be {wanted} numbers."
        raise ProfileError(message)
    return numbers
