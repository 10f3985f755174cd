"""A report of the chosen take, as one HTML page that opens offline."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import bpy

from ..au_mocap.errors import AuMocapError
from . import bundle, classes, polls

if TYPE_CHECKING:
    from ..au_mocap.html_report import Performance
    from .capture_properties import AUMOCAP_PG_take

_ALONE = "0"
_names: list[tuple[str, str, str, str, int]] = []
"""The items of the menu that was asked for last: Blender keeps no copy of their text."""


def _others(_self: object, context: "bpy.types.Context | None") -> list[tuple[str, str, str, str, int]]:
    """The scene's other takes, by their places in the list counted from 1."""
    items = [(_ALONE, "Nothing", "Only the chosen take", "NONE", 0)]
    if context is not None:
        own = context.scene.aumocap
        items += [
            (str(place), take.name, f"Draw '{take.name}' over it and measure how well the two agree", "NONE", place)
            for place, take in enumerate(own.takes, 1)
            if place != own.active_take + 1
        ]
    _names[:] = items
    return _names


class AUMOCAP_OT_write_report(bpy.types.Operator):
    """Writes a report of the chosen take."""

    bl_idname = "aumocap.write_report"
    bl_label = "Write Report"
    bl_description = (
        "Write one HTML page of the take that opens offline in any browser: curves, pictures of the video, "
        "intensities, figures, and a comparison with another take of the clip"
    )
    bl_options: ClassVar = {"REGISTER"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    check_existing: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    filter_glob: bpy.props.StringProperty(default="*.html", options={"HIDDEN"})
    against: bpy.props.EnumProperty(
        name="Compare With", description="Another take of the same clip", items=_others, options={"SKIP_SAVE"}
    )
    show: bpy.props.BoolProperty(name="Open in Browser", description="Show the page when it is written", default=True)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take."""
        return polls.take(cls, context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file, named as the take."""
        own = context.scene.aumocap
        self.filepath = f"{bpy.path.clean_name(own.takes[own.active_take].name)}.html"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write the page and show it."""
        path = Path(bpy.path.abspath(self.filepath))
        path = path if path.suffix.lower() in {".html", ".htm"} else path.with_name(f"{path.name}.html")
        takes = context.scene.aumocap.takes
        try:
            with bundle.needed():
                from ..au_mocap import files, html_report
                from . import performing
            files.check_writable(path, overwrite=True)
            item = performing.active_take(context.scene)
            other = None if self.against in ("", _ALONE) else _performance(takes[int(self.against) - 1])
            video = Path(bpy.path.abspath(item.video)) if item.video else None
            notes = html_report.write(_performance(item), path, video, other)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if self.show and not bpy.app.background:
            bpy.ops.wm.url_open(url=path.resolve().as_uri())
        self.report({"WARNING"} if notes else {"INFO"}, " ".join([f"Wrote {path}.", *notes]))
        return {"FINISHED"}


def _performance(item: "AUMOCAP_PG_take") -> "Performance":
    from ..au_mocap.html_report import Performance
    from . import loaded, settings

    calibrator, chosen = loaded.calibrator(settings.path_of(item)), settings.of_take(item)
    return Performance(item.name, calibrator.take, calibrator.curves(chosen), chosen)


CLASSES = (AUMOCAP_OT_write_report,)

register, unregister = classes.factory(CLASSES)
