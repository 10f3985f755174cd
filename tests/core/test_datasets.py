"""Folders in the forms of the public data sets, made up and tiny, read back as clips."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from au_mocap import channels, datasets
from au_mocap.datasets import Clip, DatasetError, targets
from au_mocap.datasets.clips import DatasetWarning, Labels, made_labels, within
from au_mocap.errors import SettingsError, VideoError

NAN = np.nan
SIDED = {"AU12": ("lip_corner_pull_L", "lip_corner_pull_R"), "AU4": ("brow_lower_L", "brow_lower_R")}


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def picture(path: Path, grey: int = 0, size: int = 8) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((size, size, 3), grey, np.uint8))


def column(clip: Clip, name: str) -> list[float]:
    """The labels of one target, by frame."""
    names = [target.name for target in clip.labels.targets]
    return clip.labels.values[:, names.index(name)].tolist()


def decoded(clip: Clip) -> list[tuple[float, int]]:
    """Time and brightness of each frame."""
    with datasets.open_clip(clip) as video:
        return [(round(frame.time_s, 3), int(frame.image[0, 0, 0])) for frame in video.frames()]


# Targets ------------------------------------------------------------------------------------------------------------


def test_action_units_stand_for_the_mean_of_their_channels() -> None:
    codes = {number: np.zeros(1, np.float32) for number in range(1, 65)}
    found = {target.name: target.channels for target in targets.action_units(codes, graded=True)}
    assert found["AU1"] == ("inner_brow_raise_L", "inner_brow_raise_R")
    assert found["AU6"] == ("cheek_raise_L", "cheek_raise_R")
    assert found["AU9"] == ("nose_wrinkle_L", "nose_wrinkle_R")
    assert found["AU10"] == ("upper_lip_raise_L", "upper_lip_raise_R")
    assert found["AU12"] == SIDED["AU12"]
    assert found["AU17"] == ("chin_raise",)
    assert found["AU26/27"] == ("jaw_drop",)
    assert found["AU28"] == ("upper_lip_suck", "lower_lip_suck")
    assert found["AU43/45"] == ("eye_close_L", "eye_close_R")
    assert "AU25" not in found  # parted lips are no channel
    assert not any(name.startswith("AD") for name in found)


def test_a_target_reads_the_mean_of_both_sides() -> None:
    values = np.zeros((2, len(channels.IDS)))
    values[:, channels.INDEX["brow_lower_L"]] = [0.2, NAN]
    values[:, channels.INDEX["brow_lower_R"]] = [0.6, 0.5]
    np.testing.assert_allclose(targets.Target("AU4", SIDED["AU4"]).of(values), [0.4, NAN])


def test_units_that_share_a_channel_count_by_the_higher() -> None:
    codes = {26: np.array([0.2, 0.4, NAN, NAN]), 27: np.array([0.0, 0.6, 1.0, NAN])}
    ((target, values),) = targets.action_units(codes, graded=True).items()
    assert target.name == "AU26/27"
    np.testing.assert_array_equal(values, [0.2, 0.6, 1.0, NAN])


# FEAFA --------------------------------------------------------------------------------------------------------------


def feafa_row(**values: float) -> str:
    return " ".join(f"{values.get(channel_id, 0.0):.6f}" for channel_id in channels.FEAFA_IDS) + "\n"


def test_feafa(tmp_path: Path) -> None:
    folder = tmp_path / "FEAFA-A" / "PV057.output"
    for number in (1, 2, 3, 5):  # 4 was not recorded
        picture(folder / f"{number:08d}.jpg", grey=10 * number)
        picture(folder / f"{number:08d}_crop.jpg", grey=200, size=4)
    write(folder / "00000002.auw", feafa_row(eye_close_L=0.25, nose_wrinkle=1))
    write(folder / "00000005.auw", feafa_row(jaw_drop=0.5))
    picture(tmp_path / "FEAFA-A" / "PV003.output" / "00000000.png")
    write(tmp_path / "FEAFA-A" / "PV003.output" / "00000000.auw", feafa_row())
    first, second = datasets.load("feafa", tmp_path)
    assert (first.name, first.subject) == ("FEAFA-A_PV003.output", "PV003")
    assert (second.name, second.subject) == ("FEAFA-A_PV057.output", "PV057")
    assert tuple(target.name for target in second.labels.targets) == channels.FEAFA_IDS
    assert second.labels.frames.tolist() == [1, 3]  # places among the images
    assert second.labels.known.all()
    assert column(second, "eye_close_L") == [0.25, 0]
    assert column(second, "jaw_drop") == [0, 0.5]
    assert column(second, "nose_wrinkle") == [1, 0]
    times, greys = zip(*decoded(second), strict=True)
    assert times == (0, 0.033, 0.067, 0.1)
    np.testing.assert_allclose(greys, [10, 20, 30, 50], atol=3)


def test_feafa_without_images_takes_the_video_of_the_subject(tmp_path: Path) -> None:
    for number in (1, 3):
        write(tmp_path / "FEAFA-B" / "SN001.output" / f"{number:08d}.auw", feafa_row(lip_pucker=0.1 * number))
    for name in ("LeftVideoSN0011_comp.avi", "RightVideoSN001_comp.avi", "LeftVideoSN001_comp.avi"):
        write(tmp_path / "DISFA" / name)
    (clip,) = datasets.load("feafa", tmp_path)
    assert clip.source == tmp_path / "DISFA" / "LeftVideoSN001_comp.avi"
    assert clip.labels.frames.tolist() == [0, 2]
    assert column(clip, "lip_pucker") == pytest.approx([0.1, 0.3])


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("00000001.auw", "0.1 0.2\n", "line 1 holds 2 numbers instead of 24"),
        ("00000001.auw", feafa_row(jaw_drop=1.5), "1.5, which is not from 0 to 1"),
        ("00000001.auw", feafa_row() + feafa_row(), "2 lines instead of one"),
        ("00000001.auw", "", "holds no labels"),
        ("notes.auw", feafa_row(), "named by its frame's number"),
    ],
)
def test_feafa_damaged_label(tmp_path: Path, name: str, text: str, problem: str) -> None:
    picture(tmp_path / "PV001.output" / "00000001.jpg")
    write(tmp_path / "PV001.output" / name, text)
    with pytest.raises(DatasetError, match=problem):
        datasets.load("feafa", tmp_path)


def test_feafa_labels_without_recording(tmp_path: Path) -> None:
    write(tmp_path / "PV001.output" / "00000001.auw", feafa_row())
    with pytest.raises(DatasetError, match="labels but no images: unpack them there"):
        datasets.load("feafa", tmp_path)


def test_feafa_labels_of_images_that_are_missing(tmp_path: Path) -> None:
    for number in range(6):
        write(tmp_path / "PV001.output" / f"{number:08d}.auw", feafa_row())
    picture(tmp_path / "PV001.output" / "00000000.jpg")
    with pytest.raises(DatasetError, match=r"6 frames, but 5 of their images are missing .*number 1\): unpack all"):
        datasets.load("feafa", tmp_path)


def test_images_of_different_sizes_are_refused(tmp_path: Path) -> None:
    for number in (1, 2):
        picture(tmp_path / "PV001.output" / f"{number:08d}_crop.jpg", size=4 * number)
        write(tmp_path / "PV001.output" / f"{number:08d}.auw", feafa_row())
    (clip,) = datasets.load("feafa", tmp_path)
    with pytest.raises(VideoError, match="not face crops"):
        decoded(clip)


# DISFA --------------------------------------------------------------------------------------------------------------


def disfa_file(folder: Path, subject: str, number: int, codes: Sequence[int]) -> Path:
    lines = [f"{frame},{code}" for frame, code in enumerate(codes, 1)]
    return write(folder / "ActionUnit_Labels" / subject / f"{subject}_au{number}.txt", "\n".join(lines) + "\n")


def test_disfa(tmp_path: Path) -> None:
    for subject in ("SN002", "SN001"):
        disfa_file(tmp_path, subject, 4, [0, 1, 5])
        disfa_file(tmp_path, subject, 12, [2, 3, 4])
        disfa_file(tmp_path, subject, 25, [5, 5, 5])
        write(tmp_path / "Video_RightCamera" / f"RightVideo{subject}_Comp.avi")
    write(tmp_path / "Videos_LeftCamera" / "LeftVideoSN001_comp.avi")
    first, second = datasets.load("disfa", tmp_path)
    assert (first.name, first.subject) == ("SN001", "SN001")
    assert first.source == tmp_path / "Videos_LeftCamera" / "LeftVideoSN001_comp.avi"
    assert second.source == tmp_path / "Video_RightCamera" / "RightVideoSN002_Comp.avi"
    assert [(target.name, target.channels) for target in first.labels.targets] == [
        ("AU4", SIDED["AU4"]),
        ("AU12", SIDED["AU12"]),
    ]
    assert all(target.graded for target in first.labels.targets)
    assert first.labels.frames.tolist() == [0, 1, 2]
    assert column(first, "AU4") == pytest.approx([0, 0.2, 1])
    assert column(first, "AU12") == pytest.approx([0.4, 0.6, 0.8])


def test_disfa_frames_that_only_some_units_cover(tmp_path: Path) -> None:
    disfa_file(tmp_path, "SN001", 4, [0, 1, 5])
    disfa_file(tmp_path, "SN001", 12, [5])
    write(tmp_path / "Video_LeftCamera" / "leftVideoSN001_comp.avi")
    (clip,) = datasets.load("disfa", tmp_path)
    np.testing.assert_array_equal(column(clip, "AU12"), [1, NAN, NAN])
    assert clip.labels.known.tolist() == [[True, True], [True, False], [True, False]]


def test_disfa_problems(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no folder with DISFA's labels: name the folder"):
        datasets.load("disfa", tmp_path)
    disfa_file(tmp_path, "SN001", 4, [0, 1])
    with pytest.raises(DatasetError, match=r"no video in Video_LeftCamera .* \(SN001\): unpack the recordings"):
        datasets.load("disfa", tmp_path)
    write(tmp_path / "Video_LeftCamera" / "LeftVideoSN001_comp.avi")
    (tmp_path / "ActionUnit_Labels" / "SN002").mkdir()
    with pytest.raises(DatasetError, match="SN002 holds no label files"):
        datasets.load("disfa", tmp_path)
    disfa_file(tmp_path, "SN002", 12, [0, 1])
    with pytest.raises(DatasetError, match=r"SN001 lacks SN001_au12\.txt: unpack all"):
        datasets.load("disfa", tmp_path)
    disfa_file(tmp_path, "SN001", 12, [0, 1])
    disfa_file(tmp_path, "SN002", 4, [0, 1])
    with pytest.warns(DatasetWarning, match=r"for 1 of 2 labelled clips \(SN002\): they are left out"):
        clips = datasets.load("disfa", tmp_path)
    assert [clip.name for clip in clips] == ["SN001"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1,0\n2,7\n", "7, which is not from 0 to 5"),
        ("1,0\n2\n", "line 2 holds 1 numbers instead of 2"),
        ("1,0\n2,x\n", "line 2: '2,x' are no numbers"),
        ("1,0\n2,nan\n", "are no numbers"),
        ("0,0\n1,0\n", "frame before the first"),
    ],
)
def test_disfa_damaged_label(tmp_path: Path, text: str, problem: str) -> None:
    write(tmp_path / "ActionUnit_Labels" / "SN001" / "SN001_au4.txt", text)
    write(tmp_path / "Video_LeftCamera" / "LeftVideoSN001_comp.avi")
    with pytest.raises(DatasetError, match=problem):
        datasets.load("disfa", tmp_path)


def test_disfa_plus(tmp_path: Path) -> None:
    labels, images = (tmp_path / part / "SN003" for part in ("Labels", "Images"))
    write(labels / "A1_AU1_TrailNo_1" / "AU1.txt", "Image Intensity\n000.jpg     0\n001.jpg     5\n002.jpg     3\n")
    write(labels / "A1_AU1_TrailNo_1" / "AU26.txt", "000.jpg 1\n001.jpg 0\n002.jpg 0\n")
    write(labels / "Y_Happy_TrailNo_2" / "AU1.txt", "000.jpg 1\n")
    for number in range(3):
        picture(images / "A1_AU1_TrailNo_1" / f"{number:03d}.jpg", grey=50 * number)
    picture(images / "Y_Happy_TrailNo_2" / "000.jpg")
    first, second = datasets.load("disfa+", tmp_path)
    assert (first.name, first.subject) == ("SN003_A1_AU1_TrailNo_1", "SN003")
    assert second.subject == "SN003"
    assert first.labels.frames.tolist() == [0, 1, 2]
    assert column(first, "AU1") == pytest.approx([0, 1, 0.6])
    assert column(first, "AU26/27") == pytest.approx([0.2, 0, 0])
    assert [time_s for time_s, _ in decoded(first)] == [0, 0.05, 0.1]


def test_disfa_plus_without_images(tmp_path: Path) -> None:
    write(tmp_path / "Labels" / "SN003" / "A1_AU1_TrailNo_1" / "AU1.txt", "000.jpg 0\n")
    with pytest.raises(DatasetError, match="unpack DISFA\\+'s images beside its Labels"):
        datasets.load("disfa+", tmp_path)


# BP4D and FERA ------------------------------------------------------------------------------------------------------


def occurrence(path: Path, codes: Mapping[int, Sequence[int]]) -> Path:
    """A matrix as BP4D has it: AUs 1 to 30 in the heading, 9 where not coded."""
    lines = [",".join(str(number) for number in range(31))]
    for frame, row in codes.items():
        by_number: dict[int, int] = dict(zip((4, 12, 23, 24), row, strict=True))
        lines.append(",".join([str(frame), *(str(by_number.get(number, 9)) for number in range(1, 31))]))
    return write(path, "\n".join(lines) + "\n")


@pytest.mark.parametrize("layout", ["fera2015", "binghamton"])
def test_bp4d(tmp_path: Path, layout: str) -> None:
    """Frames 2440 to 2442 of one task; AU 12 has intensities, AU 4 and 24 occurrence; AU 23 is no channel."""
    codes = {2440: (0, 1, 1, 9), 2441: (1, 1, 1, 0), 2442: (9, 0, 1, 1)}
    if layout == "fera2015":
        images, coded, graded = "BP4D-training", "AUCoding", "AU Intensity Codes3.0/AU12"
    else:
        images, coded, graded = "2D+3D", "AUCoding/AU_OCC", "AUCoding/AU_INT/AU12"
    occurrence(tmp_path / coded / "F001_T1.csv", codes)
    write(tmp_path / graded / "F001_T1_AU12.csv", "2440,5\n2441,9\n2442,1\n")
    for number in range(2439, 2443):
        picture(tmp_path / images / "F001" / "T1" / f"{number}.jpg", grey=number - 2400)
    (clip,) = datasets.load("fera2015" if layout == "fera2015" else "bp4d", tmp_path)
    assert (clip.name, clip.subject) == ("F001_T1", "F001")
    assert [(target.name, target.graded) for target in clip.labels.targets] == [
        ("AU12", True),
        ("AU4", False),
        ("AU24", False),
    ]
    assert clip.labels.frames.tolist() == [1, 2, 3]
    np.testing.assert_allclose(column(clip, "AU12"), [1, NAN, 0.2])
    np.testing.assert_array_equal(column(clip, "AU4"), [0, 1, NAN])
    np.testing.assert_array_equal(column(clip, "AU24"), [NAN, 0, 1])
    assert [time_s for time_s, _ in decoded(clip)] == [0, 0.04, 0.08, 0.12]


def test_bp4d_images_counted_from_zero(tmp_path: Path) -> None:
    occurrence(tmp_path / "AUCoding" / "M002_T8.csv", {1: (0, 0, 0, 0), 2: (1, 0, 0, 0)})
    for number in range(3):
        picture(tmp_path / "M002" / "T8" / f"{number:04d}.jpg")
    (clip,) = datasets.load("bp4d", tmp_path)
    assert clip.labels.frames.tolist() == [0, 1]
    assert column(clip, "AU4") == [0, 1]


def test_bp4d_problems(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no labels such as F001_T1\.csv"):
        datasets.load("bp4d", tmp_path)
    file = occurrence(tmp_path / "AUCoding" / "F001_T1.csv", dict.fromkeys(range(1, 9), (0, 0, 0, 0)))
    with pytest.raises(DatasetError, match="no folder of images such as F001/T1 for any of them"):
        datasets.load("bp4d", tmp_path)
    (tmp_path / "BP4D-training" / "F001" / "T1").mkdir(parents=True)
    with pytest.raises(DatasetError, match="no numbered images"):
        datasets.load("bp4d", tmp_path)
    picture(tmp_path / "BP4D-training" / "F001" / "T1" / "0001.jpg")
    with pytest.raises(DatasetError, match="7 of their images are missing"):
        datasets.load("bp4d", tmp_path)
    write(file, file.read_text(encoding="utf-8") + "9,1,1\n")
    with pytest.raises(DatasetError, match="line 10 does not hold a number for every AU"):
        datasets.load("bp4d", tmp_path)
    write(file, "0,1,2\n1,3,0\n")
    with pytest.raises(DatasetError, match="3, which is not from 0 to 1"):
        datasets.load("bp4d", tmp_path)
    write(file, "0,3,99\n1,0,0\n")
    with pytest.raises(DatasetError, match="none of the Action Units"):
        datasets.load("bp4d", tmp_path)


def test_bp4d_clips_without_images_are_left_out(tmp_path: Path) -> None:
    for subject in ("F001", "F002"):
        for task in range(1, 5):
            occurrence(tmp_path / "AUCoding" / f"{subject}_T{task}.csv", {1: (0, 0, 0, 0)})
    picture(tmp_path / "F001" / "T3" / "0001.jpg")
    with pytest.warns(
        DatasetWarning, match=r"7 of 8 labelled clips \(F001_T1, F001_T2, F001_T4, F002_T1, F002_T2, …\)"
    ):
        (clip,) = datasets.load("bp4d", tmp_path)
    assert clip.name == "F001_T3"


def test_fera2017(tmp_path: Path) -> None:
    """Lines follow the video whatever their numbers; the same number is another person in another partition."""
    for part, subject in (("Train", "FERA17_TR_F001_T1"), ("Valid", "FERA17_VA_F001_T1")):
        write(tmp_path / f"{part}_Occ" / f"{subject}.csv", "0,1,7\n2440,0,1\n2441,1,9\n")
        write(tmp_path / f"{part}_Int" / f"{subject}_AU01_Int.csv", "2440,0\n2441,4\n")
        for view in (5, 6):
            write(tmp_path / f"FERA17_{part}_MV" / f"{subject}_{view}.mp4")
    first, second = datasets.load("fera2017", tmp_path)
    assert (first.name, first.subject, second.subject) == ("FERA17_TR_F001_T1", "TR_F001", "VA_F001")
    assert first.source == tmp_path / "FERA17_Train_MV" / "FERA17_TR_F001_T1_6.mp4"
    assert first.labels.frames.tolist() == [0, 1]
    assert column(first, "AU1") == pytest.approx([0, 0.8])
    np.testing.assert_array_equal(column(first, "AU7"), [1, NAN])
    (tmp_path / "FERA17_Train_MV" / "FERA17_TR_F001_T1_6.mp4").unlink()
    with pytest.warns(
        DatasetWarning, match=r"no video of the frontal view .* \(FERA17_TR_F001_T1\): they are left out"
    ):
        clips = datasets.load("fera2017", tmp_path)
    assert [clip.name for clip in clips] == ["FERA17_VA_F001_T1"]


# Our own tables -----------------------------------------------------------------------------------------------------


def test_csv(tmp_path: Path) -> None:
    write(tmp_path / "anna_1.csv", "frame,time_s,jaw_drop,look_in_L,head_qw\n0,0.0,0.5,,1\n2,0.1,0.25,1,1\n3,0.2,,,1\n")
    write(tmp_path / "anna_1.mov")
    write(tmp_path / "ben.csv", "frame,jaw_drop\n1,0.5\n")
    for number in (7, 8):
        picture(tmp_path / "ben" / f"{number}.png")
    first, second = datasets.load("csv", tmp_path)
    assert (first.name, first.subject, first.source) == ("anna_1", "anna", tmp_path / "anna_1.mov")
    assert [target.name for target in first.labels.targets] == ["jaw_drop", "look_in_L"]
    assert first.labels.frames.tolist() == [0, 2]
    np.testing.assert_array_equal(column(first, "jaw_drop"), [0.5, 0.25])
    np.testing.assert_array_equal(column(first, "look_in_L"), [NAN, 1])
    assert second.source == (tmp_path / "ben" / "7.png", tmp_path / "ben" / "8.png")
    assert second.labels.frames.tolist() == [1]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "needs a column 'frame'"),
        ("time_s,jaw_drop\n0,0\n", "needs a column 'frame'"),
        ("frame,jaw\n0,0\n", "at least one channel"),
        ("frame,jaw_drop\n", "holds no frames"),
        ("frame,jaw_drop\n0,\n", "labels no frame"),
        ("frame,jaw_drop\n0.5,0\n", "line 2: write a whole number"),
        ("frame,jaw_drop\n0,open\n", "line 2: write a whole number"),
        ("frame,jaw_drop\n0\n", "line 2: write a whole number"),
        ("frame,jaw_drop\n0,0\n0,0\n", "line 3: frame 0 stands there twice"),
        ("frame,jaw_drop\n-1,0\n", "line 2: frame -1 is negative"),
        ("frame,jaw_drop\n0,0\n1,55\n", "from 0 to 55: bring labels to 0..1"),
        ("frame,jaw_drop\n0,inf\n", "bring labels to 0..1"),
    ],
)
def test_csv_damaged_table(tmp_path: Path, text: str, problem: str) -> None:
    write(tmp_path / "a.mp4")
    write(tmp_path / "a.csv", text)
    with pytest.raises(DatasetError, match=problem):
        datasets.load("csv", tmp_path)


def test_csv_problems(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds no tables"):
        datasets.load("csv", tmp_path)
    write(tmp_path / "a.csv", "frame,jaw_drop\n0,0\n")
    with pytest.raises(DatasetError, match=r"no video a\.mp4"):
        datasets.load("csv", tmp_path)


# All of them --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(datasets.LOADERS))
def test_folder_that_is_wrong(tmp_path: Path, kind: str) -> None:
    with pytest.raises(DatasetError, match="is no folder: name the one"):
        datasets.load(kind, tmp_path / "gone")
    with pytest.raises(DatasetError, match=r"name (the|another) folder"):
        datasets.load(kind, tmp_path)


def test_kind_that_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="Unknown data set 'ck': use feafa, disfa"):
        datasets.load("ck", tmp_path)


def labels_of(frames: Sequence[int]) -> Labels:
    rows = {frame: np.array([0.5], np.float32) for frame in frames}
    return made_labels([targets.channel("jaw_drop")], rows, Path("made up"))


def test_labels_that_run_on_behind_the_video() -> None:
    labels = labels_of(range(10))
    assert within(labels, 10, "clip").frames.tolist() == list(range(10))
    assert within(labels, 20, "clip") is labels
    assert within(labels, 8, "clip").frames.tolist() == list(range(8))
    with pytest.raises(DatasetError, match="clip has 7 frames, but labels up to frame 10: check that"):
        within(labels, 7, "clip")
    with pytest.raises(DatasetError, match="has 1 frames"):
        within(labels_of([2]), 1, "clip")


def clip_of(name: str, subject: str, frames: int) -> Clip:
    return Clip(name, subject, Path("none.mp4"), labels_of(range(frames)))


def test_folds_share_no_subject_and_balance_frames() -> None:
    """Frames: a 10, b 7 (two clips), c 6, d 3. Two folds: a; b; then c to b's (7 < 10); then d to a's (10 < 13)."""
    clips = [clip_of("1", "b", 4), clip_of("2", "a", 10), clip_of("3", "c", 6), clip_of("4", "d", 3)]
    clips.append(clip_of("5", "b", 3))
    expected = [("a", "d"), ("b", "c")]
    assert datasets.subject_folds(clips, 2) == expected
    assert datasets.subject_folds(reversed(clips), 2) == expected
    assert datasets.subject_folds(clips, 4) == [("a",), ("b",), ("c",), ("d",)]
    for count in (0, 1, 5):
        with pytest.raises(SettingsError, match=f"{count} folds of 4 subjects"):
            datasets.subject_folds(clips, count)


def test_blinks(tmp_path: Path) -> None:
    text = "clip,start_frame,peak_frame,end_frame,full,note\nb,5,6,9,0,half\na,3,3,3,1,\nb,1,2,3,1,\n"
    found = datasets.read_blinks(write(tmp_path / "blinks.csv", text))
    assert [(blink.start, blink.peak, blink.end, blink.full) for blink in found["b"]] == [
        (1, 2, 3, True),
        (5, 6, 9, False),
    ]
    assert len(found["a"]) == 1
    plain = write(tmp_path / "plain.csv", "clip,start_frame,peak_frame,end_frame\na,1,2,3\n")
    assert datasets.read_blinks(plain)["a"][0].full


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("clip,start_frame,end_frame\na,1,2\n", "lacks the column peak_frame"),
        ("clip,start_frame,peak_frame,end_frame\na,1,x,3\n", "line 2: write whole numbers"),
        ("clip,start_frame,peak_frame,end_frame\na,1,4,3\n", "line 2: a blink starts"),
        ("clip,start_frame,peak_frame,end_frame\na,1\n", "line 2: write whole numbers"),
    ],
)
def test_blinks_damaged(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(DatasetError, match=problem):
        datasets.read_blinks(write(tmp_path / "blinks.csv", text))
