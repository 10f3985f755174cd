"""What a scene knows of videos and takes: what to analyse, the takes, and the actor's settings for each."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

import bpy

from ..au_mocap import DEFAULT_REGRESSOR
from . import choices, classes, refresh
from .edits_properties import AUMOCAP_PG_edits, AUMOCAP_PG_fix
from .preferences import DEVICES, SMOOTHING
from .shaping_properties import AUMOCAP_PG_exaggeration, AUMOCAP_PG_intensity

NEUTRALS = (
    ("auto", "Automatic", "Found in the take: the calmest frames of the upper and of the lower face"),
    ("frames", "Chosen Frames", "Averaged from the frames below, in which the actor rests"),
    ("none", "None", "The regressor's own neutral, the same for every actor"),
    ("mean", "Mean Face", "The mean of all frames, for actors who never rest"),
    ("given", "Actor's Profile", "The neutral that the actor's profile brought along, from another take"),
)
GAPS = (
    ("hold", "Hold", "The last expression stays until the face is back"),
    ("fade", "Fade to Neutral", "The face comes to rest, and back when it is seen again"),
    ("leave", "Leave Empty", "No keys: Blender blends from the last one to the next"),
)


def _video_chosen(self: "AUMOCAP_PG_capture", context: bpy.types.Context) -> None:
    from . import video_look

    video_look.start(self, context)


class AUMOCAP_PG_capture(bpy.types.PropertyGroup):
    """What to analyse, and with what."""

    filepath: bpy.props.StringProperty(
        name="Video",
        description="The actor's video, or one picture of an image sequence",
        update=_video_chosen,
    )
    use_range: bpy.props.BoolProperty(
        name="Only a Range", description="Analyse only some of the video's frames", default=False
    )
    first: bpy.props.IntProperty(name="First", description="First video frame, counted from 0", default=0, min=0)
    last: bpy.props.IntProperty(
        name="Last", description="Last video frame; what lies beyond the end is ignored", default=100, min=0
    )
    regressor: bpy.props.EnumProperty(
        name="Regressor",
        description="The networks that measure the face",
        items=choices.regressor_items,
        default=choices.number_of(DEFAULT_REGRESSOR),
    )
    all_actors: bpy.props.BoolProperty(
        name="All Actors",
        description="Follow everybody in the shot and make a take of each, in one pass; otherwise one take of the "
        "largest face",
        default=False,
    )
    device: bpy.props.EnumProperty(name="Device", description="What the networks run on", items=DEVICES)
    fov_deg: bpy.props.FloatProperty(
        name="Field of View",
        description="Vertical field of view of the camera that filmed: matters for the head's turns and distance",
        default=63.0,
        min=5.0,
        max=150.0,
        precision=1,
    )


class AUMOCAP_PG_channel(bpy.types.PropertyGroup):
    """One channel's range for one actor; its name is the channel's id."""

    gain: bpy.props.FloatProperty(
        name="Gain",
        description="How strongly the channel answers to this actor",
        default=1.0,
        min=0.0,
        max=10.0,
        soft_max=2.0,
        precision=2,
        update=refresh.settings_changed,
    )
    offset: bpy.props.FloatProperty(
        name="Offset",
        description="Added after the gain: lifts or lowers the channel as a whole",
        default=0.0,
        min=-1.0,
        max=1.0,
        precision=2,
        update=refresh.settings_changed,
    )


class AUMOCAP_PG_take(bpy.types.PropertyGroup):
    """One take in the scene's list, with the actor's settings; its name is what the user sees."""

    filepath: bpy.props.StringProperty(
        name="Take File", description="Where the measurements lie (.take.npz)", subtype="FILE_PATH"
    )
    video: bpy.props.StringProperty(name="Video", description="The video that was analysed", subtype="FILE_PATH")
    detail: bpy.props.StringProperty(name="Detail", description="What was analysed, and with what")
    partial: bpy.props.BoolProperty(name="Partial", description="Analysis was stopped before the end", default=False)
    neutral: bpy.props.EnumProperty(
        name="Neutral",
        description="The face that counts as rest",
        items=NEUTRALS,
        update=refresh.settings_changed,
    )
    neutral_first: bpy.props.IntProperty(
        name="First", description="First video frame of the neutral", min=0, update=refresh.settings_changed
    )
    neutral_last: bpy.props.IntProperty(
        name="Last", description="Last video frame of the neutral", min=0, update=refresh.settings_changed
    )
    smoothing: bpy.props.EnumProperty(
        name="Smoothing",
        description="How much flicker is taken out",
        items=SMOOTHING,
        default="light",
        update=refresh.settings_changed,
    )
    gaps: bpy.props.EnumProperty(
        name="Gaps", description="What happens while no face is seen", items=GAPS, update=refresh.settings_changed
    )
    mirror: bpy.props.BoolProperty(
        name="Mirror Left/Right",
        description="For video that was recorded mirrored, as front cameras often do",
        default=False,
        update=refresh.settings_changed,
    )
    contact: bpy.props.FloatProperty(
        name="Close Contacts",
        description="How far the character's lids and lips are brought together where the actor's touch",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        update=refresh.settings_changed,
    )
    channels: bpy.props.CollectionProperty(type=AUMOCAP_PG_channel)
    intensity: bpy.props.PointerProperty(type=AUMOCAP_PG_intensity)
    exaggeration: bpy.props.PointerProperty(type=AUMOCAP_PG_exaggeration)
    symmetry: bpy.props.FloatProperty(
        name="Symmetry",
        description="Lift the side of the face that answers more weakly throughout the take to the other's strength. "
        "What one side does alone stays alone",
        default=0.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        update=refresh.settings_changed,
    )
    actor: bpy.props.StringProperty(name="Actor", description="Name of the profile that was loaded or saved last")
    actor_neutral: bpy.props.StringProperty(
        name="Profile's Neutral", description="The neutral of the actor's profile (JSON)", options={"HIDDEN"}
    )
    active_channel: bpy.props.IntProperty(name="Channel", description="The chosen channel", options={"SKIP_SAVE"})
    baked_on: bpy.props.PointerProperty(
        type=bpy.types.Object, name="Baked On", description="The character that plays this take's keys"
    )
    baked_with: bpy.props.StringProperty(name="Baked With", description="Settings of that bake", options={"HIDDEN"})
    edits: bpy.props.PointerProperty(type=AUMOCAP_PG_edits)


CLASSES = (
    AUMOCAP_PG_capture,
    AUMOCAP_PG_channel,
    AUMOCAP_PG_intensity,
    AUMOCAP_PG_exaggeration,
    AUMOCAP_PG_fix,
    AUMOCAP_PG_edits,
    AUMOCAP_PG_take,
)

register, unregister = classes.factory(CLASSES)
