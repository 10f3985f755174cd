"""Sentences in a narrow panel."""

import bpy

_PX_PER_LETTER = 6.4
_WIDE_PX = 420


def paragraph(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE") -> None:
    """Draw a sentence over as many lines as the region's width needs."""
    import textwrap

    scale = context.preferences.system.ui_scale or 1.0
    width = context.region.width if context.region else 280
    letters = max(20, int((width / scale - 50) / _PX_PER_LETTER))
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(textwrap.wrap(text, letters)):
        column.label(text=line, icon=icon if number == 0 else "BLANK1" if icon != "NONE" else "NONE", translate=False)


def is_wide(context: bpy.types.Context) -> bool:
    """Whether the region has room for further columns."""
    scale = context.preferences.system.ui_scale or 1.0
    return context.region is not None and context.region.width / scale > _WIDE_PX


def problem(layout: bpy.types.UILayout, context: bpy.types.Context, text: str) -> None:
    """Draw what went wrong, in the theme's alert colour."""
    box = layout.box()
    box.alert = True
    paragraph(box, context, text, "ERROR")
