"""Panel: labelling a clip by hand, frame by frame, with several coders."""

from typing import TYPE_CHECKING, ClassVar

import bpy

from ..operators import annotate, choices, classes, staging
from . import text
from .tab import InTab

if TYPE_CHECKING:
    from ..operators.annotate_session import Session

_SLIDER = 0.86
"""Share of a line that a slider takes; the letter has the rest."""

_MOST_LINES = 60
_FEAFA = 24


class AUMOCAP_PT_annotate(InTab, bpy.types.Panel):
    """Sliders for the labels of the current frame."""

    bl_idname = "AUMOCAP_PT_annotate"
    bl_label = "Annotate"
    bl_options: ClassVar = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Who labels what; then steps, sliders, agreement."""
        layout = self.layout
        session = annotate.current(context.scene)
        if session is None:
            _draw_start(layout, context)
            return
        _draw_head(layout, context, session)
        if session.problem:
            text.problem(layout, context, session.problem)
        _draw_rate(layout, context, session)
        _draw_steps(layout, context, session)
        _draw_edits(layout)
        _draw_sliders(layout, context.scene)
        _draw_agreement(layout, context, session)


def _draw_start(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    own = context.scene.aumocap_annotation
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    column.prop(own, "coder", icon="USER")
    column.prop(own, "folder", placeholder="Beside the video")
    row = layout.row()
    row.scale_y = 1.4
    row.operator("aumocap.annotate", icon="GREASEPENCIL")
    text.paragraph(layout, context, "Labels are kept in a folder of their own, each coder's in a table of their own.")
    layout.operator("aumocap.annotate_fixes", icon="KEYFRAME_HLT")


def _draw_head(layout: bpy.types.UILayout, context: bpy.types.Context, session: "Session") -> None:
    own = context.scene.aumocap_annotation
    row = layout.row()
    row.label(text=f"{session.coder}: {session.clip.name}", icon="USER", translate=False)
    row.operator("aumocap.annotate_close", text="", icon="X")
    row = layout.row(align=True)
    row.operator("aumocap.annotate_video", icon="IMAGE_BACKGROUND")
    row.prop(own, "use_pose", text="On Character", toggle=True, icon="ARMATURE_DATA")
    if own.use_pose and context.scene.aumocap.character is None:
        text.paragraph(layout, context, "Choose a character to see the labels on a face.", "INFO")


def _draw_rate(layout: bpy.types.UILayout, context: bpy.types.Context, session: "Session") -> None:
    """Labels count frames, preview and keys seconds: where the two differ, they show different moments."""
    if staging.frame_rate_hint(context.scene, session.clip.rate_hz):
        said = (
            f"The scene does not play {session.clip.rate_hz:.4g} frames a second as the video does: Show Video sets it."
        )
        text.paragraph(layout, context, said, "INFO")


def _draw_steps(layout: bpy.types.UILayout, context: bpy.types.Context, session: "Session") -> None:
    stage = context.scene
    frame = annotate.clip_frame(stage)
    row_now = session.editing.row(frame)
    if not 0 <= frame < session.clip.frames:
        said, icon = "outside the clip", "ERROR"
    elif row_now is None:
        said, icon = "not labelled", "KEYFRAME"
    else:
        said, icon = ("by hand", "KEYTYPE_KEYFRAME_VEC") if row_now.key else ("filled in", "KEYTYPE_BREAKDOWN_VEC")
    split = layout.split(factor=0.71)
    split.label(text=f"Frame {frame}/{session.clip.frames - 1}: {said}", icon=icon, translate=False)
    split.label(text=f"{len(session.editing)} labelled", translate=False)
    row = layout.row(align=True)
    row.scale_x = 1.4
    row.alignment = "CENTER"
    for kind, icon, backwards in (
        ("KEY", "PREV_KEYFRAME", True),
        ("LABELLED", "REW", True),
        ("FRAME", "TRIA_LEFT", True),
    ):
        _step(row, kind, icon, backwards=backwards)
    playing = context.screen is not None and context.screen.is_animation_playing
    row.operator("screen.animation_play", text="", icon="PAUSE" if playing else "PLAY")
    for kind, icon in (("FRAME", "TRIA_RIGHT"), ("LABELLED", "FF"), ("KEY", "NEXT_KEYFRAME")):
        _step(row, kind, icon, backwards=False)
    row.prop(stage.aumocap_annotation, "stride", text="")


def _step(row: bpy.types.UILayout, kind: str, icon: str, *, backwards: bool) -> None:
    button = row.operator("aumocap.annotate_step", text="", icon=icon)
    button.kind, button.backwards = kind, backwards


def _draw_edits(layout: bpy.types.UILayout) -> None:
    for kinds in (
        (("COPY", "Copy Previous", "COPYDOWN"), ("MIRROR", "Mirror", "MOD_MIRROR")),
        (("AROUND", "Interpolate", "IPO_LINEAR"), ("ALL", "All Keys", "IPO_EASE_IN_OUT")),
        (("FRAME", "From Regressor", "SHADERFX"), ("RANGE", "Range", "PREVIEW_RANGE")),
    ):
        row = layout.row(align=True)
        for kind, label, icon in kinds:
            row.operator("aumocap.annotate_edit", text=label, icon=icon).kind = kind
    row = layout.row(align=True)
    row.operator("aumocap.annotate_fixes", icon="KEYFRAME_HLT")
    row.operator("aumocap.annotate_edit", text="Clear", icon="TRASH").kind = "CLEAR"


def _draw_sliders(layout: bpy.types.UILayout, stage: bpy.types.Scene) -> None:
    own = stage.aumocap_annotation
    row = layout.row(align=True)
    row.prop(own, "begin", text="")
    row.prop(own, "use_both", toggle=True, icon="MOD_MIRROR", text="L = R")
    column = layout.column(align=True)
    for item in own.sliders[:_FEAFA]:
        _draw_slider(column, stage, item)
    header, body = layout.panel("aumocap_annotate_more", default_closed=True)
    header.label(text="Extended Channels")
    if body is not None:
        column = body.column(align=True)
        for item in own.sliders[_FEAFA:]:
            _draw_slider(column, stage, item)


def _draw_slider(column: bpy.types.UILayout, stage: bpy.types.Scene, item: bpy.types.PropertyGroup) -> None:
    from ..au_mocap.channels import PRESENT_ABOVE, intensity_letter

    label = annotate.label(stage, item.name)
    split = column.split(factor=_SLIDER, align=True)
    place = split.row(align=True)
    place.active = label is not None
    place.prop(item, "value", text=choices.short_label(item.name), slider=True)
    if label is None:
        split.label(text="")
        return
    is_present = label > PRESENT_ABOVE
    split.operator(
        "aumocap.annotate_unset", text=intensity_letter(label) or "0", depress=is_present, translate=False
    ).channel = item.name


def _draw_agreement(layout: bpy.types.UILayout, context: bpy.types.Context, session: "Session") -> None:
    header, body = layout.panel("aumocap_annotate_agreement", default_closed=True)
    header.label(text=f"Agreement ({len(session.coders)} coders)" if len(session.coders) > 1 else "Agreement")
    if body is None:
        return
    row = body.row(align=True)
    row.operator("aumocap.annotate_compare", icon="GROUP")
    row.operator("aumocap.annotate_agreed", icon="EXPORT")
    found = session.agreement
    if found is None:
        body.label(text=", ".join(session.coders), translate=False)
        return
    for pair in found.by_pair:
        names = " and ".join(pair.coders)
        body.label(text=f"{names}: {pair.frames} frames", icon="COMMUNITY", translate=False)
    box = body.column(align=True)
    _line(box, ("Channel", "ICC", "MAE", "Out"))
    for each in found.by_channel[:_MOST_LINES]:
        name = choices.short_label(each.channel)
        _line(box, (name, _figure(each.icc), _figure(each.mae), str(each.outliers or "")))
    _line(box, ("Mean", _figure(found.icc), _figure(found.mae), str(len(found.outliers))))
    if found.outliers:
        body.operator("aumocap.annotate_outlier", icon="FRAME_NEXT")
        for each in found.outliers[:5]:
            said = f"Frame {each.frame}, {choices.short_label(each.channel)}: {each.coder} {each.value:.2f}"
            text.paragraph(body, context, f"{said}, median {each.median:.2f}", "ERROR")


def _line(column: bpy.types.UILayout, cells: tuple[str, str, str, str]) -> None:
    split = column.split(factor=0.52, align=True)
    split.label(text=cells[0], translate=False)
    row = split.row(align=True)
    for cell in cells[1:]:
        row.label(text=cell, translate=False)


def _figure(figure: float) -> str:
    return "-" if figure != figure else f"{figure:.2f}"


register, unregister = classes.factory((AUMOCAP_PT_annotate,))
