"""What people note about a take: actor, tags, notes, and where its video is now. Kept in a JSON file beside the take.

`NAME.take.json` belongs to `NAME.take.npz` and travels with it. The take itself holds what was measured and is never
altered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, Final, cast

from .. import strict_json
from ..errors import LibraryError
from ..files import is_file
from ..take import SUFFIX as TAKE_SUFFIX

SUFFIX: Final = ".take.json"
VERSION: Final = 1
MOST_BYTES: Final = 1_000_000
MOST_ACTOR: Final = 200
MOST_TAG: Final = 60
MOST_TAGS: Final = 100
MOST_NOTE: Final = 20_000
_FIELDS: Final = {"version", "actor", "tags", "notes", "video"}


@dataclass(frozen=True, slots=True)
class Notes:
    """What is noted about one take.

    Attributes:
        actor: Who acts; empty where nobody said.
        tags: Words to find it by, each once.
        notes: Free text.
        video: Where its video is now; empty where it is where the take says.
    """

    actor: str = ""
    tags: tuple[str, ...] = ()
    notes: str = ""
    video: str = ""

    def __post_init__(self) -> None:
        """Checks lengths and letters; raises LibraryError."""
        if len(self.actor) > MOST_ACTOR or _has_control(self.actor):
            message = f"The actor's name must be one line of at most {MOST_ACTOR} letters."
            raise LibraryError(message)
        if len(self.tags) > MOST_TAGS:
            message = f"A take can have {MOST_TAGS} tags, not {len(self.tags)}: remove some."
            raise LibraryError(message)
        for tag in self.tags:
            if not tag or len(tag) > MOST_TAG or "," in tag or tag != tag.strip() or _has_control(tag):
                message = f"{shortened(tag)} is no tag: write a word or two of at most {MOST_TAG} letters, no commas."
                raise LibraryError(message)
        if len(self.notes) > MOST_NOTE:
            message = f"Notes can have {MOST_NOTE} letters, not {len(self.notes)}: shorten them."
            raise LibraryError(message)
        if _has_control(self.video):
            message = "The path of the video holds letters that no path has."
            raise LibraryError(message)


def path_of(take: Path) -> Path:
    """Where the notes of a take lie."""
    return take.with_name(take.name.removesuffix(TAKE_SUFFIX) + SUFFIX)


def load(take: Path) -> Notes:
    """Reads what is noted about a take; nothing is noted where there is no file.

    Raises:
        LibraryError: The file is damaged, no notes at all, or of a newer version; the message says which.
    """
    path = path_of(take)
    if not is_file(path):
        return Notes()
    try:
        return from_document(strict_json.read(path, MOST_BYTES))
    except (LibraryError, strict_json.JsonError) as error:
        message = f"The notes {path} cannot be used: {error} Mend the file, or delete it."
        raise LibraryError(message) from error
    except OSError as error:
        message = f"The notes {path} cannot be read ({error.strerror or error})."
        raise LibraryError(message) from error


def save(take: Path, notes: Notes) -> None:
    """Writes what is noted about a take.

    Raises:
        LibraryError: There are notes already that cannot be read, those of a newer AU Mocap perhaps: they stay.
        OutputError: The file cannot be written.
    """
    if load(take) == notes:
        return
    strict_json.write(to_document(notes), path_of(take))


def edit(
    take: Path,
    *,
    actor: str | None = None,
    add_tags: Sequence[str] = (),
    remove_tags: Sequence[str] = (),
    note: str | None = None,
    video: str | None = None,
) -> Notes:
    """Changes some of what is noted about a take and leaves the rest.

    Returns:
        What is noted now.

    Raises:
        LibraryError: As `load`, or the new values are none.
        OutputError: The file cannot be written.
    """
    old = load(take)
    gone = {tag.strip().casefold() for tag in remove_tags}
    new = replace(
        old,
        actor=old.actor if actor is None else actor.strip(),
        tags=tags_of([*(tag for tag in old.tags if tag.casefold() not in gone), *add_tags]),
        notes=old.notes if note is None else note,
        video=old.video if video is None else video,
    )
    save(take, new)
    return new


def tags_of(words: Sequence[str]) -> tuple[str, ...]:
    """Tags from what people write: without blanks around them, each once whatever its case, empty ones left out."""
    kept: dict[str, str] = {}
    for word in words:
        if word.strip():
            kept.setdefault(word.strip().casefold(), word.strip())
    return tuple(kept.values())


def to_document(notes: Notes) -> dict[str, Any]:
    """Notes as JSON-compatible data."""
    return {
        "version": VERSION,
        "actor": notes.actor,
        "tags": list(notes.tags),
        "notes": notes.notes,
        "video": notes.video,
    }


def from_document(document: object) -> Notes:
    """Back from JSON.

    Raises:
        LibraryError: It is something else, or of a newer version.
    """
    if not isinstance(document, dict):
        message = "it holds no notes."
        raise LibraryError(message)
    table = cast(dict[str, object], document)
    version = table.get("version")
    if isinstance(version, int) and not isinstance(version, bool) and version > VERSION:
        message = f"they were made by a newer AU Mocap (version {version}): update to read them."
        raise LibraryError(message)
    if isinstance(version, bool) or version != VERSION:
        message = f"the version is {shortened(version)}, not {VERSION}."
        raise LibraryError(message)
    if unknown := sorted(set(table) - _FIELDS):
        message = f"they have unknown fields {', '.join(map(shortened, unknown[:4]))}."
        raise LibraryError(message)
    texts = [table.get(name, "") for name in ("actor", "notes", "video")]
    tags = table.get("tags", [])
    words = cast(list[object], tags) if isinstance(tags, list) else [None]
    if not all(isinstance(each, str) for each in (*texts, *words)):
        message = "actor, notes and video must be texts, and tags a list of texts."
        raise LibraryError(message)
    actor, text, video = map(str, texts)
    return Notes(actor, tags_of([str(word) for word in words]), text, video)


def _has_control(text: str) -> bool:
    return any(ord(letter) < 32 for letter in text)
