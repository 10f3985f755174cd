"""Buttons of live preview: start, neutral, record, and Esc, which stops it."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from typing import ClassVar

import bpy

from ..au_mocap.errors import AuMocapError
from . import live, polls


def _needs_live(cls: polls.Polled) -> bool:
    if live.current() is not None:
        return True
    cls.poll_message_set("Start the live preview first")
    return False


class AUMOCAP_OT_live(bpy.types.Operator):
    """Shows the camera's face on the character, or ends that."""

    bl_idname = "aumocap.live"
    bl_label = "Start Live"
    bl_description = (
        "Show the actor's face on the character while the camera runs; Esc stops. Writes no keys unless Blender's "
        "auto-keying is on and the scene plays, and puts all back at its end"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a character with a table."""
        return live.current() is not None or polls.filled_table(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Switch over."""
        if live.current() is not None:
            live.stop()
            return {"FINISHED"}
        try:
            skipped = live.start(context, context.scene)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if skipped:
            self.report({"WARNING"}, f"Left out: {'; '.join(skipped[:5])}")
        return {"FINISHED"}


class AUMOCAP_OT_stop_live(bpy.types.Operator):
    """Ends the live preview; bound to Esc while one is on."""

    bl_idname = "aumocap.stop_live"
    bl_label = "Stop Live"
    bl_description = "End the live preview and put the character back; what is being recorded becomes a take"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Needs a live preview: otherwise Esc does what it always does."""
        return _needs_live(cls)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Stop."""
        live.stop()
        return {"FINISHED"}


class AUMOCAP_OT_calibrate_live(bpy.types.Operator):
    """Takes the actor's neutral."""

    bl_idname = "aumocap.calibrate_live"
    bl_label = "Calibrate Neutral"
    bl_description = "After three seconds, take one second of the actor's face at rest as the neutral"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Needs a live preview."""
        return _needs_live(cls)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Begin the countdown."""
        try:
            live.calibrate()
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class AUMOCAP_OT_record_live(bpy.types.Operator):
    """Records a take, or ends that."""

    bl_idname = "aumocap.record_live"
    bl_label = "Record"
    bl_description = "Record a take of the live performance after the countdown; it appears in the list of takes"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Needs a live preview that is not storing a take."""
        if not _needs_live(cls):
            return False
        if live.is_storing():
            cls.poll_message_set("The last take is being stored: wait a moment")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Switch over."""
        try:
            if live.is_recording():
                live.stop_recording()
            else:
                live.record(context.scene.aumocap.live.countdown_s)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class AUMOCAP_OT_choose_camera(bpy.types.Operator):
    """Chooses a camera of this machine."""

    bl_idname = "aumocap.choose_camera"
    bl_label = "Choose Camera"
    bl_description = "Use this camera"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    index: bpy.props.IntProperty(name="Camera", description="The camera's number", min=0, max=99)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take it."""
        context.scene.aumocap.live.camera = self.index
        return {"FINISHED"}


def cameras() -> tuple[tuple[int, str], ...]:
    """Numbers and names of the cameras of this machine; none is switched on."""
    from . import bundle

    try:
        with bundle.needed():
            from ..au_mocap.live.sources import cameras as listed
    except AuMocapError:
        return ()  # starting tells what is missing
    return tuple((each.index, each.name) for each in listed())


CLASSES = (
    AUMOCAP_OT_live,
    AUMOCAP_OT_stop_live,
    AUMOCAP_OT_calibrate_live,
    AUMOCAP_OT_record_live,
    AUMOCAP_OT_choose_camera,
)
_keys: "list[tuple[bpy.types.KeyMap, bpy.types.KeyMapItem]]" = []


def register() -> None:
    """Register the operators, and Esc where there is a keyboard."""
    for each in CLASSES:
        bpy.utils.register_class(each)
    configuration = bpy.context.window_manager.keyconfigs.addon
    if configuration is not None:
        keymap = configuration.keymaps.new(name="Window", space_type="EMPTY")
        _keys.append((keymap, keymap.keymap_items.new(AUMOCAP_OT_stop_live.bl_idname, "ESC", "PRESS")))


def unregister() -> None:
    """Undo `register`."""
    for keymap, item in _keys:
        keymap.keymap_items.remove(item)
    _keys.clear()
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
