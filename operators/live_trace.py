"""What live preview has posed, noted on the posed data-blocks themselves: whoever finds them can put them back.

Undo brings back steps in which a face was posed, perhaps long after live preview ended, and a crash leaves an autosaved
file with a posed face. The note travels with both, and what it says is put back then. No file that is saved holds one.
"""

from collections.abc import Mapping
from typing import Any, Final

import bpy
from bpy.app.handlers import persistent

_OWNERS: Final = (bpy.types.Object, bpy.types.Key)
_COLLECTIONS: Final = ("objects", "shape_keys")


def noted(owner: bpy.types.ID) -> dict[tuple[str, int], Any]:
    """What a data-block held before it was posed, by data path and index; empty where nothing of it is posed."""
    import json

    try:
        entries = json.loads(owner.aumocap_posed or "[]")  # pyright: ignore[reportAttributeAccessIssue]
        return {(str(path), int(index)): value for path, index, value in entries}
    except (ValueError, TypeError):  # a script has overwritten it
        return {}


def note(owner: bpy.types.ID, before: Mapping[tuple[str, int], Any]) -> None:
    """Note what a data-block held before it was posed, in place of what was noted."""
    import json

    entries = [(path, index, value) for (path, index), value in before.items()]
    owner.aumocap_posed = json.dumps(entries)  # pyright: ignore[reportAttributeAccessIssue]


def put_back() -> bool:
    """Put back what the notes of all data-blocks say, and take them off.

    Returns:
        Whether there were any.
    """
    found = [
        owner
        for name in _COLLECTIONS
        for owner in getattr(bpy.data, name)
        if owner.aumocap_posed and owner.library is None
    ]
    if found:
        from .posing import Remembered, spot_of

        for owner in found:
            entries = noted(owner).items()
            Remembered((spot_of(owner, path, index), value) for (path, index), value in entries).restore()
            owner.property_unset("aumocap_posed")
    return bool(found)


@persistent
def _clean(*_arguments: object) -> None:
    put_back()


def _handlers() -> tuple[list[Any], ...]:
    handlers = bpy.app.handlers
    return handlers.undo_post, handlers.redo_post, handlers.load_post


def register() -> None:
    """Register the note on objects and shape keys, and who reads it."""
    for each in _OWNERS:
        each.aumocap_posed = bpy.props.StringProperty(  # pyright: ignore[reportAttributeAccessIssue]
            name="Posed Live",
            description="What live preview must put back",
            options={"HIDDEN", "SKIP_SAVE"},
        )
    for functions in _handlers():
        functions.append(_clean)


def unregister() -> None:
    """Undo `register`."""
    for functions in _handlers():
        if _clean in functions:
            functions.remove(_clean)
    for each in _OWNERS:
        del each.aumocap_posed  # pyright: ignore[reportAttributeAccessIssue]
