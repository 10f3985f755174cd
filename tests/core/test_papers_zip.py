"""The extra zip of large models: what goes in, that the engine reads it, what is refused."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from au_mocap.registry import Registry
from release import ReleaseError, papers

ROOT = Path(__file__).resolve().parents[2]
_ENTRY = """[[regressor]]
name = "{name}"
version = "1"
label = "A paper's"
description = "For tests"
licence = "CC0-1.0"
training_data = "none"
normalisation = "neutral"
group = "advanced"
channels = ["jaw_drop"]
head = {{ file = "{name}.onnx", sha256 = "{sha256}" }}

"""


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small and a large model, by a limit that suits them."""
    monkeypatch.setattr(papers, "LARGE_MB", 0.5)
    folder = tmp_path / "models"
    folder.mkdir()
    text = "version = 1\n\n"
    for name, size in (("small", 1000), ("large", 600_000), ("tiny", 10)):
        raw = name.encode() * (size // len(name))
        (folder / f"{name}.onnx").write_bytes(raw)
        (folder / f"{name.upper()}.md").write_text(f"# {name}\n", encoding="utf-8")
        text += _ENTRY.format(name=name, sha256=hashlib.sha256(raw).hexdigest())
    (folder / "registry.toml").write_text(text, encoding="utf-8")
    return folder


def test_zip_holds_what_is_large_and_unpacks_to_a_folder_of_models(models: Path, tmp_path: Path) -> None:
    archive = papers.build(ROOT, models, tmp_path / "dist")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path / "unpacked")
    folder = tmp_path / "unpacked" / papers.INSIDE
    assert {path.name for path in folder.iterdir()} == {"registry.toml", "LICENSE", "large.onnx", "LARGE.md"}
    registry = Registry((folder,))
    assert [entry.name for entry in registry.regressors] == ["large"]
    assert registry.path(registry.regressor("large").head).is_file()
    assert [path.name for path in (tmp_path / "dist").iterdir()] == [archive.name]


def test_nothing_large_is_told(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(papers, "LARGE_MB", 40.0)
    with pytest.raises(ReleaseError, match=r"no regressor above 40 MB: run make\.py train papers cnn48"):
        papers.build(ROOT, models, tmp_path / "dist")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [(None, "cannot be read .*run make.py train papers first"), ("version = [", "is not valid TOML")],
)
def test_folder_that_is_none_is_told(text: str | None, wanted: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "registry.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ReleaseError, match=wanted):
        papers.build(ROOT, tmp_path, tmp_path / "dist")


def test_damaged_model_does_not_leave_the_house(models: Path, tmp_path: Path) -> None:
    with (models / "large.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ReleaseError, match=r"large\.onnx is missing or not what its registry says"):
        papers.build(ROOT, models, tmp_path / "dist")
    assert not list((tmp_path / "dist").iterdir())
