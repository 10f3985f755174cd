"""What a scene knows of live preview: the camera, the filter, what to record. Never what is running."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from typing import Final

import bpy

from . import choices, classes

SOURCES: Final = (
    ("camera", "Camera", "A camera of this machine", "OUTLINER_OB_CAMERA", 0),
    ("file", "Video as Camera", "A video that plays at its own pace, as if a camera saw it", "FILE_MOVIE", 1),
    ("folder", "Image Folder", "A folder into which another program writes pictures", "FILE_FOLDER", 2),
)
SIZES: Final = (
    ("320x240", "320 x 240", "For slow machines"),
    ("640x480", "640 x 480", "Enough for a face that fills the picture"),
    ("1280x720", "1280 x 720", "For a face farther away"),
    ("1920x1080", "1920 x 1080", "Costs time, and seldom helps"),
)
STRENGTHS: Final = (
    ("off", "Off", "The measured values as they are"),
    ("light", "Light", "Quick, with a little flicker"),
    ("medium", "Medium", "Steady at rest, quick in motion"),
    ("strong", "Strong", "Soft, and a little late"),
)
OVERLAYS: Final = (
    ("VIEW_3D", "In the Viewport", "Picture and bars in the corner of the 3D viewport", "VIEW3D", 0),
    ("IMAGE_EDITOR", "In Image Editors", "Picture and bars in the corner of image editors", "IMAGE", 1),
    ("OFF", "Off", "Neither picture nor bars", "HIDE_ON", 2),
)
PARTS: Final = (
    ("brows", "Brows", "Hold the brows at rest", 1),
    ("lids", "Lids", "Hold the lids at rest", 2),
    ("gaze", "Gaze", "Let the eyes look ahead", 4),
    ("nose_cheeks", "Nose", "Hold nose and cheeks at rest", 8),
    ("jaw", "Jaw", "Keep the jaw closed", 16),
    ("lips", "Lips", "Hold the lips at rest", 32),
    ("tongue", "Tongue", "Keep the tongue in", 64),
    ("head", "Head", "Leave neck and head as they were", 128),
)


class AUMOCAP_PG_live(bpy.types.PropertyGroup):
    """Where live pictures come from, and what happens to them."""

    source: bpy.props.EnumProperty(name="Source", description="Where the pictures come from", items=SOURCES)
    camera: bpy.props.IntProperty(
        name="Camera", description="The camera's number; most machines have one, number 0", default=0, min=0, max=99
    )
    video: bpy.props.StringProperty(
        name="Video", description="The video that plays in place of a camera", subtype="FILE_PATH"
    )
    loop: bpy.props.BoolProperty(name="Loop", description="Play the video again and again", default=True)
    folder: bpy.props.StringProperty(
        name="Folder", description="Where the pictures appear, one file each", subtype="DIR_PATH"
    )
    size: bpy.props.EnumProperty(
        name="Resolution", description="What the camera is asked for", items=SIZES, default="640x480"
    )
    rate_hz: bpy.props.IntProperty(
        name="Rate", description="Pictures per second that the camera is asked for", default=30, min=5, max=240
    )
    regressor: bpy.props.EnumProperty(
        name="Regressor",
        description="The networks that measure the face: the fast ones keep up on any machine",
        items=choices.regressor_items,
        default=choices.number_of("fast"),
    )
    smoothing: bpy.props.EnumProperty(
        name="Filter", description="How much flicker is taken out", items=STRENGTHS, default="light"
    )
    mirror: bpy.props.BoolProperty(
        name="Mirror",
        description="Swap left and right, so that the character moves as a mirror would",
        default=False,
    )
    profile: bpy.props.StringProperty(
        name="Actor", description="The profile of the actor whose ranges, intensity and neutral are used"
    )
    frozen: bpy.props.BoolProperty(
        name="Freeze", description="Hold the face as it is", default=False, options={"SKIP_SAVE"}
    )
    muted: bpy.props.EnumProperty(
        name="Mute",
        description="Parts of the face that stay at rest",
        items=PARTS,
        options={"ENUM_FLAG"},
        default=set(),
    )
    countdown_s: bpy.props.IntProperty(
        name="Countdown", description="Seconds to get ready in before recording", default=3, min=0, max=30
    )
    play_scene: bpy.props.BoolProperty(
        name="Play the Scene",
        description="Play timeline and sound while recording, and place the take where it was recorded",
        default=False,
    )
    keep_video: bpy.props.BoolProperty(
        name="Keep the Video", description="Store the camera's own pictures beside the take", default=False
    )
    overlay: bpy.props.EnumProperty(
        name="Overlay", description="Where picture and bars are drawn", items=OVERLAYS, default="VIEW_3D"
    )


register, unregister = classes.factory((AUMOCAP_PG_live,))
