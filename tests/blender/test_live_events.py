"""What Blender does while live preview is on: saving, undo, another file, deleted characters, a disabled extension."""

from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

from training import extension

from .conftest import Properties
from .test_live import camera_clip, keys, live, own, owners, play, shown, start, state

__all__ = ["camera_clip", "own"]  # fixtures


@pytest.fixture(autouse=True)
def undo_is_on() -> None:
    bpy.context.preferences.edit.use_global_undo = True


def posed() -> bool:
    return any(key.value > 0.01 for key in keys())


def test_no_file_holds_what_live_poses(own: Properties, tmp_path: Path) -> None:
    start()
    play(posed)
    path = tmp_path / "saved.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    assert not posed(), "until the next frame"
    play(posed)
    assert live().problem() == ""
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert live().current() is None
    assert not bpy.app.timers.is_registered(live().tick)
    assert not posed()
    assert not any(each.aumocap_posed for each in owners())


def test_a_file_that_cannot_be_opened_leaves_the_character_as_it_was(own: Properties, tmp_path: Path) -> None:
    start()
    play(posed)
    junk = tmp_path / "junk.blend"
    junk.write_bytes(b"no file of Blender's")
    with pytest.raises(RuntimeError):
        bpy.ops.wm.open_mainfile(filepath=str(junk))
    assert not posed()


def test_a_new_file_while_recording(own: Properties, tmp_path: Path) -> None:
    """The take is stored, and not put into the list of a file that it has nothing to do with."""
    start()
    live().record(0.0)
    play(lambda: (live().current().session.recording or 0) > 5)
    bpy.ops.wm.read_homefile(use_empty=True)
    assert live().current() is None
    assert (tmp_path / "takes" / "Live.take.npz").is_file()
    assert not bpy.context.scene.aumocap.takes


def test_undo_and_redo_while_it_is_on(own: Properties) -> None:
    scene = bpy.context.scene
    keys()["jawOpen"].value = 0.5
    bpy.ops.ed.undo_push(message="before")
    keys()["jawOpen"].value = 0.25
    bpy.ops.ed.undo_push(message="jaw")
    before = state()
    start()
    play(posed)
    scene.frame_end = 77
    bpy.ops.ed.undo_push(message="while the face was posed")
    scene.frame_end = 78
    bpy.ops.ed.undo_push(message="and again")
    bpy.ops.ed.undo()
    assert bpy.context.scene.frame_end == 77
    play(shown(5))
    assert live().problem() == ""
    assert posed()
    bpy.ops.ed.redo()
    play(shown(5))
    bpy.ops.ed.undo()
    bpy.ops.ed.undo()
    play(shown(5))
    live().stop()
    assert state()["keys"] == before["keys"]
    assert state()["bones"] == before["bones"]


def test_steps_from_live_times_come_back_unposed(own: Properties) -> None:
    bpy.ops.ed.undo_push(message="before")
    start()
    play(posed)
    for end in (301, 302, 303):
        bpy.context.scene.frame_end = end
        bpy.ops.ed.undo_push(message=f"end {end}")
        play(shown(3))
    live().stop()
    for end in (302, 301):
        bpy.ops.ed.undo()
        assert bpy.context.scene.frame_end == end
        assert not posed()
        assert not any(each.aumocap_posed for each in owners())
    bpy.ops.ed.redo()
    assert not posed()


def test_undo_of_a_later_edit_of_what_was_posed(own: Properties) -> None:
    """The value of a step that was stored before it was on counts, not the one remembered at the start."""
    keys()["jawOpen"].value = 0.5
    bpy.ops.ed.undo_push(message="half open")
    keys()["jawOpen"].value = 1.0
    bpy.ops.ed.undo_push(message="open")
    start()
    bpy.ops.ed.undo()
    play(shown(5))
    live().stop()
    assert keys()["jawOpen"].value == 0.5


