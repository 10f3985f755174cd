"""au_mocap.video on numbered images and single pictures."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from au_mocap.errors import VideoError
from au_mocap.video import VideoFrame, open_video
from tests.core.clips import HEIGHT_PX, WIDTH_PX, numbered_image, read_number


def read(path: Path, start: int = 0, stop: int | None = None) -> list[VideoFrame]:
    with open_video(path) as clip:
        return list(clip.frames(start, stop))


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    folder = tmp_path / "shots"
    folder.mkdir()
    for number in range(8, 13):
        cv2.imwrite(str(folder / f"frame_{number:04d}.png"), numbered_image(number))
    (folder / "notes.txt").write_text("not an image")
    return folder


@pytest.mark.parametrize("given", ["frame_%04d.png", "frame_####.png", "", "frame_0010.png"])
def test_image_sequence(sequence: Path, given: str) -> None:
    with open_video(sequence / given, sequence_rate_hz=25) as clip:
        frames = list(clip.frames())
        assert (clip.info.kind, clip.info.frame_count, clip.info.rate_hz) == ("sequence", 5, 25)
        assert clip.info.name == (given or "shots")
        assert clip.info.size_px == (WIDTH_PX, HEIGHT_PX)
        assert clip.info.duration_s == pytest.approx(0.2)
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert [read_number(frame.image) for frame in frames] == [8, 9, 10, 11, 12]
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])


def test_image_sequence_range(sequence: Path) -> None:
    frames = read(sequence, 2, 4)
    assert [(frame.index, read_number(frame.image)) for frame in frames] == [(2, 10), (3, 11)]
    assert frames[0].time_s == pytest.approx(2 / 24)
    with pytest.raises(VideoError, match="has 5 frames"):
        read(sequence, 5)


def test_unpadded_numbers_are_ordered_as_numbers(tmp_path: Path) -> None:
    for number in range(8, 12):
        cv2.imwrite(str(tmp_path / f"{number}.png"), numbered_image(number))
    assert [read_number(frame.image) for frame in read(tmp_path / "%d.png")] == [8, 9, 10, 11]
    assert [read_number(frame.image) for frame in read(tmp_path)] == [8, 9, 10, 11]


@pytest.mark.parametrize("given", ["frame_%04d.png", "", "frame_0011.png"])
def test_a_missing_number_is_named(sequence: Path, given: str) -> None:
    (sequence / "frame_0009.png").unlink()
    with pytest.raises(VideoError, match="lacks number 9"):
        open_video(sequence / given)


def test_a_numbered_photo_alone_is_a_single_image(tmp_path: Path) -> None:
    for number in (3, 7):
        cv2.imwrite(str(tmp_path / f"IMG_{number}.png"), numbered_image(number))
    assert [read_number(frame.image) for frame in read(tmp_path / "IMG_3.png")] == [3]


def test_several_sequences_in_a_folder_are_refused(sequence: Path) -> None:
    cv2.imwrite(str(sequence / "other_0001.png"), numbered_image(1))
    with pytest.raises(VideoError, match="several sequences"):
        open_video(sequence)
    assert len(read(sequence / "frame_0008.png")) == 5


def test_a_number_that_is_there_twice_is_refused(sequence: Path) -> None:
    cv2.imwrite(str(sequence / "frame_08.png"), numbered_image(8))
    with pytest.raises(VideoError, match="same number"):
        open_video(sequence)


def test_a_damaged_image_is_named(sequence: Path) -> None:
    (sequence / "frame_0010.png").write_bytes(b"no image")
    with pytest.raises(VideoError, match=r"frame_0010\.png is damaged"):
        read(sequence)


def test_a_pattern_without_files(sequence: Path) -> None:
    with pytest.raises(VideoError, match="No file fits"):
        open_video(sequence / "frame_%06d.png")


def test_a_sequence_needs_a_rate(sequence: Path) -> None:
    with pytest.raises(VideoError, match="frames per second"):
        open_video(sequence, sequence_rate_hz=0)


def test_images_of_other_sizes_are_fitted(sequence: Path) -> None:
    narrow = np.full((HEIGHT_PX, HEIGHT_PX, 3), 200, np.uint8)
    cv2.imwrite(str(sequence / "frame_0010.png"), narrow)
    with open_video(sequence) as clip:
        frames = list(clip.frames())
        assert any("different sizes" in message for message in clip.warnings)
    assert {frame.image.shape for frame in frames} == {(HEIGHT_PX, WIDTH_PX, 3)}
    columns = frames[2].image.mean(axis=(0, 2))
    assert np.flatnonzero(columns == 200).tolist() == list(range(128, 192))
    assert not columns[:128].any()


def test_single_images_become_bgr(tmp_path: Path) -> None:
    grey = np.full((20, 30), 77, np.uint8)
    colour = np.dstack([np.full((20, 30), value, np.uint8) for value in (10, 20, 30)])
    deep = np.full((20, 30), 77 * 257, np.uint16)
    alpha = np.dstack([colour, np.full((20, 30), 99, np.uint8)])
    for name, image, expected in (
        ("grey.png", grey, (77, 77, 77)),
        ("alpha.png", alpha, (10, 20, 30)),
        ("deep.tif", deep, (77, 77, 77)),
        ("grün.bmp", colour, (10, 20, 30)),
    ):
        (tmp_path / name).write_bytes(cv2.imencode(Path(name).suffix, image)[1].tobytes())
        [frame] = read(tmp_path / name)
        assert frame.image.shape == (20, 30, 3)
        assert tuple(frame.image[5, 5]) == expected


def test_real_image_with_alpha(alpha_image: Path) -> None:
    [frame] = read(alpha_image)
    assert frame.image.shape == (1036, 1524, 3)
