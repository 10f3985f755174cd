"""The button that writes the character as a glTF or FBX file."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from pathlib import Path
from typing import ClassVar

import bpy

from ..au_mocap.errors import AuMocapError
from . import bundle, classes, polls

FORMS = (
    ("gltf", "glTF (.glb)", "For game engines, web pages and viewers", 0),
    ("fbx", "FBX (.fbx)", "For game engines and other 3D programs", 1),
)
SPANS = (
    ("animation", "Animation", "From the character's first key to its last one", 0),
    ("scene", "Scene", "The scene's own start and end", 1),
)
_SUFFIXES = {"gltf": ".glb", "fbx": ".fbx"}


class AUMOCAP_OT_export_character(bpy.types.Operator):
    """Writes the character with its animation, and reads the file again."""

    bl_idname = "aumocap.export_character"
    bl_label = "Export Character"
    bl_description = (
        "Write the character with what it plays as glTF or FBX through Blender's exporters, read the file again, and "
        "keep it if shape keys and bones move there as they do here"
    )
    bl_options: ClassVar = {"REGISTER"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    check_existing: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    filter_glob: bpy.props.StringProperty(default="*.glb;*.fbx", options={"HIDDEN"})
    form: bpy.props.EnumProperty(name="Format", description="What kind of file is written", items=FORMS)
    span: bpy.props.EnumProperty(name="Frames", description="Which frames are written", items=SPANS)
    from_zero: bpy.props.BoolProperty(
        name="Begin at Zero",
        description="The first frame becomes second 0 of the file, not frame 0 of the scene. FBX stores its start "
        "and needs none",
        default=False,
    )
    keep_anyway: bpy.props.BoolProperty(
        name="Keep Anyway",
        description="Keep the file even where it does not show what the scene shows; the differences are told",
        default=False,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a character."""
        return polls.character(cls, context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file, named as the character."""
        self.filepath = f"{bpy.path.clean_name(context.scene.aumocap.character.name)}{_SUFFIXES[self.form]}"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def check(self, _context: bpy.types.Context) -> bool:
        """The file's ending follows the format."""
        path = Path(self.filepath)
        if path.suffix.lower() not in _SUFFIXES.values() or path.suffix.lower() == _SUFFIXES[self.form]:
            return False
        self.filepath = str(path.with_suffix(_SUFFIXES[self.form]))
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Export, verify, tell."""
        window = context.window
        if window is not None:
            window.cursor_set("WAIT")
        try:
            with bundle.needed():
                from . import outlets_character
            path = Path(bpy.path.abspath(self.filepath))
            wish = outlets_character.Wish(path, self.form, self.span, self.from_zero, self.keep_anyway)
            outcome = outlets_character.export(context, context.scene.aumocap.character, wish)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        finally:
            if window is not None:
                window.cursor_set("DEFAULT")
        self.report({"INFO"} if outcome.verdict.holds and not outcome.lost else {"WARNING"}, outcome.text)
        return {"FINISHED"}


register, unregister = classes.factory((AUMOCAP_OT_export_character,))
