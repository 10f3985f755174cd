"""Buttons that compare the coders of a clip and write the labels that they agree on."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from typing import ClassVar

import bpy

from ..au_mocap.errors import AuMocapError
from . import annotate, classes


class _NeedsLabels:
    """A button for open labels."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs open labels."""
        if annotate.current(context.scene) is not None:
            return True
        cls.poll_message_set("Start annotating first (Annotate panel)")  # pyright: ignore[reportAttributeAccessIssue]
        return False


def _compare(stage: bpy.types.Scene) -> None:
    """Read all coders from the folder, the open one's included, and keep what comparing them says."""
    from ..au_mocap import annotation
    from ..au_mocap.annotation import agreement

    session = annotate.needed(stage)
    session.store()
    stored = annotation.load(session.folder)
    session.agreement = agreement.compare(stored)
    session.coders = tuple(stored.coders)


class AUMOCAP_OT_annotate_compare(_NeedsLabels, bpy.types.Operator):
    """Compares the coders."""

    bl_idname = "aumocap.annotate_compare"
    bl_label = "Compare Coders"
    bl_description = "How far all coders of this clip agree, and which of their values are obviously wrong"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Compare them."""
        try:
            _compare(context.scene)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class AUMOCAP_OT_annotate_outlier(_NeedsLabels, bpy.types.Operator):
    """Goes to a value that is obviously wrong."""

    bl_idname = "aumocap.annotate_outlier"
    bl_label = "Next Outlier"
    bl_description = "Go to the next frame with a value that is obviously wrong, of any coder; after the last the first"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Go there."""
        stage = context.scene
        found = annotate.needed(stage).agreement
        if found is None or not found.outliers:
            self.report({"INFO"}, "There is none: compare the coders first.")
            return {"CANCELLED"}
        frames = [each.frame for each in found.outliers]
        frame = annotate.clip_frame(stage)
        annotate.go_to(stage, next((each for each in frames if each > frame), frames[0]))
        return {"FINISHED"}


class AUMOCAP_OT_annotate_agreed(_NeedsLabels, bpy.types.Operator):
    """Writes the labels that the coders agree on."""

    bl_idname = "aumocap.annotate_agreed"
    bl_label = "Export Agreed"
    bl_description = (
        "Write the mean of all coders' valid values as agreed.csv into the folder, for eval and fine-tuning"
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Compare them afresh, and write it."""
        from ..au_mocap import annotation

        session = annotate.needed(context.scene)
        try:
            _compare(context.scene)
            assert session.agreement is not None
            agreed = session.agreement.agreed
            annotation.save_agreed(session.folder, agreed, session.channels)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, f"{len(agreed)} frames of {len(session.agreement.coders)} coders: {annotation.AGREED}")
        return {"FINISHED"}


CLASSES = (AUMOCAP_OT_annotate_compare, AUMOCAP_OT_annotate_outlier, AUMOCAP_OT_annotate_agreed)

register, unregister = classes.factory(CLASSES)
