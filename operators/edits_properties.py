"""What a take knows of the artist's edits, and what the scene knows of the next one."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

import bpy

from . import choices, refresh

JAW_DROP = 8
"""The channel's number in its menu, which the vocabulary's order gives."""


class AUMOCAP_PG_fix(bpy.types.PropertyGroup):
    """One value that was set by hand; its name is the channel's id."""

    time_s: bpy.props.FloatProperty(name="Time", description="When, in seconds of the take", precision=3)
    value: bpy.props.FloatProperty(
        name="Value",
        description="What the channel is then",
        min=0.0,
        max=1.0,
        precision=2,
        update=refresh.settings_changed,
    )
    blend_in_s: bpy.props.FloatProperty(
        name="Blend In",
        description="Seconds in which the curve goes over to the value",
        min=0.0,
        soft_max=2.0,
        max=1000.0,
        precision=2,
        update=refresh.settings_changed,
    )
    blend_out_s: bpy.props.FloatProperty(
        name="Blend Out",
        description="Seconds in which the curve goes back",
        min=0.0,
        soft_max=2.0,
        max=1000.0,
        precision=2,
        update=refresh.settings_changed,
    )


class AUMOCAP_PG_edits(bpy.types.PropertyGroup):
    """The edits of one take."""

    fixes: bpy.props.CollectionProperty(type=AUMOCAP_PG_fix)
    active_fix: bpy.props.IntProperty(name="Fix", description="The chosen fix", options={"SKIP_SAVE"})
    drawn: bpy.props.StringProperty(
        name="Drawn", description="Stretches that were copied from another take (JSON)", options={"HIDDEN"}
    )
    curves: bpy.props.PointerProperty(
        type=bpy.types.Object, name="Curves", description="The object that carries the channels as F-curves"
    )
    written: bpy.props.PointerProperty(
        type=bpy.types.Action, name="Written", description="The F-curves as they were written, to tell what was edited"
    )
    placed: bpy.props.StringProperty(
        name="Placed", description="Where on the timeline they were written (JSON)", options={"HIDDEN"}
    )


def _get_value(self: "AUMOCAP_PG_fixing") -> float:
    from . import fixing

    return fixing.value(self.id_data)


def _set_value(self: "AUMOCAP_PG_fixing", value: float) -> None:
    refresh.tell(lambda: _pose(self.id_data, value))


def _pose(stage: bpy.types.Scene, value: float) -> None:
    from . import fixing

    fixing.show(stage, value)


def _channel_chosen(_self: "AUMOCAP_PG_fixing", _context: bpy.types.Context) -> None:
    from . import fixing

    fixing.stop()


class AUMOCAP_PG_fixing(bpy.types.PropertyGroup):
    """The value that is about to be fixed."""

    channel: bpy.props.EnumProperty(
        name="Channel",
        description="Which channel is set right",
        items=choices.channel_items,
        default=JAW_DROP,
        update=_channel_chosen,
    )
    wanted: bpy.props.StringProperty(
        name="Search", description="Show only channels with this in their name", options={"TEXTEDIT_UPDATE"}
    )
    only_active: bpy.props.BoolProperty(
        name="Only Active", description="Show only channels that are present at this frame, or fixed", default=True
    )
    value: bpy.props.FloatProperty(
        name="Value",
        description="What the channel is at this frame: move it, and the character shows it",
        min=0.0,
        max=1.0,
        precision=2,
        get=_get_value,
        set=_set_value,
        options={"SKIP_SAVE"},
    )
    blend_in: bpy.props.IntProperty(
        name="Blend In", description="Frames in which the curve goes over to the value", default=6, min=0, soft_max=100
    )
    blend_out: bpy.props.IntProperty(
        name="Blend Out", description="Frames in which the curve goes back", default=6, min=0, soft_max=100
    )
