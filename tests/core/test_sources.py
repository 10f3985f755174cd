"""A take's video: still there, gone, changed, moved, exported again."""

import os
import shutil
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from au_mocap import pipeline, sources
from au_mocap import take as takes
from au_mocap.errors import TakeError
from au_mocap.pipeline import Extraction, Range
from au_mocap.registry import Registry
from au_mocap.regressors import Regressor
from au_mocap.take import Take
from au_mocap.tracking import open_tracker
from au_mocap.video import file_sha256, open_video
from tests.core.takes import made_take

FRAMES = Range(2, 8)


def take_of(path: Path, regressor: Regressor) -> Take:
    """Some frames of a video or of images, by way of a file."""
    take, _ = pipeline.extract(path, open_tracker("onnx", Registry(), "cpu"), regressor, Extraction(FRAMES))
    stored = path.parent.parent / "stored.take.npz"
    takes.save(take, stored)
    return takes.load(stored)


@pytest.fixture
def video(single_face: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    return Path(shutil.copy(single_face, folder / "actor.mp4"))


@pytest.fixture
def take(video: Path, regressor: Regressor) -> Take:
    return take_of(video, regressor)


@pytest.fixture
def images(single_face: Path, tmp_path: Path) -> Path:
    """A folder with the first ten frames."""
    folder = tmp_path / "images"
    folder.mkdir()
    with open_video(single_face) as opened:
        for frame in opened.frames(0, 10):
            cv2.imwrite(str(folder / f"shot_{frame.index:04d}.png"), frame.image)
    return folder


def same_measurements(one: Take, other: Take) -> None:
    for field in fields(Take):
        if field.name != "meta":
            np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))
    assert {**one.meta, "source": None} == {**other.meta, "source": None}


def with_source(take: Take, **changes: object) -> Take:
    return replace(take, meta={**take.meta, "source": {**take.meta["source"], **changes}})


def changed_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_untouched_video_is_the_same(video: Path, take: Take) -> None:
    assert sources.state(take) == "same"
    os.utime(video, (0, 0))
    assert sources.state(take) == "same", "dates change by copying"


def test_lost_video_is_missing(video: Path, take: Take) -> None:
    video.rename(video.with_name("elsewhere.mp4"))
    assert sources.state(take) == "missing"
    video.mkdir()
    assert sources.state(take) == "missing", "a folder of that name holds no images"


