"""Names of public kinds of rigs, from the files in `tests/data/rigs`, which name their sources."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "data" / "rigs"
KINDS: Final = tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


@dataclass(frozen=True)
class RigNames:
    """What one kind of rig calls its controls."""

    source: tuple[str, ...]
    shape_keys: tuple[str, ...]
    bones: tuple[str, ...]
    properties: tuple[str, ...]


@cache
def read(kind: str) -> RigNames:
    """The names file of a preset."""
    document = json.loads((FOLDER / f"{kind}.json").read_text(encoding="utf-8"))
    names = {document["kind"]: document["names"]}
    return RigNames(
        source=tuple(document["source"]),
        shape_keys=tuple(names.get("shape_keys", ())),
        bones=tuple(names.get("bones", document.get("bones", ()))),
        properties=tuple(names.get("properties", document.get("properties", ()))),
    )
