"""Problems of a take are listed at their scene frames and gone to; other files, takes and settings renew the list."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

from training import extension

from .conftest import Properties

LOST = slice(6, 12)
DOUBTED = slice(18, 24)


@pytest.fixture(scope="module")
def spoiled_take(stored_take: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 frames at 30 a second: no face in some, low confidence in others."""
    take = extension.module("au_mocap.take")
    stored = take.load(stored_take)
    names = ("found", "confidence", "values", "crop", "landmarks", "head_rotation", "head_position", "embedding")
    arrays = {name: getattr(stored, name).copy() for name in names}
    for name, array in arrays.items():
        array[LOST] = {"found": False, "confidence": 0.0}.get(name, float("nan"))
    arrays["confidence"][DOUBTED] = 0.2
    path = tmp_path_factory.mktemp("spoiled") / "spoiled.take.npz"
    take.save(replace(stored, **arrays), path)
    return path


@pytest.fixture
def own(spoiled_take: Path) -> Properties:
    """A scene at the clip's rate with the take."""
    scene: Any = bpy.context.scene
    scene.render.fps = 30
    extension.module("operators.take_list").add(scene, spoiled_take)
    return scene.aumocap


def settings() -> Properties:
    scene: Any = bpy.context.scene
    return scene.aumocap_review


def lines() -> list[tuple[str, int]]:
    return [(line.kind, line.frame) for line in extension.module("operators.review_state").listed().problems]


def go(direction: str = "next") -> int:
    assert bpy.ops.aumocap.go_to_problem(direction=direction) == {"FINISHED"}
    return bpy.context.scene.frame_current


def only_faults() -> None:
    """Leave out what the regressor makes of the clip itself."""
    settings().kinds = {"gap", "confidence"}


def test_the_list_holds_what_the_engine_finds(own: Properties) -> None:
    assert bpy.ops.aumocap.find_problems() == {"FINISHED"}
    performing, loaded = extension.module("operators.performing"), extension.module("operators.loaded")
    core, of = extension.module("au_mocap.problems"), extension.module("operators.settings")
    item = performing.active_take(bpy.context.scene)
    expected = core.find_in(loaded.calibrator(of.path_of(item)), of.of_take(item))
    listed = extension.module("operators.review_state").listed().problems
    told = [(line.kind, line.channel, line.message) for line in listed]
    assert told == [(each.kind, each.channel or "", each.message) for each in expected]
    assert [each for each in lines() if each[0] in ("gap", "confidence")] == [("gap", 7), ("confidence", 19)]
    assert own.takes[0].name == "spoiled"


@pytest.mark.parametrize(
    ("fps", "start", "timing", "speed", "frames"),
    [
        (30, 101.0, "seconds", 1.0, (107, 119)),
        (60, 1.0, "seconds", 1.0, (13, 37)),
        (24, 1.0, "seconds", 2.0, (3, 8)),
        (60, 11.0, "frames", 1.0, (17, 29)),
        (24, 1.0, "frames", 0.5, (13, 37)),
    ],
)
def test_frames_follow_rate_start_and_speed(
    own: Properties, fps: int, start: float, timing: str, speed: float, frames: tuple[int, int]
) -> None:
    only_faults()
    go()  # what was found with other settings does not count any more
    bpy.context.scene.render.fps = fps
    own.bake.start_frame, own.bake.timing, own.bake.speed = start, timing, speed
    bpy.context.scene.frame_set(0)
    assert (go(), go()) == frames


def test_next_and_previous_wrap_around(own: Properties) -> None:
    only_faults()
    bpy.context.scene.frame_set(10)
    assert [go() for _ in range(3)] == [19, 7, 19]
    assert [go("previous") for _ in range(3)] == [7, 19, 7]
    bpy.context.scene.frame_set(10)
    assert go("previous") == 7
    bpy.context.scene.frame_set(1)
    assert go("previous") == 19
    assert own.active_take == 0


def test_only_chosen_kinds_are_gone_to(own: Properties) -> None:
    settings().kinds = {"confidence"}
    assert [go(), go()] == [19, 19]
    settings().kinds = set()
    assert bpy.ops.aumocap.go_to_problem() == {"CANCELLED"}
    assert bpy.context.scene.frame_current == 19
    assert len(own.takes) == 1


