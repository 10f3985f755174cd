"""The actor's ranges from a take in which the face goes to its limits."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from typing import TYPE_CHECKING, ClassVar

import bpy

from ..au_mocap.errors import AuMocapError, TakeError
from . import bundle, choices, classes, polls, refresh

if TYPE_CHECKING:
    from ..au_mocap.ranges import Ranges
    from .capture_properties import AUMOCAP_PG_take

_SHOWN = 4


class AUMOCAP_OT_calibrate_ranges(bpy.types.Operator):
    """Sets the gains of the active take so that the actor's strongest actions reach 1."""

    bl_idname = "aumocap.calibrate_ranges"
    bl_label = "Calibrate Ranges from Take"
    bl_description = (
        "Set the gains so that the actor's own strongest actions reach the full action (0.5 to 2.5 times). Use a take "
        "in which the face goes to its limits. Channels that hardly move keep their gains"
    )
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    take: bpy.props.StringProperty(
        name="Take", description="The take to learn from; empty for the chosen one", options={"SKIP_SAVE"}
    )
    only_range: bpy.props.BoolProperty(
        name="Playback Range",
        description="Learn only from what lies in the timeline's (preview) range",
        default=False,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take."""
        return polls.take(cls, context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask which take to learn from."""
        own = context.scene.aumocap
        self.take = own.takes[own.active_take].name
        return context.window_manager.invoke_props_dialog(self)

    def draw(self, context: bpy.types.Context) -> None:
        """The take, by name, and whether all of it."""
        self.layout.prop_search(self, "take", context.scene.aumocap, "takes")
        self.layout.prop(self, "only_range")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Find the gains and set them."""
        own = context.scene.aumocap
        item = own.takes[own.active_take]
        try:
            with bundle.needed():
                source = _named(context.scene, self.take) if self.take else item
                found = _found(context.scene, source, item, only_range=self.only_range)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        with refresh.held():
            for each in item.channels:
                each.gain = found.gains.get(each.name, each.gain)
        refresh.scene(context.scene)
        self.report({"INFO"}, _summary(found))
        return {"FINISHED"}


def _named(stage: bpy.types.Scene, name: str) -> "AUMOCAP_PG_take":
    found = stage.aumocap.takes.get(name)
    if found is None:
        message = f"There is no take '{name}' in the list: choose one that is."
        raise TakeError(message)
    return found


def _found(
    stage: bpy.types.Scene, source: "AUMOCAP_PG_take", target: "AUMOCAP_PG_take", *, only_range: bool
) -> "Ranges":
    """Gains for one take from the performance in another.

    Raises:
        TakeError: The two were measured by different regressors, or the face does not move.
    """
    from dataclasses import replace

    from ..au_mocap import ranges
    from ..au_mocap.edits import Edits
    from ..au_mocap.shaping import Shaping
    from . import loaded, settings
    from .bake_settings import scene_frames

    calibrator, other = (loaded.calibrator(settings.path_of(each)) for each in (source, target))
    makers = [each.take.meta.get("regressor", {}).get("name") for each in (calibrator, other)]
    if makers[0] != makers[1]:
        message = f"'{source.name}' was measured by {makers[0]}, '{target.name}' by {makers[1]}: their ranges differ."
        raise TakeError(message)
    measured = settings.of_take(source, Edits())
    plain = replace(measured, gains={}, offsets={}, gaps="leave", shaping=Shaping(), contact=0.0)
    curves = calibrator.curves(plain)
    times, values = curves.time_s, curves.values
    if only_range:
        frames = scene_frames(times, stage.render.fps, stage.render.fps_base, settings.timing_of(stage.aumocap.bake))
        first, last = stage.frame_start, stage.frame_end
        if stage.use_preview_range:
            first, last = stage.frame_preview_start, stage.frame_preview_end
        inside = (frames >= first - 0.5) & (frames <= last + 0.5)
        times, values = times[inside], values[inside]
    return ranges.calibrate(times, values, settings.of_take(target, Edits()).offsets)


def _summary(found: "Ranges") -> str:
    changes = sorted(found.gains.items(), key=lambda item: -abs(item[1] - 1.0))
    largest = ", ".join(f"{choices.short_label(name).strip()} {gain:.2f}" for name, gain in changes[:_SHOWN])
    return f"{len(found.gains)} channels calibrated ({largest}); {len(found.still)} hardly moved and stay as they are."


register, unregister = classes.factory((AUMOCAP_OT_calibrate_ranges,))
