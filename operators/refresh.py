"""What follows a change of settings: the preview and the keys of an earlier bake are renewed at once."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import ClassVar

import bpy

from ..au_mocap.errors import AuMocapError
from . import bundle


class _State:
    """Of this Blender, never stored in a file."""

    held: ClassVar[int] = 0
    problem: ClassVar[str] = ""


def problem() -> str:
    """Why the last change could not be shown; empty where it was."""
    return _State.problem


@contextmanager
def held() -> Generator[None]:
    """Many changes at once: nothing is renewed inside the block."""
    _State.held += 1
    try:
        yield
    finally:
        _State.held -= 1


def settings_changed(owner: bpy.types.PropertyGroup, _context: bpy.types.Context) -> None:
    """An actor's setting, or the choice of take, has changed."""
    scene(owner.id_data)  # pyright: ignore[reportArgumentType] - such groups belong to scenes


def table_changed(_owner: object, context: bpy.types.Context) -> None:
    """The table or the bones of a character have changed."""
    scene(context.scene)


def character_changed(_owner: object, context: bpy.types.Context) -> None:
    """Another character was chosen: one without a table gets the first that fits its shape keys."""
    if _State.held:
        return
    from . import table

    table.offer(context.scene.aumocap.character)
    scene(context.scene)


def row_tested(owner: object, context: bpy.types.Context) -> None:
    """A row's test slider moved."""
    if _State.held:
        return
    tell(lambda: _try(context.scene, owner))


def _try(stage: bpy.types.Scene, row: object) -> None:
    from . import trying

    trying.show(stage, row)


def scene(stage: bpy.types.Scene | None) -> None:
    """Renew preview and keys of a scene with the settings of now."""
    if _State.held or stage is None:
        return
    from . import annotate, fixing, live, preview, review_state

    fixing.forget()
    review_state.changed()
    live.table_changed(stage)
    annotate.table_changed(stage)
    item, has_curves = _baked_take(stage), _has_curves(stage)
    if item is None and not has_curves and not preview.is_on(stage):
        _State.problem = ""
        return
    tell(lambda: _renew(stage, item, has_curves=has_curves))


def _renew(stage: bpy.types.Scene, item: object, *, has_curves: bool) -> None:
    from . import performing, preview

    if has_curves:
        from . import take_curves

        take_curves.renew(stage, performing.active_take(stage))
    if item is not None:
        performing.bake_again(stage, item)
    if preview.is_on(stage):
        preview.start(stage)


def _has_curves(stage: bpy.types.Scene) -> bool:
    """Whether the chosen take has F-curves, which are to follow the settings."""
    own = stage.aumocap
    return 0 <= own.active_take < len(own.takes) and own.takes[own.active_take].edits.curves is not None


def _baked_take(stage: bpy.types.Scene) -> object | None:
    """The chosen take, where its keys are still on its character and are to follow the settings."""
    own = stage.aumocap
    if not own.bake.live_update or not 0 <= own.active_take < len(own.takes):
        return None
    item = own.takes[own.active_take]
    if item.baked_on is None or not item.baked_with or item.baked_on.name not in stage.objects:
        return None
    return item


def tell(work: Callable[[], None]) -> None:
    """Do something of which the panel shows what went wrong: an update function has nobody to report to."""
    try:
        with bundle.needed():
            work()
    except AuMocapError as error:
        _State.problem = str(error)
    else:
        _State.problem = ""