def test_problems_of_one_frame_are_gone_through(own: Properties) -> None:
    bpy.ops.aumocap.find_problems()
    review, state = extension.module("operators.review"), extension.module("operators.review_state")
    found = state.listed()
    for line in found.problems:
        line.frame = 5
    visited = []
    for _ in range(len(found.problems)):
        state.choose(bpy.context.scene, review.next_line(bpy.context.scene, backward=False))
        visited.append(found.active)
    assert sorted(visited) == list(range(len(found.problems)))
    assert own.active_take == 0


def test_choosing_a_line_goes_there(own: Properties) -> None:
    bpy.ops.aumocap.find_problems()
    assert bpy.context.scene.frame_current == 1, "finding them moves nothing"
    found = extension.module("operators.review_state").listed()
    found.active = lines().index(("confidence", 19))
    assert bpy.context.scene.frame_current == 19
    assert own.active_take == 0


def test_a_changed_setting_renews_the_list(own: Properties) -> None:
    state = extension.module("operators.review_state")
    bpy.ops.aumocap.find_problems()
    assert state.current(bpy.context.scene) is not None
    for side in "LR":
        own.takes[0].channels[f"look_down_{side}"].offset = 1.0
    assert state.current(bpy.context.scene) is None
    settings().kinds = {"clamp"}
    go()
    assert any("Look down" in line.message and line.kind == "clamp" for line in state.listed().problems)


def test_another_take_has_a_list_of_its_own(own: Properties, stored_take: Path) -> None:
    only_faults()
    assert go() == 7
    extension.module("operators.take_list").add(bpy.context.scene, stored_take)
    assert bpy.ops.aumocap.go_to_problem() == {"CANCELLED"}
    own.active_take = 0
    bpy.context.scene.frame_set(1)
    assert go() == 7


def test_what_cannot_be_looked_for_is_told(own: Properties, tmp_path: Path) -> None:
    state = extension.module("operators.review_state")
    bpy.ops.aumocap.find_problems()
    damaged = tmp_path / "damaged.take.npz"
    damaged.write_bytes(b"PK\x03\x04 and nothing else")
    own.takes[0].filepath = str(damaged)
    for operator in (bpy.ops.aumocap.find_problems, bpy.ops.aumocap.go_to_problem):
        with pytest.raises(RuntimeError, match="damaged"):
            operator()
        assert lines() == []
    assert "damaged" in state.error(bpy.context.scene)
    own.takes.clear()
    for operator in (bpy.ops.aumocap.find_problems, bpy.ops.aumocap.go_to_problem, bpy.ops.aumocap.review_layout):
        with pytest.raises(RuntimeError, match="analyse it first"):
            operator()


def test_the_layout_needs_a_window(own: Properties) -> None:
    with pytest.raises(RuntimeError, match="needs Blender's window"):
        bpy.ops.aumocap.review_layout()
    assert not settings().show_strip
    assert not extension.module("operators.review_layout").is_on(bpy.context.window)
    assert own.active_take == 0


def test_another_file_has_no_list_of_this_one(own: Properties, tmp_path: Path) -> None:
    settings().show_strip, settings().kinds = True, {"gap"}
    bpy.ops.aumocap.find_problems()
    assert lines()
    assert own.active_take == 0
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "review.blend"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    assert lines() == []
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "review.blend"))
    assert lines() == []
    assert (settings().show_strip, settings().kinds) == (True, {"gap"})
    bpy.context.scene.frame_set(1)
    assert go() == 7


def test_nothing_stays_behind(registered_extension: ModuleType, own: Properties) -> None:
    bpy.ops.aumocap.find_problems()
    state, step = extension.module("operators.review_state"), extension.module("operators.review_step")
    layout, overlay = extension.module("operators.review_layout"), extension.module("ui.review_overlay")
    assert own.active_take == 0
    assert len(overlay._handles) == 4
    try:
        registered_extension.unregister()
        listening = {
            function
            for name in dir(bpy.app.handlers)
            if isinstance(getattr(bpy.app.handlers, name), list)
            for function in getattr(bpy.app.handlers, name)
        }
        assert not [each for each in listening if each.__module__.startswith(extension.PACKAGE)]
        assert overlay._handles == []
        assert not hasattr(bpy.types.Scene, "aumocap_review")
        assert not hasattr(bpy.types.WindowManager, "aumocap_review")
        assert not bpy.app.timers.is_registered(state._look)
        assert not bpy.app.timers.is_registered(layout._fit)
        assert step._State.clock is None
    finally:
        registered_extension.register()
