"""The sound of a clip in the sequencer, in sync with what is baked from it."""

from pathlib import Path
from typing import Any, Final

import bpy

from ..au_mocap.errors import SettingsError, VideoError

CLIP: Final = "au_mocap_clip"
"""Custom property of AU Mocap's own strips: the clip's path."""

MAX_CHANNEL: Final = 128
_KEPT: Final = ("volume", "pan", "mute", "show_waveform")


def add_audio(scene: bpy.types.Scene, video_path: str | Path, start_frame: float) -> Any:  # noqa: ANN401
    """Put a clip's sound on the timeline; the strip that an earlier call made for the same clip is replaced.

    Args:
        scene: Whose sequencer gets the strip.
        video_path: The clip, or a file of sound alone; may be relative to the .blend file.
        start_frame: Scene frame of the clip's time zero, fractions allowed.

    Returns:
        The sound strip: on the channel of the one that it replaces, otherwise on the lowest free one.

    Raises:
        VideoError: There is no such file, or it has no sound that Blender can read.
        SettingsError: This Blender cannot play sound, or the sequencer is full.
        AuMocapError: In all these cases the scene is untouched.
    """
    path = Path(bpy.path.abspath(str(video_path)))
    _check(path)
    whole = round(start_frame)
    strips = _strips(scene.sequence_editor or scene.sequence_editor_create())
    mine = [strip for strip in strips if strip.get(CLIP) == str(path)]
    wanted = mine[0].channel if mine else 1
    settings = {name: getattr(mine[0], name) for name in _KEPT if hasattr(mine[0], name)} if mine else {}
    others = [strip for strip in strips if strip not in mine]
    if max((strip.channel for strip in others), default=0) >= MAX_CHANNEL:
        message = f"The sequencer's channel {MAX_CHANNEL} is in use: move its strips down to make room for the sound."
        raise SettingsError(message)
    _remove(strips, mine)
    # Above all others first: how long it is, Blender tells only then.
    strip = strips.new_sound(path.stem, str(path), MAX_CHANNEL, whole)
    strip[CLIP] = str(path)
    for name, value in settings.items():
        setattr(strip, name, value)
    if hasattr(strip, "sound_offset"):
        strip.sound_offset = (start_frame - whole) * scene.render.fps_base / scene.render.fps
    strip.channel = _free_channel(strip, others, wanted)
    return strip


def _check(path: Path) -> None:
    if not path.is_file():
        message = f"There is no file {path}: choose the clip again."
        raise VideoError(message)
    if not bpy.app.build_options.audaspace:
        message = "This Blender was built without sound: use one from blender.org."
        raise SettingsError(message)
    known = set(bpy.data.sounds)
    sound = bpy.data.sounds.load(str(path), check_existing=True)
    has_sound = sound.channels != "INVALID"
    if sound not in known:
        bpy.data.sounds.remove(sound)
    if not has_sound:
        message = f"{path.name} has no sound that Blender can read: use a clip with an audio track."
        raise VideoError(message)


def _strips(editor: bpy.types.SequenceEditor) -> Any:  # noqa: ANN401
    return editor.strips if hasattr(editor, "strips") else editor.sequences  # Blender 4.2 and 4.3 call them so


def _remove(strips: Any, mine: list[Any]) -> None:  # noqa: ANN401
    sounds = {strip.sound for strip in mine if strip.sound is not None}
    for strip in mine:
        strips.remove(strip)
    for sound in sounds:
        if sound.users == 0:
            bpy.data.sounds.remove(sound)


def _free_channel(strip: Any, others: list[Any], wanted: int) -> int:  # noqa: ANN401
    """The wanted channel, or the lowest, where nothing lies at the same time as a strip."""
    taken = {
        each.channel
        for each in others
        if each.frame_final_start < strip.frame_final_end and each.frame_final_end > strip.frame_final_start
    }
    return wanted if wanted not in taken else next(c for c in range(1, MAX_CHANNEL + 1) if c not in taken)
