"""A button that turns values fixed by hand into labels, which evaluation and fine-tuning learn from."""

from typing import TYPE_CHECKING, ClassVar, Final

import bpy

from ..au_mocap.errors import AuMocapError
from . import annotate, bundle, classes, polls

if TYPE_CHECKING:
    from ..au_mocap.annotation.editing import Rows
    from .annotate_session import Session
    from .capture_properties import AUMOCAP_PG_take

CODER: Final = "fixes"
"""Whose labels they are where nobody's are open."""


def _rows(session: "Session", item: "AUMOCAP_PG_take") -> "Rows":
    """Label the frames of the clip that a take's fixes are at; nothing is written.

    Raises:
        AuMocapError: The take is of another video, or cannot be read.
    """
    import numpy as np

    from ..au_mocap.channels import INDEX
    from ..au_mocap.edits import labels
    from . import annotate_session, edit_store, loaded, settings

    take = loaded.calibrator(settings.path_of(item)).take
    annotate_session.check_take(session.clip, take)

    def frame(time_s: float) -> int:
        """Fixes are in seconds of the take, labels in frames of the clip."""
        return take.first_frame + int(np.abs(take.time_s - time_s).argmin())

    said = labels(edit_store.below_curves(item))
    return session.editing.label((frame(time_s), INDEX[channel_id], value) for time_s, channel_id, value in said)


class AUMOCAP_OT_annotate_fixes(bpy.types.Operator):
    """Labels the frames that were fixed by hand."""

    bl_idname = "aumocap.annotate_fixes"
    bl_label = "Fixes as Labels"
    bl_description = (
        "Label the frames that were fixed by hand (Edits panel) with those values: in the labels that are open, or "
        f"else as the coder '{CODER}'. Evaluation and fine-tuning read them"
    )
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take with fixes."""
        if not polls.take(cls, context):
            return False
        own = context.scene.aumocap
        if len(own.takes[own.active_take].edits.fixes):
            return True
        cls.poll_message_set("The take has no fixes: set a value right with Fix Here first (Edits panel)")
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Label them, and say where."""
        stage = context.scene
        item = stage.aumocap.takes[stage.aumocap.active_take]
        try:
            with bundle.needed():
                from . import annotate_session
            session = annotate.current(stage)
            if session is None:
                session = annotate_session.opened(stage, stage.aumocap_annotation.folder, CODER)
                rows = _rows(session, item)
                session.change(rows)
                session.store()
            else:
                rows = _rows(session, item)
                annotate.change(stage, rows)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        frames = f"{len(rows)} frames" if len(rows) != 1 else "1 frame"
        self.report({"INFO"}, f"{frames} labelled by {session.coder} in {session.folder}.")
        return {"FINISHED"}


register, unregister = classes.factory((AUMOCAP_OT_annotate_fixes,))
