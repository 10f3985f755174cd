"""Takes from the recordings of other programs, and curves for other programs."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from pathlib import Path
from typing import ClassVar

import bpy

from ..au_mocap.errors import AuMocapError
from . import bundle, classes, polls, preferences, refresh, take_list

AUTOMATIC = "auto"

# Written out here, since naming the engine's own list would load the engine when Blender starts.
FORMATS = (
    ("table", "AU Mocap Table (.csv)", "One row for each frame, a column for each channel", ".csv"),
    ("json", "AU Mocap JSON", "The same as JSON", ".json"),
    ("live-link-face", "Live Link Face (.csv)", "What Epic's app records: ARKit's shapes, head and eyes", ".csv"),
    ("ifacialmocap", "iFacialMocap (.txt)", "What iFacialMocap and Facemotion3d send, a frame on each line", ".txt"),
    ("face-cap", "Face Cap (.txt)", "What the Face Cap app records", ".txt"),
    ("openface", "OpenFace (.csv)", "Action Units of both sides at once, gaze and head pose", ".csv"),
    ("mediapipe-table", "MediaPipe or ARKit Table (.csv)", "A column for each shape", ".csv"),
    ("mediapipe-json", "MediaPipe JSON", "Results of the Face Landmarker", ".json"),
)
_ITEMS = tuple((name, label, about, "NONE", number) for number, (name, label, about, _) in enumerate(FORMATS, 1))
_SUFFIX_OF = {name: suffix for name, _, _, suffix in FORMATS}
_RATE_ABOUT = "Frames a second, where the file has no times of its own or counts a timecode; 0 for what is usual there"


class AUMOCAP_OT_import_take(bpy.types.Operator):
    """Makes a take of a recording of another program."""

    bl_idname = "aumocap.import_take"
    bl_label = "Import Take"
    bl_description = (
        "Make a take of another program's recording: Live Link Face, iFacialMocap, Face Cap, OpenFace, MediaPipe, or a "
        "table of AU Mocap. Its values stay as they are until a neutral is chosen"
    )
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.csv;*.txt;*.json", options={"HIDDEN"})
    form: bpy.props.EnumProperty(
        name="Format",
        description="What program the file is from",
        items=((AUTOMATIC, "Automatic", "Told by what the file holds", "NONE", 0), *_ITEMS),
    )
    rate_hz: bpy.props.FloatProperty(name="Rate", description=_RATE_ABOUT, default=0.0, min=0.0, max=1000.0)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Store the take beside the others and put it into the list."""
        path = Path(bpy.path.abspath(self.filepath))
        try:
            with bundle.needed():
                from ..au_mocap import exchange, take
            name = None if self.form == AUTOMATIC else self.form
            imported = exchange.read(path, name, self.rate_hz or None)
            stored = take_list.free_path(preferences.takes_folder(context), path)
            take.save(imported.take, stored)
            item = take_list.add(context.scene, stored, "off")
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        with refresh.held():
            item.neutral = "none"
        refresh.scene(context.scene)
        text = "; ".join([f"{len(imported.take)} frames imported", *imported.notes])
        self.report({"WARNING"} if imported.notes else {"INFO"}, f"{text}.")
        return {"FINISHED"}


class AUMOCAP_OT_export_curves(bpy.types.Operator):
    """Writes the chosen take's curves for another program."""

    bl_idname = "aumocap.export_curves"
    bl_label = "Export Curves"
    bl_description = "Write the take's curves, with the actor's settings, to a file that another program reads"
    bl_options: ClassVar = {"REGISTER"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    check_existing: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    filter_glob: bpy.props.StringProperty(default="*.csv;*.txt;*.json", options={"HIDDEN"})
    form: bpy.props.EnumProperty(name="Format", description="What program is to read the file", items=_ITEMS)
    rate_hz: bpy.props.FloatProperty(name="Rate", description=_RATE_ABOUT, default=0.0, min=0.0, max=1000.0)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take."""
        return polls.take(cls, context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file, named as the take."""
        own = context.scene.aumocap
        self.filepath = f"{bpy.path.clean_name(own.takes[own.active_take].name)}{_SUFFIX_OF[self.form]}"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def check(self, _context: bpy.types.Context) -> bool:
        """The file's ending follows the format."""
        path = Path(self.filepath)
        if not path.name or path.suffix.lower() not in _SUFFIX_OF.values() or path.suffix == _SUFFIX_OF[self.form]:
            return False
        self.filepath = str(path.with_suffix(_SUFFIX_OF[self.form]))
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write the curves."""
        path = Path(bpy.path.abspath(self.filepath))
        path = path if path.suffix else path.with_suffix(_SUFFIX_OF[self.form])
        try:
            with bundle.needed():
                from ..au_mocap import exchange, files
                from . import loaded, performing, settings
            files.check_writable(path, overwrite=True)
            item = performing.active_take(context.scene)
            take = loaded.calibrator(settings.path_of(item)).take
            exchange.write(take, performing.curves_of(item), path, self.form, self.rate_hz or None)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, f"Wrote {path}.")
        return {"FINISHED"}


CLASSES = (AUMOCAP_OT_import_take, AUMOCAP_OT_export_curves)

register, unregister = classes.factory(CLASSES)
