"""A take's edits, from properties and F-curves to the engine's and back. Imported at first use: it needs the engine."""

from functools import lru_cache

import bpy

from ..au_mocap import edits_json
from ..au_mocap.edits import Edits, Fix
from . import refresh, take_curves
from .capture_properties import AUMOCAP_PG_take


def of(item: AUMOCAP_PG_take) -> Edits:
    """All edits of a take: its fixes, what was copied into it, and what is drawn in the Graph Editor now.

    The F-curves are read whenever somebody asks, and nothing of them is kept elsewhere. So undo, scripts and other
    Actions on the object count at once, in background mode as well; what a handler does is only to ask again.

    Raises:
        SettingsError: What the file holds is no edits.
    """
    own = below_curves(item)
    return Edits(own.fixes, (*own.overrides, *take_curves.drawn(item)))


def stored(item: AUMOCAP_PG_take) -> Edits:
    """The stretches that lie under the F-curves, without fixes: what the F-curves are written from."""
    return _decoded(item.edits.drawn)


def below_curves(item: AUMOCAP_PG_take) -> Edits:
    """All edits but those that are drawn in the Graph Editor now."""
    return Edits(_fixes(item), stored(item).overrides)


def _fixes(item: AUMOCAP_PG_take) -> tuple[Fix, ...]:
    return tuple(
        Fix(each.name, each.time_s, each.value, each.blend_in_s, each.blend_out_s) for each in item.edits.fixes
    )


@lru_cache(maxsize=8)
def _decoded(text: str) -> Edits:
    return edits_json.from_json(text)


def put(item: AUMOCAP_PG_take, edits: Edits) -> None:
    """Give a take these edits in place of its own, apart from its F-curves; nothing is renewed."""
    own = item.edits
    own.drawn = edits_json.to_json(Edits(overrides=edits.overrides)) if edits.overrides else ""
    own.fixes.clear()
    for fix in edits.fixes:
        add_fix(item, fix)
    own.active_fix = max(0, min(own.active_fix, len(own.fixes) - 1))


def add_fix(item: AUMOCAP_PG_take, fix: Fix) -> None:
    """Put a fix at the end of a take's list; nothing is renewed."""
    with refresh.held():
        added = item.edits.fixes.add()
        added.name = fix.channel
        for name in ("time_s", "value", "blend_in_s", "blend_out_s"):
            setattr(added, name, getattr(fix, name))


def copy(source: AUMOCAP_PG_take, target: AUMOCAP_PG_take) -> None:
    """Give a take another one's edits, those of its F-curves as well; nothing is renewed.

    Raises:
        AuMocapError: The other take, or its edits, cannot be read.
    """
    put(target, of(source))


def labelled_frames(stage: bpy.types.Scene) -> dict[str, tuple[tuple[float, str, float], ...]]:
    """The values that were fixed by hand, by the path of the take: seconds of the take, channel id and value."""
    from ..au_mocap.edits import labels

    return {item.filepath: labels(Edits(_fixes(item))) for item in stage.aumocap.takes if item.edits.fixes}
