"""Actors in Blender: profiles kept and used again, ranges from a take, intensity that shows at once."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest

from training import extension

from .conftest import Properties
from .playing import key_curve, points

if TYPE_CHECKING:
    from operators.demo_head import DemoHead


@pytest.fixture
def own(stored_take: Path, demo_head: "DemoHead") -> Properties:
    """A scene with a take and the demo head as its character."""
    own = bpy.context.scene.aumocap
    extension.module("operators.take_list").add(bpy.context.scene, stored_take)
    own.character = demo_head.armature
    return own


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for profiles, as a fresh user has."""
    monkeypatch.setattr(extension.module("operators.package"), "user_folder", lambda name: _made(tmp_path / name))
    return tmp_path / "profiles"


def _made(path: Path) -> Path:
    path.mkdir(exist_ok=True)
    return path


def curves(item: Properties) -> np.ndarray:
    return extension.module("operators.performing").curves_of(item).values


def index(channel: str) -> int:
    return extension.module("au_mocap.channels").INDEX[channel]


def again(stored_take: Path) -> Properties:
    """The same file once more in the list, with settings of its own."""
    return extension.module("operators.take_list").add(bpy.context.scene, stored_take)


def test_the_regions_are_the_engines() -> None:
    regions = extension.module("au_mocap.regions").REGIONS
    names = extension.module("operators.shaping_properties").NAMES
    assert names == regions
    item = bpy.context.scene.aumocap.takes.add()
    for group in (item.intensity, item.exaggeration):
        assert [each.identifier for each in group.bl_rna.properties][2:] == list(names)
    shaping = extension.module("operators.actor_settings").shaping_of(item)
    assert shaping.is_plain


@pytest.mark.parametrize(("group", "value"), [("intensity", 1.5), ("exaggeration", 1.0)])
def test_intensity_reaches_the_keys_at_once(own: Properties, demo_head: "DemoHead", group: str, value: float) -> None:
    bpy.ops.aumocap.bake()
    before = points(key_curve(demo_head.head, "mouthSmileLeft"))[:, 1]
    getattr(own.takes[0], group).lips = value
    after = points(key_curve(demo_head.head, "mouthSmileLeft"))[:, 1]
    assert (after - before).max() > 1e-3
    np.testing.assert_allclose(after, curves(own.takes[0])[:, index("lip_corner_pull_L")], atol=1e-6)
    assert bpy.ops.aumocap.reset_intensity() == {"FINISHED"}
    np.testing.assert_allclose(points(key_curve(demo_head.head, "mouthSmileLeft"))[:, 1], before, atol=1e-6)
    assert extension.module("operators.refresh").problem() == ""


def test_symmetry_reaches_the_curves(own: Properties) -> None:
    weaker = index("eye_close_R")
    own.takes[0].contact = 0.0  # or eyes that are sure to be open would stay so whatever their gain
    own.takes[0].channels["eye_close_R"].gain = 0.6
    own.takes[0].channels["eye_close_R"].offset = 0.1
    own.takes[0].channels["eye_close_L"].offset = 0.3
    weak = curves(own.takes[0])
    own.takes[0].symmetry = 1.0
    balanced = curves(own.takes[0])
    assert balanced[:, weaker].mean() > 1.2 * weak[:, weaker].mean()
    np.testing.assert_allclose(balanced[:, index("eye_close_L")], weak[:, index("eye_close_L")], atol=1e-6)


def test_a_profile_serves_another_take(own: Properties, stored_take: Path, folder: Path) -> None:
    first = own.takes[0]
    first.neutral_first, first.neutral_last, first.neutral = 3, 9, "frames"
    first.channels["jaw_drop"].gain = 1.75
    first.channels["brow_raise_L"].offset = 0.125
    first.intensity.lips, first.exaggeration.brows, first.symmetry = 1.25, 0.5, 0.25
    wanted = curves(first)
    assert bpy.ops.aumocap.save_profile(name="Ada") == {"FINISHED"}
    assert (folder / "Ada.json").is_file()
    assert own.takes[0].actor == "Ada"

    again(stored_take)
    assert bpy.ops.aumocap.load_profile(name="Ada") == {"FINISHED"}
    second = own.takes[1]
    assert (second.neutral, second.actor) == ("given", "Ada")
    assert second.channels["jaw_drop"].gain == 1.75
    assert (second.intensity.lips, second.exaggeration.brows, second.symmetry) == (1.25, 0.5, 0.25)
    np.testing.assert_allclose(curves(second), wanted, atol=1e-4)
    # What was saved from a loaded profile is the same neutral, and deleting the file takes nothing away.
    bpy.ops.aumocap.save_profile(name="Ada 2")
    assert (
        json.loads((folder / "Ada 2.json").read_text())["neutral"]
        == json.loads((folder / "Ada.json").read_text())["neutral"]
    )
    assert bpy.ops.aumocap.delete_profile(name="Ada") == {"FINISHED"}
    np.testing.assert_allclose(curves(second), wanted, atol=1e-4)
    second.neutral = "auto"
    second.neutral = "given"
    np.testing.assert_allclose(curves(second), wanted, atol=1e-4)


