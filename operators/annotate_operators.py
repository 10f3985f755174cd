"""Buttons that open and close labels, step through the clip and change a frame's labels as a whole."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import bpy

from ..au_mocap.errors import AuMocapError
from . import annotate, classes, review_state, review_step

if TYPE_CHECKING:
    from ..au_mocap.annotation.editing import Rows
    from .annotate_session import Session

STEPS = (
    ("FRAME", "Frame", "To the next frame, as many further as the stride says"),
    ("LABELLED", "Labelled Frame", "To the next frame that has labels"),
    ("KEY", "Key Frame", "To the next frame that was labelled by hand"),
)
EDITS = (
    ("COPY", "Copy Previous", "Give this frame the labels of the labelled frame before it"),
    ("MIRROR", "Mirror", "Swap the labels of left and right in this frame"),
    ("CLEAR", "Clear", "Take all labels of this frame away"),
    (
        "AROUND",
        "Interpolate",
        "Fill the frames from the key frame before this one to the one after it with straight lines",
    ),
    ("ALL", "Interpolate All", "Fill the frames between all key frames with straight lines"),
    ("FRAME", "Frame from Regressor", "Give this frame the values of the take, with its settings and edits"),
    (
        "RANGE",
        "Range from Regressor",
        "Give the frames of the preview range, or all, the values of the take as set and edited; key frames stay",
    ),
)


def _needs_labels(cls: Any, context: bpy.types.Context) -> bool:  # noqa: ANN401 - an operator class
    if annotate.current(context.scene) is not None:
        return True
    cls.poll_message_set("Start annotating first (Annotate panel)")
    return False


def _do(operator: bpy.types.Operator, work: Callable[[], object]) -> set[str]:
    try:
        work()
    except AuMocapError as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    return {"FINISHED"}


def _count_anew(context: bpy.types.Context) -> None:
    """While a clip is labelled the timeline counts its frames, whatever a bake makes of them; what shows it follows."""
    review_step.follow(context.scene)
    review_state.look_changed()


class AUMOCAP_OT_annotate(bpy.types.Operator):
    """Opens a coder's labels of the clip."""

    bl_idname = "aumocap.annotate"
    bl_label = "Start Annotating"
    bl_description = "Label the chosen take's video, or the video of the Capture panel, or go on with earlier labels"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Open them."""
        own = context.scene.aumocap_annotation
        done = _do(self, lambda: annotate.start(context.scene, own.folder, own.coder))
        _count_anew(context)
        return done


class AUMOCAP_OT_annotate_close(bpy.types.Operator):
    """Closes the labels."""

    bl_idname = "aumocap.annotate_close"
    bl_label = "Stop Annotating"
    bl_description = "Store the labels, close them and put the character back"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs open labels."""
        return _needs_labels(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Close them; a folder beside the video is not kept, or it would be that of the next video as well."""
        session = annotate.needed(context.scene)
        done = _do(self, annotate.stop)
        if session.is_beside_video:
            context.scene.aumocap_annotation.folder = ""
        _count_anew(context)
        return done


class AUMOCAP_OT_annotate_video(bpy.types.Operator):
    """Shows the clip beside the character."""

    bl_idname = "aumocap.annotate_video"
    bl_label = "Show Video"
    bl_description = "Show the video in an image editor beside the viewport, in step with the timeline, at its own rate"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs open labels."""
        return _needs_labels(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Show it, and have the scene play as long and as fast as the clip."""
        return _do(self, lambda: self._show(context))

    def _show(self, context: bpy.types.Context) -> None:
        from . import staging

        stage, session = context.scene, annotate.needed(context.scene)
        start = stage.aumocap.bake.start_frame
        staging.set_up(context, session.video, start, "image_editor")
        rate_hz = session.clip.rate_hz
        stage.render.fps = max(1, round(rate_hz))
        stage.render.fps_base = stage.render.fps / rate_hz
        stage.frame_start = round(start)
        stage.frame_end = round(start) + session.clip.frames - 1


class AUMOCAP_OT_annotate_step(bpy.types.Operator):
    """Steps through the clip."""

    bl_idname = "aumocap.annotate_step"
    bl_label = "Step"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    kind: bpy.props.EnumProperty(name="To", items=STEPS)
    backwards: bpy.props.BoolProperty(name="Backwards", default=False)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs open labels."""
        return _needs_labels(cls, context)

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: "AUMOCAP_OT_annotate_step") -> str:
        """What the button does."""
        what = next(each[2] for each in STEPS if each[0] == properties.kind)
        return what.replace("next", "previous") if properties.backwards else what

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Step, as far as the clip goes."""
        stage = context.scene
        session, frame = annotate.needed(stage), annotate.clip_frame(stage)
        direction = -1 if self.backwards else 1
        if self.kind == "FRAME":
            wanted = min(max(frame + direction * stage.aumocap_annotation.stride, 0), session.clip.frames - 1)
        else:
            wanted = session.editing.neighbour(frame, direction, keys=self.kind == "KEY")
        if wanted is None or wanted == frame:
            self.report({"INFO"}, "There is none further on.")
            return {"CANCELLED"}
        annotate.go_to(stage, wanted)
        return {"FINISHED"}


class AUMOCAP_OT_annotate_edit(bpy.types.Operator):
    """Changes the labels of a frame as a whole, or of several frames."""

    bl_idname = "aumocap.annotate_edit"
    bl_label = "Edit Labels"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    kind: bpy.props.EnumProperty(name="What", items=EDITS)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs open labels."""
        return _needs_labels(cls, context)

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: "AUMOCAP_OT_annotate_edit") -> str:
        """What the button does."""
        return next(each[2] for each in EDITS if each[0] == properties.kind)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do it, as one step of undo."""
        stage = context.scene
        session = annotate.needed(stage)
        changed: Rows = {}

        def work() -> None:
            changed.update(_edit(self.kind, stage, session))
            annotate.change(stage, changed)

        done = _do(self, work)
        if done == {"FINISHED"} and len(changed) != 1:
            self.report({"INFO"}, f"{len(changed)} frames have changed.")
        return done


def _edit(kind: str, stage: bpy.types.Scene, session: "Session") -> "Rows":
    editing, frame = session.editing, annotate.clip_frame(stage)
    if kind in ("FRAME", "RANGE"):
        return _from_regressor(kind, stage, session)
    if kind == "AROUND":
        first = editing.neighbour(frame, -1, keys=True)
        last = editing.neighbour(frame, 1, keys=True)
        return editing.interpolate(frame if first is None else first, frame if last is None else last)
    if kind == "ALL":
        return editing.interpolate(0, session.clip.frames - 1)
    if kind == "COPY":
        return editing.copy_previous(frame)
    return editing.mirror(frame) if kind == "MIRROR" else editing.clear([frame])


def _from_regressor(kind: str, stage: bpy.types.Scene, session: "Session") -> "Rows":
    frames, values = session.measured(stage)
    if kind == "FRAME":
        chosen = [annotate.clip_frame(stage)]
    else:
        offset = round(stage.aumocap.bake.start_frame)
        is_part = stage.use_preview_range
        first = stage.frame_preview_start - offset if is_part else 0
        chosen = range(first, (stage.frame_preview_end - offset if is_part else session.clip.frames - 1) + 1)
    places = [place for place, frame in enumerate(frames) if frame in chosen]
    rows = session.editing.fill([frames[place] for place in places], values[places], replace_keys=kind == "FRAME")
    if not rows:
        from ..au_mocap.errors import AnnotationError

        message = "The take has nothing new for these frames: no face, or they lie outside it, or were set by hand."
        raise AnnotationError(message)
    return rows


class AUMOCAP_OT_annotate_unset(bpy.types.Operator):
    """Takes one label away."""

    bl_idname = "aumocap.annotate_unset"
    bl_label = "Remove Label"
    bl_description = "FACS's letter of this value, marked where the action counts as present. Click: remove the label"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    channel: bpy.props.StringProperty(options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs open labels."""
        return _needs_labels(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take it away."""
        from ..au_mocap.channels import INDEX

        stage = context.scene
        session = annotate.needed(stage)
        if self.channel not in INDEX:
            self.report({"ERROR"}, f"There is no channel '{self.channel}'.")
            return {"CANCELLED"}
        frame = annotate.clip_frame(stage)
        return _do(self, lambda: annotate.change(stage, session.editing.unset(frame, [INDEX[self.channel]])))


CLASSES = (
    AUMOCAP_OT_annotate,
    AUMOCAP_OT_annotate_close,
    AUMOCAP_OT_annotate_video,
    AUMOCAP_OT_annotate_step,
    AUMOCAP_OT_annotate_edit,
    AUMOCAP_OT_annotate_unset,
)

register, unregister = classes.factory(CLASSES)
