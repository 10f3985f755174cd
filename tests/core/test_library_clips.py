"""Videos of takes are found again, never mixed up, and give the takes their pictures."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from au_mocap.errors import LibraryError
from au_mocap.library import clips, notes, relinking, scanning, thumbnails
from au_mocap.library.entry import Entry
from au_mocap.take import Take, load, save
from tests.core.library_folders import entries, put
from tests.core.takes import made_take


@pytest.fixture
def moved(tmp_path: Path) -> tuple[Path, Path]:
    """A folder with two takes whose videos have the same size and now lie elsewhere under other names."""
    shot, store = tmp_path / "shot", tmp_path / "store" / "deep"
    shot.mkdir()
    store.mkdir(parents=True)
    for name in ("a", "b"):
        clip = shot / f"{name}.mp4"
        clip.write_bytes(name.encode() * 1000)
        put(tmp_path / "takes", name, clip)
        clip.rename(store / f"renamed {name}.mp4")
    (store / "a.mp4").write_bytes(b"c" * 1000)  # the wrong video under the right name
    return tmp_path / "takes", tmp_path / "store"


def test_moved_videos_are_found_by_what_they_hold(moved: tuple[Path, Path]) -> None:
    folder, store = moved
    before = entries(folder)
    kept = before["a"].path.read_bytes()
    assert [each.clip_state for each in before.values()] == ["missing", "missing"]
    result = relinking.find(before.values(), [store])
    assert {take.name: video.name for take, video in result.found.items()} == {
        "a.take.npz": "renamed a.mp4",
        "b.take.npz": "renamed b.mp4",
    }
    assert result.summary() == "2 of 2 videos found."
    relinking.note(result)
    after = entries(folder)
    assert [each.clip_state for each in after.values()] == ["found", "found"]
    assert after["a"].path.read_bytes() == kept, "the take is never altered"
    assert clips.of_take(after["a"].path, load(after["a"].path).meta) == str(store / "deep" / "renamed a.mp4")


def test_what_is_nowhere_is_said(moved: tuple[Path, Path]) -> None:
    folder, store = moved
    (store / "deep" / "renamed b.mp4").unlink()
    result = relinking.find(entries(folder).values(), [store])
    assert [take.name for take in result.missing] == ["b.take.npz"]
    with pytest.raises(LibraryError, match="There is no folder"):
        relinking.find(entries(folder).values(), [store / "nowhere"])
    stopped = relinking.find(entries(folder).values(), [store], lambda: False)
    assert not stopped.complete
    assert not stopped.found


def test_one_video_is_linked_only_with_its_own_take(moved: tuple[Path, Path]) -> None:
    folder, store = moved
    entry = entries(folder)["a"]
    for wrong in (store / "deep" / "a.mp4", store / "deep" / "renamed b.mp4"):
        with pytest.raises(LibraryError, match="is not the video that 'a' was made of"):
            relinking.link(entry, wrong)
    with pytest.raises(LibraryError, match="There is no video"):
        relinking.link(entry, store / "nothing.mp4")
    assert not notes.path_of(entry.path).exists()
    relinking.link(entry, store / "deep" / "renamed a.mp4")
    assert scanning.entry_of(entry.path).clip_state == "found"


def test_notes_that_cannot_be_written_are_told_and_the_others_linked(moved: tuple[Path, Path]) -> None:
    folder, store = moved
    notes.path_of(folder / "a.take.npz").write_text('{"version": 7}')
    result = relinking.find(entries(folder).values(), [store])
    relinking.note(result)
    assert [take.name for take in result.found] == ["b.take.npz"]
    assert "newer AU Mocap" in result.summary()


def test_a_video_beside_its_take_is_found(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"picture")
    take = put(tmp_path / "takes", "one", clip)
    clip.rename(take.parent / "clip.mp4")
    assert entries(tmp_path / "takes")["one"].clip == take.parent / "clip.mp4"
    assert clips.of_take(take, load(take).meta) == str(take.parent / "clip.mp4")
    (take.parent / "clip.mp4").write_bytes(b"another picture")
    assert clips.of_take(take, load(take).meta) == str(clip), "where it was, for nothing else is it"
    assert entries(tmp_path / "takes")["one"].clip_state == "changed"


def test_images_are_found_by_the_name_of_their_folder(tmp_path: Path) -> None:
    source = {"name": "shot", "path": str(tmp_path / "gone" / "shot"), "size_bytes": None, "sha256": None}
    take = put(tmp_path / "takes", "one", source=source)
    short, whole = tmp_path / "store" / "x" / "shot", tmp_path / "store" / "y" / "shot"
    for folder, count in ((short, 5), (whole, 6)):
        folder.mkdir(parents=True)
        for number in range(count):
            cv2.imwrite(str(folder / f"f{number:03}.png"), np.zeros((4, 4, 3), np.uint8))
    result = relinking.find([scanning.entry_of(take)], [tmp_path / "store"])
    assert result.found == {take: whole}
    with pytest.raises(LibraryError, match="is not the video"):
        relinking.link(scanning.entry_of(take), short)


def face(entry: Entry) -> np.ndarray:
    return thumbnails.picture(entry)


def test_the_picture_is_the_face_at_its_strongest(stored: Path, single_face_take: Take, tmp_path: Path) -> None:
    entry = scanning.entry_of(stored)
    assert entry.clip_state == "found"
    take = single_face_take
    measured = {name: getattr(take, name) for name in ("values", "found", "confidence", "head_rotation")}
    smile = take.values[:, take.channels.index("lip_corner_pull_L")]
    assert smile[thumbnails.strongest(measured)] > 0.7 * smile.max(), "the clip goes from neutral to a smile"
    made = thumbnails.ensure(entry, tmp_path)
    image = cv2.imread(str(made))
    assert image.shape == (256, 256, 3)
    middle = image[96:160, 96:160].reshape(-1, 3).mean(axis=0)
    assert middle[2] > middle[0] + 10, "skin is redder than blue"
    written = made.stat().st_mtime_ns
    assert thumbnails.ensure(entry, tmp_path).stat().st_mtime_ns == written
    assert [path.suffix for path in (tmp_path / "pictures").iterdir()] == [".jpg"]


def test_without_its_video_the_landmarks_are_drawn(stored: Path, tmp_path: Path) -> None:
    take = load(stored)
    source = {**take.meta["source"], "path": str(tmp_path / "gone.mp4")}
    save(
        made_take(len(take), (), landmarks=take.landmarks, meta={**take.meta, "source": source}),
        tmp_path / "x.take.npz",
    )
    entry = scanning.entry_of(tmp_path / "x.take.npz")
    assert entry.clip_state == "missing"
    image = face(entry)
    lines = (image != image[0, 0]).any(axis=2)
    assert 0.1 < lines.mean() < 0.9
    rows, columns = np.nonzero(lines)
    assert (np.ptp(rows) > 180) or (np.ptp(columns) > 180)


def test_an_imported_take_shows_its_values(tmp_path: Path) -> None:
    take = made_take(embedding_size=0, landmarks=np.zeros((6, 0, 3), np.float16))
    save(take, tmp_path / "x.take.npz")
    image = face(scanning.entry_of(tmp_path / "x.take.npz"))
    nothing = made_take(6, tuple(range(6)))
    save(nothing, tmp_path / "y.take.npz")
    assert image.std() > face(scanning.entry_of(tmp_path / "y.take.npz")).std()


def test_a_take_that_cannot_be_read_has_no_picture(tmp_path: Path) -> None:
    whole = put(tmp_path, "whole")
    entry = scanning.entry_of(whole)
    whole.write_bytes(whole.read_bytes()[:2000])
    with pytest.raises(LibraryError, match="damaged"):
        thumbnails.ensure(entry, tmp_path / "cache")
    with pytest.raises(LibraryError):
        thumbnails.ensure(scanning.entry_of(whole), tmp_path / "cache")


def test_old_pictures_go(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for number in range(5):
        (tmp_path / "pictures" / f"{number}.jpg").write_bytes(b"")
    assert thumbnails.prune(tmp_path, 3) == 2
    assert len(list((tmp_path / "pictures").iterdir())) == 3
    assert thumbnails.prune(tmp_path / "nowhere") == 0
