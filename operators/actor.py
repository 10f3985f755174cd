"""The actor's neutral and ranges, from the timeline and back to their defaults."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from typing import ClassVar

import bpy

from ..au_mocap.errors import AuMocapError, TakeError
from . import bundle, classes, polls, refresh
from .shaping_properties import NAMES


class AUMOCAP_OT_neutral_from_timeline(bpy.types.Operator):
    """Makes what the actor does at the playhead, or in the playback range, the neutral."""

    bl_idname = "aumocap.neutral_from_timeline"
    bl_label = "Neutral from Timeline"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    source: bpy.props.EnumProperty(
        name="Frames",
        items=(
            ("current", "Current Frame", "The frame under the playhead, in which the actor rests"),
            ("range", "Playback Range", "The frames of the timeline's (preview) range, in which the actor rests"),
        ),
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take."""
        return polls.take(cls, context)

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: "AUMOCAP_OT_neutral_from_timeline") -> str:
        """What the button does."""
        what = "at the playhead" if properties.source == "current" else "in the timeline's playback range"
        return f"The actor rests {what}: make that the neutral"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set the neutral's frames."""
        scene = context.scene
        if self.source == "current":
            first = last = scene.frame_current
        elif scene.use_preview_range:
            first, last = scene.frame_preview_start, scene.frame_preview_end
        else:
            first, last = scene.frame_start, scene.frame_end
        try:
            frames = _video_frames(scene, first, last)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        item = scene.aumocap.takes[scene.aumocap.active_take]
        with refresh.held():
            item.neutral, item.neutral_first, item.neutral_last = "frames", *frames
        refresh.scene(scene)
        return {"FINISHED"}


def _video_frames(scene: bpy.types.Scene, first: int, last: int) -> tuple[int, int]:
    """First and last video frame between two scene frames that shows a face.

    Raises:
        TakeError: None does.
    """
    with bundle.needed():
        import numpy as np

        from . import loaded, performing, settings
        from .bake_settings import scene_frames
    take = loaded.calibrator(settings.path_of(performing.active_take(scene))).take
    timing = settings.timing_of(scene.aumocap.bake)
    frames = scene_frames(take.time_s, scene.render.fps, scene.render.fps_base, timing)
    if first == last:  # the nearest one: the playhead seldom hits a video frame to the point
        inside = np.zeros(len(take), bool)
        inside[np.abs(frames - first).argmin()] = not frames[0] - 1.0 > first and not frames[-1] + 1.0 < first
    else:
        inside = (frames >= first - 0.5) & (frames <= last + 0.5)
    seen = np.flatnonzero(inside & take.found)
    if not len(seen):
        message = "The take shows no face there: move the playhead or the range to where the actor rests."
        raise TakeError(message)
    return int(seen[0]) + take.first_frame, int(seen[-1]) + take.first_frame


class AUMOCAP_OT_reset_channels(bpy.types.Operator):
    """Puts gain and offset back to their defaults."""

    bl_idname = "aumocap.reset_channels"
    bl_label = "Reset Range"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    everything: bpy.props.BoolProperty(name="All Channels", default=False, options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take."""
        return polls.take(cls, context)

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: "AUMOCAP_OT_reset_channels") -> str:
        """What the button does."""
        which = "all channels" if properties.everything else "this channel"
        return f"Put gain and offset of {which} back to 1 and 0"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Reset, and renew once."""
        item = context.scene.aumocap.takes[context.scene.aumocap.active_take]
        chosen = item.channels if self.everything else item.channels[item.active_channel : item.active_channel + 1]
        with refresh.held():
            for each in chosen:
                each.gain, each.offset = 1.0, 0.0
        refresh.scene(context.scene)
        return {"FINISHED"}


class AUMOCAP_OT_reset_intensity(bpy.types.Operator):
    """Puts intensity, exaggeration and symmetry back to their defaults."""

    bl_idname = "aumocap.reset_intensity"
    bl_label = "Reset Intensity"
    bl_description = "Put strength, exaggeration and symmetry of all regions back to where they change nothing"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take."""
        return polls.take(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Reset, and renew once."""
        item = context.scene.aumocap.takes[context.scene.aumocap.active_take]
        with refresh.held():
            for name in NAMES:
                setattr(item.intensity, name, 1.0)
                setattr(item.exaggeration, name, 0.0)
            item.symmetry = 0.0
        refresh.scene(context.scene)
        return {"FINISHED"}


register, unregister = classes.factory(
    (AUMOCAP_OT_neutral_from_timeline, AUMOCAP_OT_reset_channels, AUMOCAP_OT_reset_intensity)
)
