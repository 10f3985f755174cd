"""The clip's sound starts with the video's first frame, and a second call replaces it."""

import wave
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from training import extension

from .clips import TONE_FROM_S, write_clip
from .playing import errors

SOUND = bpy.app.build_options.audaspace
needs_sound = pytest.mark.skipif(not SOUND, reason="this build of the bpy module has no sound")


def add(path: Path | str, start_frame: float = 1.0) -> Any:  # noqa: ANN401 - a strip's class has another name in every Blender
    return extension.module("operators.audio").add_audio(bpy.context.scene, path, start_frame)


def all_strips() -> list[Any]:
    editor = bpy.context.scene.sequence_editor
    if editor is None:
        return []
    return list(editor.strips if hasattr(editor, "strips") else editor.sequences)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "actor.mp4")


@needs_sound
@pytest.mark.parametrize("start_frame", [1.0, 25.0, 12.4, 12.6])
def test_sound_starts_at_the_videos_time_zero(clip: Path, tmp_path: Path, start_frame: float) -> None:
    strip = add(clip, start_frame)
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 60
    mixed = tmp_path / "mixed.wav"
    bpy.ops.sound.mixdown(filepath=str(mixed), container="WAV", codec="PCM", format="S16")
    with wave.open(str(mixed)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)[:: file.getnchannels()]
        rate_hz = file.getframerate()
    onset_s = np.argmax(np.abs(samples) > 500) / rate_hz
    tolerance_s = 0.001 if hasattr(strip, "sound_offset") else 0.5 / 24.0
    assert onset_s == pytest.approx((start_frame - 1.0) / 24.0 + TONE_FROM_S, abs=tolerance_s)


@needs_sound
def test_second_call_replaces_the_first(clip: Path) -> None:
    first = add(clip, 1.0)
    first.channel = 3
    first.volume = 0.25
    again = add(clip, 50.0)
    assert [strip.name for strip in all_strips()] == ["actor"]
    assert (again.channel, again.frame_final_start) == (3, 50)
    assert again.volume == 0.25
    assert len(bpy.data.sounds) == 1


@needs_sound
def test_other_strips_stay_and_are_not_covered(clip: Path, tmp_path: Path) -> None:
    other = write_clip(tmp_path / "other.mp4")
    by_hand = add(clip, 1.0)
    del by_hand["au_mocap_clip"]
    assert add(clip, 30.0).channel == 2
    assert add(other, 40.0).channel == 3
    assert add(other, 200.0).channel == 3
    assert add(clip, 500.0).channel == 2
    assert len(all_strips()) == 3
    blocked = add(other, 20.0)
    assert (blocked.channel, blocked.frame_final_start) == (3, 20)


@needs_sound
def test_channel_that_is_taken_by_now_is_left(clip: Path, tmp_path: Path) -> None:
    add(clip, 1.0)
    by_hand = add(write_clip(tmp_path / "other.mp4"), 100.0)
    assert by_hand.channel == 1
    assert add(clip, 90.0).channel == 2


@needs_sound
def test_clip_without_sound_is_refused_and_touches_nothing(tmp_path: Path) -> None:
    silent = write_clip(tmp_path / "silent.mp4", sound=False)
    with pytest.raises(errors("VideoError"), match="has no sound"):
        add(silent)
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"no video at all")
    with pytest.raises(errors("VideoError"), match="has no sound"):
        add(junk)
    assert all_strips() == []
    assert len(bpy.data.sounds) == 0


@pytest.mark.parametrize("name", ["missing.mp4", ""])
def test_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(errors("VideoError"), match="There is no file"):
        add(tmp_path / name)
    assert all_strips() == []


@pytest.mark.skipif(SOUND, reason="this build has sound")
def test_a_build_without_sound_says_so(clip: Path) -> None:
    with pytest.raises(errors("SettingsError"), match="built without sound"):
        add(clip)