@pytest.mark.parametrize("what", ["head", "armature", "everything"])
def test_a_character_that_is_deleted(own: Properties, what: str) -> None:
    start()
    names = {"head": ["Demo Head Face"], "armature": ["Demo Head"]}
    for name in names.get(what, [each.name for each in bpy.data.objects]):
        bpy.data.objects.remove(bpy.data.objects[name])
    play(lambda: live().current() is None or len(live().current().tick_s) > 60)
    if what != "head":
        assert live().current() is None
        assert live().problem()
    live().stop()
    assert not any(each.aumocap_posed for each in owners())


def test_a_shape_key_and_a_bone_that_are_deleted(own: Properties) -> None:
    start()
    face, rig = bpy.data.objects["Demo Head Face"], bpy.data.objects["Demo Head"]
    face.shape_key_remove(keys()["jawOpen"])
    play(shown(5))
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    rig.data.edit_bones.remove(rig.data.edit_bones["head"])
    play(shown(3))
    bpy.ops.object.mode_set(mode="OBJECT")
    play(shown(5))
    assert live().problem() == ""
    live().stop()
    assert not posed()


def test_another_character_is_chosen(own: Properties) -> None:
    start()
    play(posed)
    bpy.ops.aumocap.add_demo_head()
    own.character = bpy.context.view_layer.objects.active
    assert own.character.name != "Demo Head"
    play(shown(5))
    assert live().problem() == ""
    assert not posed(), "the first one is as it was"
    others = [each for each in bpy.data.shape_keys if each != bpy.data.objects["Demo Head Face"].data.shape_keys]
    play(lambda: any(key.value > 0.01 for each in others for key in each.key_blocks))
    live().stop()
    assert not any(key.value for each in bpy.data.shape_keys for key in each.key_blocks)


def test_the_character_is_renamed_and_duplicated(own: Properties) -> None:
    start()
    play(posed)
    face = bpy.data.objects["Demo Head Face"]
    copy = face.copy()
    copy.data = face.data.copy()
    bpy.context.collection.objects.link(copy)
    face.name, face.data.shape_keys.name, own.character.name = "Renamed", "Other Keys", "Renamed Rig"
    play(lambda: len(live().current().tick_s) > 30)
    assert live().problem() == ""
    live().stop()
    assert not any(key.value for each in bpy.data.shape_keys for key in each.key_blocks)
    assert not any(each.aumocap_posed for each in owners())


def test_the_scene_is_removed(own: Properties) -> None:
    start()
    play(posed)
    scene = bpy.data.scenes[0]
    bpy.data.scenes.new("Other")
    bpy.data.scenes.remove(scene)
    play(lambda: live().current() is None)
    assert "scene" in live().problem()
    assert not posed()


def test_the_extension_is_disabled(own: Properties, registered_extension: ModuleType) -> None:
    rest = [key.value for key in keys()]
    start()
    play(posed)
    tick = live().tick
    registered_extension.unregister()
    try:
        assert [key.value for key in keys()] == rest
        assert not bpy.app.timers.is_registered(tick)
        assert not hasattr(bpy.types.Object, "aumocap_posed")
        assert not state_threads()
    finally:
        registered_extension.register()


def state_threads() -> set[str]:
    import threading

    return {each.name for each in threading.enumerate() if each.name.startswith("live")}


def test_a_crashed_session_recovers_unposed(own: Properties, tmp_path: Path) -> None:
    """Blender autosaves the step of the last undo, whoever poses the face at that time."""
    start()
    play(posed)
    path = tmp_path / "autosave.blend"
    functions = list(bpy.app.handlers.save_pre)
    bpy.app.handlers.save_pre.clear()  # no handler runs for an autosave
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    finally:
        bpy.app.handlers.save_pre.extend(functions)
    assert posed()
    live().stop()
    library: Any = bpy.data.libraries.load(str(path))
    with library as (there, here):
        here.objects = [name for name in there.objects if name == "Demo Head Face"]
    assert any(key.value > 0.01 for key in here.objects[0].data.shape_keys.key_blocks), "the file does hold a pose"
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert extension.module("operators.live_trace").put_back() is False
    assert not posed()
