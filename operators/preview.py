"""The chosen take on the chosen character, following the timeline, without a key being written.

What the preview poses is put back when it stops, and around every save, so that no file ever holds it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

import bpy
from bpy.app.handlers import persistent

from ..au_mocap.errors import AuMocapError
from . import bundle

if TYPE_CHECKING:
    from .outlets_feed import CurvesFeed
    from .posing import Pose


class _State:
    """What is shown; never stored in a file."""

    scene: ClassVar[str] = ""
    pose: "ClassVar[Pose | None]" = None
    feed: "ClassVar[CurvesFeed | None]" = None


def is_on(scene: bpy.types.Scene) -> bool:
    """Whether a preview follows this scene's timeline."""
    return _State.pose is not None and _State.scene == scene.name


def feed() -> "CurvesFeed | None":
    """What sends the preview to another program; None where none is on."""
    return _State.feed


def start(scene: bpy.types.Scene) -> tuple[str, ...]:
    """Show the scene's take on its character, in place of any earlier preview.

    Returns:
        What of the table cannot be shown, and why.

    Raises:
        AuMocapError: There is nothing to show, or nothing to show it on; no preview is left on.
    """
    with bundle.needed():
        from .outlets_feed import CurvesFeed
        from .performing import active_take, curves_of, plan_scene
        from .posing import Pose
    from . import live

    make_way(scene)
    live.stop()
    plan = plan_scene(scene)
    _State.scene, _State.pose = scene.name, Pose(plan)
    _State.feed = CurvesFeed(plan.frames, curves_of(active_take(scene)))
    _State.pose.show(scene.frame_current_final)
    for name, function in _handlers():
        getattr(bpy.app.handlers, name).append(function)
    return tuple(plan.skipped)


def stop() -> None:
    """End the preview and put the character back, from a value that is tried over it as well."""
    from . import fixing

    fixing.stop()
    pose, _State.pose = _State.pose, None
    feed, _State.feed = _State.feed, None
    if feed is not None:
        feed.close()
    for name, function in _handlers():
        handlers = getattr(bpy.app.handlers, name)
        if function in handlers:
            handlers.remove(function)
    if pose is not None:
        pose.restore()


def make_way(scene: bpy.types.Scene) -> None:
    """Put the character back from preview, tried values and labels: keys are about to be written or read."""
    from . import annotate

    stop()
    annotate.give_way(scene)


def _handlers() -> tuple[tuple[str, Callable[..., None]], ...]:
    """What is told to whom while a preview is on."""
    return (
        ("frame_change_post", _follow),
        ("save_pre", _before_save),
        ("save_post", _after_save),
        ("undo_post", _again),
        ("redo_post", _again),
        ("load_pre", _forget),
    )


@persistent
def _follow(scene: bpy.types.Scene, _depsgraph: bpy.types.Depsgraph | None = None) -> None:
    if _State.pose is not None and scene.name == _State.scene:
        _State.pose.show(scene.frame_current_final)
        if _State.feed is not None:
            _State.feed.show(scene)


@persistent
def _before_save(*_arguments: object) -> None:
    if _State.pose is not None:
        _State.pose.restore()


@persistent
def _after_save(*_arguments: object) -> None:
    scene = bpy.data.scenes.get(_State.scene)
    if _State.pose is not None and scene is not None:
        _State.pose.show(scene.frame_current_final)


@persistent
def _again(*_arguments: object) -> None:
    """Undo may bring back another table, other settings, or a scene without the character."""
    scene = bpy.data.scenes.get(_State.scene)
    if _State.pose is None:
        return
    try:
        if scene is None:
            stop()
        else:
            start(scene)
    except AuMocapError:
        stop()


@persistent
def _forget(*_arguments: object) -> None:
    """The file is being closed: what was posed goes with it."""
    _State.pose = None
    stop()


class AUMOCAP_OT_preview(bpy.types.Operator):
    """Shows the take on the character while the timeline plays, or ends that."""

    bl_idname = "aumocap.preview"
    bl_label = "Preview"
    bl_description = (
        "Show the take on the character while the timeline plays; writes no keys, and puts all back at its end"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take and a character."""
        from . import polls

        return is_on(context.scene) or polls.take_and_character(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Switch over."""
        scene = context.scene
        if is_on(scene):
            stop()
            scene.frame_set(scene.frame_current)  # what is keyed plays again
            return {"FINISHED"}
        try:
            skipped = start(scene)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if skipped:
            self.report({"WARNING"}, f"Left out: {'; '.join(skipped[:5])}")
        return {"FINISHED"}


def register() -> None:
    """Register the operator."""
    bpy.utils.register_class(AUMOCAP_OT_preview)


def unregister() -> None:
    """Undo `register`, and end a preview that is on."""
    stop()
    bpy.utils.unregister_class(AUMOCAP_OT_preview)
