"""Panel 4: how sure the take is, what is shown of it, and its problems one by one."""

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

import bpy

from ..operators import choices, classes, review, review_layout, review_properties, review_state
from . import text
from .tab import InTab

if TYPE_CHECKING:
    from ..operators.review_finding import Review

_ICONS = {each[0]: each[3] for each in review_properties.KINDS}
_NAMES = {each[0]: each[1] for each in review_properties.KINDS}


class AUMOCAP_UL_problems(bpy.types.UIList):
    """The take's problems of the chosen kinds."""

    bl_idname = "AUMOCAP_UL_problems"

    def draw_item(
        self,
        _context: object,
        layout: bpy.types.UILayout,
        _data: object,
        item: Any,  # noqa: ANN401 - a property group
        _icon: int,
        _active_data: object,
        _active_property: str,
    ) -> None:
        """One problem: its kind, its frame, whom it concerns."""
        split = layout.split(factor=0.3)
        split.label(text=str(item.frame), icon=_ICONS[item.kind], translate=False)
        what = choices.short_label(item.channel) if item.channel else _NAMES[item.kind]
        split.label(text=what, translate=not item.channel)

    def filter_items(self, context: bpy.types.Context, data: Any, name: str) -> tuple[list[int], list[int]]:  # noqa: ANN401
        """Only the chosen kinds, and what was typed; in the timeline's order."""
        kinds = context.scene.aumocap_review.kinds  # pyright: ignore[reportAttributeAccessIssue]
        wanted = self.filter_name.lower()
        shown = (
            item.kind in kinds and wanted in f"{item.channel} {item.message}".lower() for item in getattr(data, name)
        )
        return [self.bitflag_filter_item if each else 0 for each in shown], []


class AUMOCAP_PT_review(InTab, bpy.types.Panel):
    """The take beside the video, and what deserves a look."""

    bl_idname = "AUMOCAP_PT_review"
    bl_label = "4  Review"
    bl_options: ClassVar = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """The layout's button, what is shown, the problems."""
        layout, stage = self.layout, context.scene
        own: Any = stage.aumocap_review  # pyright: ignore[reportAttributeAccessIssue]
        if review_state.key_of(stage) is None:
            text.paragraph(layout, context, "Choose a video and analyse it first (Capture).", "INFO")
            return
        row = layout.row()
        row.scale_y = 1.3
        is_on = review_layout.is_on(context.window)
        row.operator(
            "aumocap.review_layout", text="Leave Review Layout" if is_on else "Review Layout",
            icon="LOOP_BACK" if is_on else "WINDOW", depress=is_on,
        )  # fmt: skip
        _draw_shown(layout, own)
        known = review_state.current(stage)
        if known is None and review_state.error(stage):
            text.problem(layout, context, review_state.error(stage))
        elif known is None:
            review_state.want(stage)
            layout.label(text="Looking for problems…", icon="SORTTIME")
        _draw_state(layout, stage, known)
        _draw_problems(layout, context, own)


def _draw_shown(layout: bpy.types.UILayout, own: Any) -> None:  # noqa: ANN401
    column = layout.column(align=True)
    column.prop(own, "show_strip", icon="SEQ_HISTOGRAM", toggle=True)
    row = column.row(align=True)
    row.prop(own, "show_landmarks", text="Points", icon="USER", toggle=True)
    row.prop(own, "show_crop", text="Crop", icon="SELECT_SET", toggle=True)
    row.prop(own, "show_axes", text="Axes", icon="EMPTY_AXIS", toggle=True)
    layout.prop(own, "in_step")


def _draw_state(layout: bpy.types.UILayout, stage: bpy.types.Scene, known: "Review | None") -> None:
    """What is known of the frame at hand."""
    if known is None:
        return
    index = known.index_at(stage.frame_current_final)
    row = layout.row()
    if index is None:
        row.label(text="Outside the take", icon="INFO")
    elif not known.take.found[index]:
        row.alert = True
        row.label(text="No face", icon="HIDE_ON")
    else:
        confidence = float(known.take.confidence[index])
        row.progress(factor=confidence, text=f"Face, confidence {confidence:.2f}")


def _draw_problems(layout: bpy.types.UILayout, context: bpy.types.Context, own: Any) -> None:  # noqa: ANN401
    found, chosen = review_state.listed(), review.chosen_lines(context.scene)
    counts = Counter(line.kind for line in found.problems)
    row = layout.row(align=True)
    row.operator("aumocap.go_to_problem", text="Previous", icon="TRIA_LEFT").direction = "previous"
    row.operator("aumocap.go_to_problem", text="Next", icon="TRIA_RIGHT").direction = "next"
    row.separator()
    row.operator("aumocap.find_problems", text="", icon="FILE_REFRESH")
    row = layout.row(align=True)
    for kind, *_ in review_properties.KINDS:
        row.prop_enum(own, "kinds", kind, text=str(counts[kind]), icon=_ICONS[kind])
    layout.template_list("AUMOCAP_UL_problems", "", found, "problems", found, "active", rows=4)
    if found.active in chosen:
        line = found.problems[found.active]
        text.paragraph(layout, context, line.message, _ICONS[line.kind])
    elif review_state.current(context.scene) is not None:
        total = len(found.problems)
        said = f"{total} problems" if total != 1 else "1 problem"
        layout.label(text=said if len(chosen) == total else f"{len(chosen)} of {said}", translate=False)


CLASSES = (AUMOCAP_UL_problems, AUMOCAP_PT_review)

register, unregister = classes.factory(CLASSES)
