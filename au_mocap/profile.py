"""What is known of one actor, kept in a file and used again for other takes: neutral, ranges and intensity."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, Final, cast

from . import strict_json
from .actor_neutral import ActorNeutral
from .calibration import NeutralSettings, Settings
from .errors import ProfileError, SettingsError
from .files import is_file
from .shaping import Shaping

VERSION: Final = 1
MOST_BYTES: Final = 1_000_000
MOST_NAME: Final = 200
_FIELDS: Final = {"name", "version", "neutral", "gains", "offsets", "intensity", "exaggeration", "symmetry"}


@dataclass(frozen=True, slots=True)
class Profile:
    """One actor.

    Attributes:
        name: What the actor is called.
        neutral: The neutral, or None to leave each take its own.
        gains: As in `calibration.Settings`.
        offsets: The same.
        shaping: The same.
    """

    name: str
    neutral: ActorNeutral | None = None
    gains: Mapping[str, float] = field(default_factory=dict[str, float])
    offsets: Mapping[str, float] = field(default_factory=dict[str, float])
    shaping: Shaping = field(default_factory=Shaping)

    def __post_init__(self) -> None:
        """Checks the name, and the ranges as settings do; raises ProfileError."""
        if not self.name or len(self.name) > MOST_NAME or any(ord(letter) < 32 for letter in self.name):
            message = f"the name must be a text of at most {MOST_NAME} letters."
            raise ProfileError(message)
        try:
            Settings(gains=self.gains, offsets=self.offsets)
        except SettingsError as error:
            raise ProfileError(str(error)) from error

    def applied(self, settings: Settings) -> Settings:
        """Settings of a take with this actor's neutral, ranges and intensity in the place of theirs."""
        neutral = settings.neutral if self.neutral is None else NeutralSettings("given", given=self.neutral)
        return replace(settings, neutral=neutral, gains=self.gains, offsets=self.offsets, shaping=self.shaping)


def save(profile: Profile, path: Path) -> None:
    """Writes a profile as JSON; raises OutputError where that fails."""
    strict_json.write(to_document(profile), path, indent=None)


def load(path: Path) -> Profile:
    """Reads a profile.

    Raises:
        ProfileError: It cannot be read, is no profile, or was made by a newer AU Mocap.
    """
    try:
        return from_document(strict_json.read(path, MOST_BYTES))
    except (ProfileError, strict_json.JsonError) as error:
        message = f"{path} is no actor profile that can be used: {error}"
        raise ProfileError(message) from error
    except OSError as error:
        message = f"Cannot read {path} ({error.strerror or error}): choose a profile that exists."
        raise ProfileError(message) from error


def names(folder: Path) -> tuple[str, ...]:
    """Names of the profiles in a folder, sorted: the file names without their ending."""
    if not folder.is_dir():
        return ()
    found = (path.stem for path in folder.glob("*.json") if is_file(path) and not path.name.startswith("."))
    return tuple(sorted(found, key=str.casefold))


def to_document(profile: Profile) -> dict[str, Any]:
    """The profile as JSON-compatible data."""
    return {
        "name": profile.name,
        "version": VERSION,
        "neutral": profile.neutral.to_document() if profile.neutral is not None else None,
        "gains": dict(profile.gains),
        "offsets": dict(profile.offsets),
        "intensity": dict(profile.shaping.intensity),
        "exaggeration": dict(profile.shaping.exaggeration),
        "symmetry": profile.shaping.symmetry,
    }


def from_document(document: object) -> Profile:
    """Reads JSON-compatible data; raises ProfileError saying what is wrong with it."""
    if not isinstance(document, dict):
        message = "it must be an object."
        raise ProfileError(message)
    table = cast(dict[str, Any], document)
    version = table.get("version")
    if isinstance(version, bool) or version != VERSION:
        message = f"version is {shortened(version)}, this AU Mocap reads version {VERSION}."
        raise ProfileError(message)
    if unknown := sorted(set(table) - _FIELDS):
        message = f"it has unknown fields {', '.join(map(shortened, unknown[:4]))}."
        raise ProfileError(message)
    name, neutral = table.get("name"), table.get("neutral")
    if not isinstance(name, str):
        message = "the name must be a text."
        raise ProfileError(message)
    numbers = {key: _numbers(table.get(key, {}), key) for key in ("gains", "offsets", "intensity", "exaggeration")}
    symmetry = _numbers({"symmetry": table.get("symmetry", 0.0)}, "symmetry")["symmetry"]
    try:
        shaping = Shaping(numbers["intensity"], numbers["exaggeration"], symmetry)
    except SettingsError as error:
        raise ProfileError(str(error)) from error
    return Profile(
        name=name,
        neutral=ActorNeutral.from_document(neutral) if neutral is not None else None,
        gains=numbers["gains"],
        offsets=numbers["offsets"],
        shaping=shaping,
    )


def _numbers(value: object, name: str) -> dict[str, float]:
    entries = cast(dict[str, object], value) if isinstance(value, dict) else None
    if entries is None or any(isinstance(each, bool) or not isinstance(each, int | float) for each in entries.values()):
        message = f"'{name}' must hold numbers by name."
        raise ProfileError(message)
    try:
        return {key: float(cast(float, each)) for key, each in entries.items()}
    except OverflowError as error:
        message = f"'{name}' holds a number that is too large."
        raise ProfileError(message) from error
