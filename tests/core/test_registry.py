"""From names to verified files."""

import os
import shutil
from pathlib import Path

import pytest

from au_mocap import channels
from au_mocap.errors import ModelError
from au_mocap.registry import BUNDLED, ModelFile, Registry, folders_in

ENTRY = """
[[regressor]]
name = "{name}"
version = "2"
label = "Mine"
description = "Made at home"
licence = "MIT"
training_data = "none"
normalisation = "neutral"
channels = ["jaw_drop"]
head = {{ file = "head.onnx", sha256 = "{sha256}" }}
"""


def folder_with(tmp_path: Path, *entries: str, name: str = "models") -> Path:
    """A model folder with a small file and the given entries."""
    folder = tmp_path / name
    folder.mkdir()
    (folder / "head.onnx").write_bytes(b"abc")
    (folder / "registry.toml").write_text("version = 1\n" + "\n".join(entries), encoding="utf-8")
    return folder


def entry(name: str = "mine", sha256: str = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD") -> str:
    """An entry whose file holds `abc`; the checksum is the one in SHA-256's own specification."""
    return ENTRY.format(name=name, sha256=sha256)


def test_bundled_registry_is_whole() -> None:
    registry = Registry()
    assert registry.problems == {}
    tracker = registry.tracker("onnx")
    assert set(tracker.files) == {"detector", "landmarks", "blendshapes"}
    geometry = registry.regressor("geometry")
    assert geometry.channels == channels.PREDICTED_IDS
    for model_file in (*tracker.files.values(), geometry.head):
        assert registry.path(model_file) == BUNDLED / model_file.file


def test_every_bundled_graph_has_a_licence_and_a_source() -> None:
    for tracker in Registry().trackers:
        assert tracker.licence == "Apache-2.0"
        assert "sha256" in tracker.source
    for regressor in Registry().regressors:
        licence, data = ("Apache-2.0", "Google") if regressor.name == "mediapipe" else ("GPL-3.0-or-later", "Synthetic")
        assert regressor.licence == licence
        assert data in regressor.training_data


def test_user_folder_appears_beside_the_bundled_one(tmp_path: Path) -> None:
    registry = Registry((BUNDLED, folder_with(tmp_path, entry())))
    bundled = [known.name for known in Registry().regressors]
    assert {"accurate", "fast", "geometry", "mediapipe"} <= set(bundled)
    assert [known.name for known in registry.regressors] == [*bundled, "mine"]
    assert registry.path(registry.regressor("mine").head).read_bytes() == b"abc"


def test_earlier_folder_wins(tmp_path: Path) -> None:
    first = folder_with(tmp_path, entry(), name="first")
    second = folder_with(tmp_path, entry(), name="second")
    assert Registry((second, first)).regressor("mine").head.folder == second.resolve()
    assert Registry((BUNDLED, folder_with(tmp_path, entry("geometry")))).regressor("geometry").label != "Mine"


def test_damaged_file_is_named(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, entry())
    registry = Registry((folder,))
    head = registry.regressor("mine").head
    registry.path(head)
    (folder / "head.onnx").write_bytes(b"abd")
    os.utime(folder / "head.onnx", ns=(1, 1))
    with pytest.raises(ModelError, match=r"head\.onnx is damaged: its sha256 is a52d159f262b.*expected ba7816bf8f01"):
        registry.path(head)
    (folder / "head.onnx").write_bytes(b"abc")
    assert registry.path(head).is_file()


def test_missing_file_is_named(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, entry())
    (folder / "head.onnx").unlink()
    registry = Registry((folder,))
    with pytest.raises(ModelError, match=r"head\.onnx cannot be read \(No such file"):
        registry.path(registry.regressor("mine").head)


def test_copy_of_the_bundled_models_is_verified_in_its_own_place(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("registry.toml", "face_detector.onnx"):
        shutil.copy(BUNDLED / name, folder)
    registry = Registry((folder,))
    detector = registry.tracker("onnx").files["detector"]
    assert registry.path(detector).parent == folder.resolve()
    with (folder / "face_detector.onnx").open("r+b") as file:
        file.seek(1000)
        file.write(b"\0\1\2\3")
    with pytest.raises(ModelError, match=r"face_detector\.onnx is damaged"):
        registry.path(detector)


def test_every_bundled_file_is_there_and_whole() -> None:
    registry = Registry()
    for known in registry.regressors:
        assert [registry.path(model_file) for model_file in known.files]


def test_tracker_without_one_of_its_graphs_is_named(tmp_path: Path) -> None:
    text = (BUNDLED / "registry.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("detector = ")]
    (tmp_path / "registry.toml").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ModelError, match=r"'onnx' .* has no 'detector'"):
        Registry((tmp_path,)).tracker("onnx")


def test_unknown_name_lists_the_choices() -> None:
    with pytest.raises(ModelError, match=r"no regressor 'geometri'.*geometry"):
        Registry().regressor("geometri")
    with pytest.raises(ModelError, match=r"no tracker 'x'.*onnx"):
        Registry().tracker("x")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('licence = "MIT"\n', "", "has no 'licence'"),
        ('version = "2"', "version = 2", "'version' must be a text"),
        ('label = "Mine"', 'label = ""', "'label' must be a text"),
        ('channels = ["jaw_drop"]', 'channels = ["jaw_dorp"]', "jaw_dorp"),
        ('channels = ["jaw_drop"]', 'channels = "jaw_drop"', "channels"),
        ('channels = ["jaw_drop"]', "channels = []", "channels"),
        ('channels = ["jaw_drop"]', 'channels = ["jaw_drop", "jaw_drop"]', "jaw_drop"),
        ('file = "head.onnx"', 'file = "../head.onnx"', "inside the model folder"),
        ('file = "head.onnx"', 'file = "/head.onnx"', "inside the model folder"),
        ('file = "head.onnx"', "file = 3", "'file' must be a text"),
        ("head = {", "tail = {", "has no 'head'"),
    ],
)
def test_broken_entry_leaves_the_others_usable(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert old in entry("broken")
    registry = Registry((folder_with(tmp_path, entry("broken").replace(old, new), entry("mine")), BUNDLED))
    assert registry.regressor("mine").version == "2"
    assert registry.regressor("geometry").name == "geometry"
    with pytest.raises(ModelError, match=problem):
        registry.regressor("broken")


def test_entry_without_a_name_or_form_is_reported(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, entry().replace('name = "mine"\n', ""), "[[tracker]]\nname = 'odd'\nfiles = ['x']\n")
    registry = Registry((folder,))
    assert registry.regressors == registry.trackers == ()
    assert set(registry.problems) == {"regressor 1", "odd"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("version = 1\nregressor = [", "not valid TOML"),
        ("version = 2\n", "version 2"),
        ("", "version None"),
        ("version = 1\nregressor = 'all'\n", r"\[\[regressor\]\]"),
        ("version = 1\n# \xff", "not valid TOML"),
    ],
)
def test_unreadable_registry_is_named(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "registry.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(ModelError, match=rf"registry\.toml.*{problem}"):
        Registry((tmp_path,))


def test_folder_without_a_registry(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"needs a registry\.toml"):
        Registry((tmp_path,))


def test_directory_in_place_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        Registry().path(ModelFile(tmp_path.parent, tmp_path.name, "0" * 64))


def test_folders_that_a_user_put_together(tmp_path: Path) -> None:
    """Those of a place and the place itself, in the order of their names; whatever else lies there is passed over."""
    place = tmp_path / "place"
    assert folders_in(place) == ()
    place.mkdir()
    (place / "notes.txt").write_text("no folder", encoding="utf-8")
    (place / "empty").mkdir()
    second, first = (folder_with(place, entry(name), name=name) for name in ("second", "first"))
    assert folders_in(place) == (first, second)
    (place / "registry.toml").write_text("version = 1\n", encoding="utf-8")
    assert folders_in(place) == (place, first, second)
    assert folders_in(place / "notes.txt") == ()


def test_a_broken_folder_of_the_user_hides_nothing_else(tmp_path: Path) -> None:
    good, broken = folder_with(tmp_path, entry("mine"), name="good"), folder_with(tmp_path, name="broken")
    (broken / "registry.toml").write_text("version = ", encoding="utf-8")
    registry = Registry(further=(broken, tmp_path / "gone", good))
    assert {"accurate", "mine"} <= {each.name for each in registry.regressors}
    assert "not valid TOML" in registry.problems["broken"]
    assert "gone" in registry.problems
    with pytest.raises(ModelError, match="not valid TOML"):
        Registry((broken,))


def test_bundled_names_win_over_the_users(tmp_path: Path) -> None:
    registry = Registry(further=(folder_with(tmp_path, entry("accurate")),))
    assert registry.regressor("accurate").label == "Accurate"
