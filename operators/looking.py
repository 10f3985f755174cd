"""Match by looking: the table from what a character's shape keys do, not from their names."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

import bpy

from ..au_mocap.errors import AuMocapError
from . import bundle, classes, polls, refresh, table

if TYPE_CHECKING:
    from ..au_mocap.looking.matches import Seen

_SHOWN = 5
FRONTS = (
    ("-Y", "-Y", "The face looks to the front of the scene"),
    ("+Y", "+Y", "The face looks to the back of the scene"),
    ("+X", "+X", "The face looks to the right"),
    ("-X", "-X", "The face looks to the left"),
)


class _NeedsShapes:
    """What all of them share: a character that may be edited, with meshes that are not in edit mode."""

    bl_options: ClassVar = {"REGISTER", "UNDO"}
    poll_message_set: ClassVar[Callable[..., None]]

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a character, outside of edit modes."""
        if not polls.table(cls, context):
            return False
        if context.mode not in ("OBJECT", "POSE"):
            cls.poll_message_set("Leave the edit, sculpt or paint mode first: shape keys are read as they were stored")
            return False
        return True


class AUMOCAP_OT_match_by_looking(_NeedsShapes, bpy.types.Operator):
    """Fills the table from what the character's shape keys do."""

    bl_idname = "aumocap.match_by_looking"
    bl_label = "Match by Looking"
    bl_description = (
        "Fill the table from what each shape key does to the face, whatever it is called: the character is drawn, its "
        "face is found, and every shape key's motion is compared with every channel's. Replaces the rows of the table"
    )

    own_strength: bpy.props.BoolProperty(
        name="Own Strength",
        description=(
            "A full action is the shape key at 1, as it was sculpted; off: as much of it as comes nearest to the "
            "actor's own motion"
        ),
        default=True,
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask first where rows would be lost."""
        if len(context.scene.aumocap.character.aumocap.rows):
            return context.window_manager.invoke_confirm(self, event)
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Look, and fill the table."""
        chosen = context.scene.aumocap.character
        try:
            with bundle.needed():
                from . import looking_match
            with _waiting(context) as progress:
                seen = looking_match.look(chosen, self.own_strength, progress)
            self._fill(context, seen)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self._tell(seen)
        return {"FINISHED"}

    def _fill(self, context: bpy.types.Context, seen: "Seen") -> None:
        character = context.scene.aumocap.character.aumocap
        with refresh.held():
            end_tests(character)
            table.fill(character, seen.mapping, seen.confidence)
        refresh.scene(context.scene)

    def _tell(self, seen: "Seen") -> None:
        from . import choices

        count = len({row.channel for row in seen.mapping.rows})
        names = [choices.channel_label(each) for each in seen.unmatched]
        lacking = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
        message = f"{count} channels matched by looking" + (f"; none found for {lacking}." if names else ".")
        self.report({"INFO"}, message)


def end_tests(character: bpy.types.PropertyGroup) -> None:
    """No test slider may be left behind when rows go."""
    from . import trying

    trying.stop()
    for row in character.rows:
        if row.test:
            row.test = 0.0


@contextmanager
def _waiting(context: bpy.types.Context) -> Generator[Callable[[float], None]]:
    """The wait cursor with its percentage, taken back however the work ends."""
    manager = context.window_manager
    manager.progress_begin(0.0, 1.0)
    try:
        yield manager.progress_update
    finally:
        manager.progress_end()


class AUMOCAP_OT_add_marks(_NeedsShapes, bpy.types.Operator):
    """Puts marks on the face."""

    bl_idname = "aumocap.add_marks"
    bl_label = "Add Marks"
    bl_description = (
        "Put marks on the face, for a face that the tracker does not see: move each to where its name says, delete "
        "those that the face has no place for, then match by looking"
    )

    front: bpy.props.EnumProperty(name="Face Looks To", items=FRONTS, default="-Y")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add those that are missing."""
        chosen = context.scene.aumocap.character
        try:
            with bundle.needed():
                from . import looking_marks, looking_mesh, scene
            figure = looking_mesh.read(scene.find_character(chosen))
            added = looking_marks.add(context, chosen, figure, self.front)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if not added:
            self.report({"WARNING"}, "All marks are there already: move them to where their names say.")
            return {"CANCELLED"}
        self.report({"INFO"}, f"{added} marks added: move each to where its name says, then match by looking.")
        return {"FINISHED"}


class AUMOCAP_OT_remove_marks(_NeedsShapes, bpy.types.Operator):
    """Removes the marks."""

    bl_idname = "aumocap.remove_marks"
    bl_label = "Remove Marks"
    bl_description = "Remove the marks: the face is found by itself again"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove them."""
        with bundle.needed():
            from . import looking_marks
        if not looking_marks.remove(context.scene.aumocap.character):
            self.report({"WARNING"}, "This character has no marks.")
            return {"CANCELLED"}
        return {"FINISHED"}


CLASSES = (AUMOCAP_OT_match_by_looking, AUMOCAP_OT_add_marks, AUMOCAP_OT_remove_marks)

register, unregister = classes.factory(CLASSES)