def test_duplicates_have_the_actor_too(own: Properties) -> None:
    bpy.ops.aumocap.save_profile(name="Ada")
    bpy.ops.aumocap.load_profile(name="Ada")
    own.takes[0].intensity.jaw, own.takes[0].exaggeration.lids, own.takes[0].symmetry = 1.5, -0.5, 0.5
    bpy.ops.aumocap.duplicate_take()
    copy = own.takes[1]
    assert (copy.intensity.jaw, copy.exaggeration.lids, copy.symmetry) == (1.5, -0.5, 0.5)
    assert (copy.actor, copy.neutral) == ("Ada", "given")
    np.testing.assert_allclose(curves(copy), curves(own.takes[0]), atol=1e-6)


def test_files_go_anywhere(own: Properties, tmp_path: Path) -> None:
    own.takes[0].intensity.jaw = 0.5
    assert bpy.ops.aumocap.export_profile(filepath=str(tmp_path / "Bo")) == {"FINISHED"}
    own.takes[0].intensity.jaw = 1.0
    assert bpy.ops.aumocap.import_profile(filepath=str(tmp_path / "Bo.json")) == {"FINISHED"}
    assert own.takes[0].intensity.jaw == 0.5


def test_nothing_is_replaced_without_saying_so(own: Properties, folder: Path) -> None:
    bpy.ops.aumocap.save_profile(name="Ada")
    before = (folder / "Ada.json").read_bytes()
    own.takes[0].intensity.jaw = 0.5
    with pytest.raises(RuntimeError, match="There is a profile 'Ada' already"):
        bpy.ops.aumocap.save_profile(name="Ada")
    assert (folder / "Ada.json").read_bytes() == before
    bpy.ops.aumocap.save_profile(name="Ada", overwrite=True)
    assert (folder / "Ada.json").read_bytes() != before
    with pytest.raises(RuntimeError, match="cannot be the name of a profile"):
        bpy.ops.aumocap.save_profile(name="../Ada")


@pytest.mark.parametrize("change", ["regressor", "damaged", "missing"])
def test_a_profile_that_does_not_fit_changes_nothing(own: Properties, folder: Path, change: str) -> None:
    own.takes[0].intensity.jaw = 0.5
    bpy.ops.aumocap.save_profile(name="Ada")
    document = json.loads((folder / "Ada.json").read_text())
    document["neutral"]["regressor"] = "geometry"
    if change == "missing":
        (folder / "Ada.json").unlink()
    else:
        (folder / "Ada.json").write_text(json.dumps(document) if change == "regressor" else "{}")
    own.takes[0].intensity.jaw = 1.0
    problem = {"regressor": "is for regressor geometry", "damaged": "no actor profile", "missing": "Cannot read"}
    with pytest.raises(RuntimeError, match=problem[change]):
        bpy.ops.aumocap.load_profile(name="Ada")
    assert (own.takes[0].intensity.jaw, own.takes[0].neutral, own.takes[0].actor) == (1.0, "auto", "Ada")


def test_choosing_a_profile_that_was_never_loaded_is_told(own: Properties) -> None:
    bpy.ops.aumocap.bake()
    own.takes[0].neutral = "given"
    assert "load the actor's profile" in extension.module("operators.refresh").problem()
    own.takes[0].actor_neutral = "{"
    with pytest.raises(RuntimeError, match="load the profile again"):
        bpy.ops.aumocap.bake()


def test_ranges_from_a_take(own: Properties, stored_take: Path) -> None:
    again(stored_take)
    target = own.takes[1]
    target.contact = 0.0  # what is looked at here is the gain alone
    source = own.takes[0]
    source.channels["jaw_drop"].gain = 3.0  # the source's own gains do not count
    plain = curves(target)
    target.channels["tongue_out"].gain = 1.5
    assert bpy.ops.aumocap.calibrate_ranges(take=source.name) == {"FINISHED"}
    changed = [each for each in target.channels if each.gain not in (1.0, 1.5)]
    assert changed
    assert all(0.5 <= each.gain <= 2.5 for each in changed)
    now = curves(target)
    for each in changed:
        column = index(each.name)
        strongest = np.sort(plain[:, column])[-6:].min()
        if each.gain < 2.5 - 1e-6:
            assert each.gain == pytest.approx(1.0 / strongest, rel=0.02)
            assert np.sort(now[:, column])[-6:].min() == pytest.approx(1.0, abs=0.02)
    assert source.channels["jaw_drop"].gain == 3.0
    assert target.channels["tongue_out"].gain == 1.5, "the tongue did not move"


def test_ranges_that_say_nothing_are_told(own: Properties) -> None:
    with pytest.raises(RuntimeError, match="There is no take 'nobody'"):
        bpy.ops.aumocap.calibrate_ranges(take="nobody")
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 500, 600
    with pytest.raises(RuntimeError, match="No face is seen"):
        bpy.ops.aumocap.calibrate_ranges(only_range=True)
    assert all(each.gain == 1.0 for each in own.takes[0].channels)


def test_no_take_no_button() -> None:
    for name in ("save_profile", "load_profile", "import_profile", "export_profile", "calibrate_ranges"):
        assert not getattr(bpy.ops.aumocap, name).poll()
