"""Which editors are drawn again."""

import bpy


def redraw(editor: str, *, panels: bool) -> None:
    """Have editors drawn again.

    Args:
        editor: Type of the editors whose main region is drawn, such as `VIEW_3D`; empty for none.
        panels: Whether the sidebars of 3D viewports are drawn, too.
    """
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            for region in area.regions if area.type in (editor, "VIEW_3D") else ():
                is_sidebar = panels and region.type == "UI" and area.type == "VIEW_3D"
                if is_sidebar or (region.type == "WINDOW" and area.type == editor):
                    region.tag_redraw()