def test_changed_video_is_told_by_size_or_checksum(video: Path, take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    changed_byte(video)
    assert sources.state(take) == "changed"
    video.write_bytes(video.read_bytes() + b"\0")
    monkeypatch.setattr(sources, "file_sha256", lambda path: pytest.fail("the size says enough"))
    assert sources.state(take) == "changed"
    video.write_bytes(b"")
    assert sources.state(take) == "changed"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_no_file_is_missing(video: Path, take: Take) -> None:
    video.unlink()
    os.mkfifo(video)
    assert sources.state(take) == "missing"
    with pytest.raises(TakeError, match="There is no video"):
        sources.relinked(take, video, even_if_changed=True)


@pytest.mark.parametrize("place", [None, "", 7, ["a"], "\0", "x" * 10_000, "a\nb", "/dev/null", "\ud800"])
def test_path_that_leads_nowhere_is_missing(take: Take, place: object) -> None:
    assert sources.state(with_source(take, path=place)) == "missing"


@pytest.mark.parametrize(
    "recorded", [{"size_bytes": "many"}, {"size_bytes": None}, {"sha256": 7}, {"sha256": "A" * 64}]
)
def test_nonsense_is_not_the_same(take: Take, recorded: dict[str, Any]) -> None:
    assert sources.state(with_source(take, **recorded)) == "changed"


def test_take_that_knows_nothing_of_its_source() -> None:
    assert sources.state(made_take()) == "missing"
    assert sources.state(made_take(meta={})) == "missing"


def test_moved_video_is_linked_again(video: Path, take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(take.meta["source"])
    moved = video.rename(video.with_name("moved.mov"))
    monkeypatch.chdir(moved.parent)
    found = sources.relinked(take, Path("moved.mov"))
    assert found.meta["source"] == {**before, "name": "moved.mov", "path": str(moved.resolve())}
    assert sources.state(found) == "same"
    assert take.meta["source"] == before
    assert sources.state(take) == "missing"
    same_measurements(found, take)


def test_linked_take_can_be_kept(video: Path, take: Take, tmp_path: Path) -> None:
    moved = video.rename(tmp_path / "moved.mp4")
    takes.save(sources.relinked(take, moved), tmp_path / "again.take.npz")
    again = takes.load(tmp_path / "again.take.npz")
    assert sources.state(again) == "same"
    same_measurements(again, take)


def test_another_video_is_refused_unless_it_is_wanted(video: Path, take: Take, face_noface: Path) -> None:
    with pytest.raises(TakeError, match="is not the video that was analysed: choose that one, or analyse this one"):
        sources.relinked(take, face_noface)
    linked = sources.relinked(take, face_noface, even_if_changed=True)
    source, before = linked.meta["source"], take.meta["source"]
    assert source["path"] == str(face_noface.resolve())
    assert source["sha256"] == file_sha256(face_noface)
    assert source["size_bytes"] == face_noface.stat().st_size
    assert source["analysed"] == {key: before[key] for key in ("name", "size_bytes", "sha256")}
    assert sources.state(linked) == "same", "it is what it was linked with"
    same_measurements(linked, take)
    # What was analysed is not forgotten by linking twice, and found again.
    assert sources.relinked(linked, face_noface, even_if_changed=True).meta["source"] == source
    with pytest.raises(TakeError, match="is not the video"):
        sources.relinked(linked, face_noface)
    assert sources.relinked(linked, video).meta == take.meta


def test_changed_video_of_the_same_name_is_refused(video: Path, take: Take) -> None:
    changed_byte(video)
    with pytest.raises(TakeError, match=r"actor\.mp4 is not the video that was analysed"):
        sources.relinked(take, video)
    assert sources.state(sources.relinked(take, video, even_if_changed=True)) == "same"


@pytest.mark.parametrize("even_if_changed", [False, True])
def test_nothing_is_linked_with_nothing(video: Path, take: Take, tmp_path: Path, even_if_changed: bool) -> None:
    (tmp_path / "empty").mkdir()
    for place in (tmp_path / "gone.mp4", tmp_path / "empty", tmp_path / "frame_%04d.png", Path("\0"), Path("x" * 5000)):
        with pytest.raises(TakeError, match=r"There is no video .* that can be read"):
            sources.relinked(take, place, even_if_changed=even_if_changed)


def test_take_without_a_checksum_is_linked_with_what_is_named(video: Path) -> None:
    linked = sources.relinked(made_take(), video)
    assert linked.meta["source"]["sha256"] == file_sha256(video)
    assert linked.meta["source"]["rate_hz"] == 25.0
    assert "analysed" not in linked.meta["source"]
    assert sources.state(linked) == "same"
    assert sources.state(sources.relinked(made_take(meta={}), video)) == "same"


@pytest.mark.parametrize("given", ["", "shot_%04d.png", "shot_0000.png"])
def test_images_are_there_or_not(images: Path, regressor: Regressor, given: str) -> None:
    take = take_of(images / given if given else images, regressor)
    assert sources.state(take) == "same"
    (images / "shot_0009.png").unlink()
    assert sources.state(take) == "same", "frames behind the take's are not needed"
    (images / "shot_0008.png").unlink()
    (images / "shot_0007.png").unlink()
    assert sources.state(take) == "changed"
    shutil.rmtree(images)
    assert sources.state(take) == "missing"


@pytest.mark.parametrize("given", ["", "shot_####.png", "shot_0000.png"])
@pytest.mark.parametrize("wanted", ["", "shot_%04d.png", "shot_0000.png"])
def test_moved_images_are_linked_again(images: Path, regressor: Regressor, given: str, wanted: str) -> None:
    take = take_of(images / given if given else images, regressor)
    moved = images.rename(images.with_name("moved"))
    place = moved / wanted if wanted else moved
    linked = sources.relinked(take, place)
    assert linked.meta["source"]["path"] == str(place.resolve())
    assert "analysed" not in linked.meta["source"]
    assert sources.state(linked) == "same"
    for number in (7, 8, 9):
        (moved / f"shot_{number:04d}.png").unlink()
    with pytest.raises(TakeError, match="is not the video that was analysed"):
        sources.relinked(take, place)


def test_images_and_videos_are_not_taken_for_each_other(
    images: Path, video: Path, take: Take, regressor: Regressor
) -> None:
    of_images = take_of(images, regressor)
    for one, place in ((take, images), (of_images, video)):
        with pytest.raises(TakeError, match="is not the video that was analysed"):
            sources.relinked(one, place)
        linked = sources.relinked(one, place, even_if_changed=True)
        assert linked.meta["source"]["analysed"]["name"] == one.meta["source"]["name"]
        assert sources.state(linked) == "same"
