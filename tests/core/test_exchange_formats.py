"""Every format both ways: values, sides, head pose and gaze survive; files of other programs are read as they mean."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from au_mocap import channels, exchange, rotations
from au_mocap.calibration import Curves
from au_mocap.errors import ExchangeError, OutputError
from au_mocap.exchange import Format, arkit, gaze, live_link_face, openface
from au_mocap.take import Take
from tests.core.exchanged import angles_deg, curve, lines, llf, llf_row, one_sided, performance, read, write_table

TIMED = [each for each in exchange.FORMATS if each.name != "ifacialmocap"]
WITH_POSE = [each for each in TIMED if each.name != "mediapipe-table"]
WITH_PLACE = [each for each in WITH_POSE if each.name not in ("live-link-face", "face-cap")]


def name_of(form: Format) -> str:
    return form.name


def there_and_back(form: Format, folder: Path, **options: Any) -> tuple[Take, Curves, Take]:  # noqa: ANN401
    take, curves = performance(**options)
    path = folder / f"file{form.suffix}"
    exchange.write(take, curves, path, form.name)
    assert exchange.detect(path) is form
    return take, curves, read(path).take


@pytest.mark.parametrize("form", TIMED, ids=name_of)
def test_values_and_times_come_back(form: Format, tmp_path: Path) -> None:
    _, curves, back = there_and_back(form, tmp_path, symmetric=form.name == "openface")
    np.testing.assert_allclose(back.time_s, curves.time_s, atol=6e-4)
    assert back.found.all()
    assert len(back.channels) >= 36
    for channel_id in back.channels:
        wanted = curves.values[:, channels.INDEX[channel_id]]
        np.testing.assert_allclose(curve(back, channel_id), wanted, atol=5e-5, err_msg=channel_id)


@pytest.mark.parametrize("form", WITH_POSE, ids=name_of)
def test_head_turns_come_back(form: Format, tmp_path: Path) -> None:
    _, curves, back = there_and_back(form, tmp_path)
    np.testing.assert_allclose(back.head_rotation, curves.head_rotation, atol=2e-5)


@pytest.mark.parametrize("form", WITH_PLACE, ids=name_of)
def test_head_places_come_back(form: Format, tmp_path: Path) -> None:
    _, curves, back = there_and_back(form, tmp_path)
    np.testing.assert_allclose(back.head_position, curves.head_position, atol=2e-5)


@pytest.mark.parametrize("form", [each for each in TIMED if each.name != "face-cap"], ids=name_of)
def test_frames_without_a_face_stay_without(form: Format, tmp_path: Path) -> None:
    _, _, back = there_and_back(form, tmp_path, frames=20, faceless=(0, 7, 8, 19))
    assert np.flatnonzero(~back.found).tolist() == [0, 7, 8, 19]
    assert np.isnan(back.values[~back.found]).all()
    assert np.isnan(back.head_rotation[~back.found]).all()
    assert (back.confidence[~back.found] == 0.0).all()


def test_face_cap_has_no_rows_without_a_face(tmp_path: Path) -> None:
    _, curves, back = there_and_back(exchange.by_name("face-cap"), tmp_path, frames=20, faceless=(7, 8))
    np.testing.assert_allclose(back.time_s, np.delete(curves.time_s, (7, 8)), atol=6e-4)


SIDED = [channel.id for channel in channels.CHANNELS if channel.side == "L"]
WHOLE = ("inner_brow_raise", "cheek_puff")


@pytest.mark.parametrize("form", exchange.FORMATS, ids=name_of)
@pytest.mark.parametrize("side", "LR")
def test_left_stays_left(form: Format, side: str, tmp_path: Path) -> None:
    """A face that does everything on one side; OpenFace tells sides of the gaze alone."""
    values = np.zeros((5, len(channels.IDS)), np.float32)
    ids = [channel_id[:-1] + side for channel_id in SIDED]
    ids = [channel_id for channel_id in ids if not channel_id.startswith(("look_down", "look_in", *WHOLE))]
    values[:, [channels.INDEX[channel_id] for channel_id in ids]] = 0.8
    _, _, back = there_and_back(form, tmp_path, frames=5, values=channels.enforce_rules(values))
    for channel_id in ids:
        other = channels.mirrored(channel_id)
        if form.name == "openface" and not channel_id.startswith("look"):
            if channel_id in back.channels:
                assert curve(back, channel_id) == pytest.approx(0.4, abs=1e-4)
                assert curve(back, other) == pytest.approx(0.4, abs=1e-4)
            continue
        assert curve(back, channel_id) == pytest.approx(0.8, abs=1e-4), channel_id
        assert curve(back, other) == pytest.approx(0.0, abs=1e-4), channel_id


@pytest.mark.parametrize("form", WITH_POSE, ids=name_of)
@pytest.mark.parametrize("turn", [(40, 0, 0), (-25, 0, 0), (0, -30, 0), (0, 20, 0), (0, 0, 15), (-20, 12, -9)])
def test_known_turns_come_back(form: Format, turn: tuple[float, float, float], tmp_path: Path) -> None:
    quaternion = rotations.to_quaternions(rotations.from_angles(np.radians([turn])))
    _, _, back = there_and_back(form, tmp_path, frames=3, rotation=np.repeat(quaternion, 3, axis=0))
    np.testing.assert_allclose(angles_deg(back), [turn] * 3, atol=3e-3)


# What other programs mean by their numbers, each by its own documentation or recordings, not by what we write.


def test_live_link_face_as_it_was_published(tmp_path: Path) -> None:
    """Two rows of a recording that others published: who looks down, then up and to the left, with both eyes."""
    eyes_down = {"EyeLookDownLeft": 0.2226290256, "EyeLookInLeft": 0.0872230753, "EyeLookDownRight": 0.2228772491}
    up_left = {"EyeLookOutLeft": 0.3404935002, "EyeLookUpLeft": 0.3120456636, "EyeLookInRight": 0.4408136308}
    rows = [llf_row("12:24:24:19.960", **eyes_down), llf_row("12:24:24:21.959", **up_left)]
    take = read(write_table(tmp_path / "a.csv", rows), rate_hz=60.0).take
    assert take.meta["imported"]["format"] == "live-link-face"
    assert take.meta["imported"]["timecode"] == "12:24:24:19.960"
    np.testing.assert_allclose(take.time_s, [0.0, 1.999 / 60], atol=1e-6)
    assert curve(take, "look_down_L") == pytest.approx([0.22263, 0.0], abs=1e-5)
    assert curve(take, "look_out_L") == pytest.approx([0.0, 0.34049], abs=1e-5)
    assert curve(take, "look_in_R") == pytest.approx([0.0, 0.44081], abs=1e-5)


def test_live_link_face_writes_the_angles_of_its_app(tmp_path: Path) -> None:
    """Signs as in the published recording: to the actor's left negative yaw, upwards negative pitch."""
    values = one_sided("look_out_L", 0.5)
    values[:, channels.INDEX["look_up_L"]] = 0.4
    values[:, channels.INDEX["look_down_R"]] = 1.0
    take, curves = performance(frames=3, values=values)
    exchange.write(take, curves, tmp_path / "a.csv", "live-link-face")
    names, first = ((tmp_path / "a.csv").read_text().splitlines()[row].split(",") for row in (0, 1))
    row = dict(zip(names, first, strict=True))
    assert tuple(names) == live_link_face.COLUMNS
    assert len(names) == 2 + 61
    assert float(row["LeftEyeYaw"]) == pytest.approx(-np.radians(17.5), abs=1e-6)
    assert float(row["LeftEyePitch"]) == pytest.approx(-np.radians(10.0), abs=1e-6)
    assert float(row["RightEyePitch"]) == pytest.approx(np.radians(30.0), abs=1e-6)
    assert float(row["RightEyeYaw"]) == pytest.approx(0.0, abs=1e-6)


def test_live_link_face_head(tmp_path: Path) -> None:
    turned = {"HeadYaw": np.radians(30), "HeadPitch": np.radians(-20), "HeadRoll": np.radians(-10)}
    take = read(llf(tmp_path / "a.csv", ["00:00:00:00.000", "00:00:00:01.000"], **turned)).take
    # To the actor's right, up, and tilted to the actor's right shoulder.
    np.testing.assert_allclose(angles_deg(take), [[30, -20, -10]] * 2, atol=1e-3)
    assert np.isnan(take.head_position).all()


IFACIALMOCAP = (
    "mouthSmile_R-0|eyeLookOut_L-0|eyeBlink_R-7|eyeLookDown_L-17|jawRight-0|eyeLookIn_R-6|browInnerUp-20|jawOpen-12|"
    "mouthLeft-1|=head#-21.488958,-6.038993,-6.6019735,-0.030653415,-0.10287084,-0.6584072|"
    "rightEye#6.0297494,2.4403017,0.25649446|leftEye#6.034903,-1.6660284,-0.17520553|"
)
"""Part of the frame that the app's makers publish."""


def test_ifacialmocap_as_it_was_published(tmp_path: Path) -> None:
    got = read(lines(tmp_path / "a.txt", IFACIALMOCAP, IFACIALMOCAP))
    take = got.take
    assert take.meta["imported"]["format"] == "ifacialmocap"
    assert got.notes == ("no times in the file: 60 lines a second taken",)
    np.testing.assert_allclose(take.time_s, [0.0, 1 / 60])
    assert curve(take, "look_in_R") == pytest.approx(0.06)
    assert curve(take, "inner_brow_raise_L") == pytest.approx(0.2)
    assert curve(take, "mouth_slide_L") == pytest.approx(0.01)
    np.testing.assert_allclose(angles_deg(take)[0], [6.038993, -21.488958, 6.6019735], atol=1e-3)
    np.testing.assert_allclose(take.head_position[0], [-0.030653415, 0.10287084, 0.6584072], atol=1e-6)


def test_facemotion3d_writes_other_signs_and_sides(tmp_path: Path) -> None:
    line = "eyeBlinkLeft&29|mouthPucker&5|FM_SAD&0|=head#1,2,3,0,0,-0.5|"
    take = read(lines(tmp_path / "a.txt", line), rate_hz=30).take
    assert curve(take, "eye_close_L") == pytest.approx(0.29)
    np.testing.assert_allclose(angles_deg(take)[0], [-2, 1, -3], atol=1e-4)


def test_ifacialmocap_keeps_an_even_rate(tmp_path: Path) -> None:
    take, curves = performance(frames=26, faceless=(5,))
    exchange.write(take, curves, tmp_path / "a.txt", "ifacialmocap", 50.0)
    back = read(tmp_path / "a.txt", rate_hz=50.0).take
    assert len(back) == 51
    np.testing.assert_allclose(back.time_s[::2], curves.time_s, atol=1e-9)
    assert np.flatnonzero(~back.found).tolist() == [9, 10, 11]
    jaw = channels.INDEX["lip_pucker"]
    seen = take.found
    np.testing.assert_allclose(curve(back, "lip_pucker")[::2][seen], curves.values[seen, jaw], atol=2e-5)
    between = (curves.values[0, jaw] + curves.values[1, jaw]) / 2
    assert curve(back, "lip_pucker")[1] == pytest.approx(between, abs=2e-5)


def test_face_cap(tmp_path: Path) -> None:
    weights = ["0"] * 52
    weights[13], weights[51] = "0.7", "0.2"  # eye blink left, tongue out in the app's order
    pose = "1,2,3,10,20,-5,0,0,0,0"
    path = lines(
        tmp_path / "a.txt", "info,device,iPhone", f"k,0,{pose},{','.join(weights)}", f"k,33,{pose},{','.join(weights)}"
    )
    take = read(path).take
    assert take.meta["imported"]["format"] == "face-cap"
    np.testing.assert_allclose(take.time_s, [0.0, 0.033])
    assert curve(take, "eye_close_L") == pytest.approx(0.7)
    assert curve(take, "eye_close_R") == pytest.approx(0.0)
    assert curve(take, "tongue_out") == pytest.approx(0.2)
    np.testing.assert_allclose(angles_deg(take)[0], [-20, 10, 5], atol=1e-4)
    named = lines(tmp_path / "b.txt", "bs,jawOpen,mouthSmile_R", f"k,0,{pose},0.5,0.25")
    assert read(named).take.channels == ("jaw_drop", "lip_corner_pull_R")


def openface_row(frame: int, **cells: object) -> dict[str, object]:
    """As OpenFace writes it, with spaces in front of the names."""
    row: dict[str, object] = {"frame": frame, " face_id": 0, " timestamp": (frame - 1) / 30, " confidence": 0.98}
    row |= {" success": 1}
    row |= {f" gaze_{eye}_{axis}": (0.0, 0.0, -1.0)["xyz".index(axis)] for eye in (0, 1) for axis in "xyz"}
    row |= {f" pose_{kind}{axis}": 0.0 for kind in "TR" for axis in "xyz"}
    row |= {f" AU{unit:02}_r": 0.0 for unit in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)}
    row |= {f" AU{unit:02}_c": 0.0 for unit in (1, 12, 28)}
    return {**row, **{f" {name}" if name != "frame" else name: value for name, value in cells.items()}}


def test_openface_units_become_both_sides(tmp_path: Path) -> None:
    row = openface_row(1, AU12_r=2.5, AU45_r=5.0, AU26_r=1.0, AU23_r=5.0, AU25_r=5.0, AU28_c=1.0, AU10_r=4.0)
    take = read(write_table(tmp_path / "a.csv", [row])).take
    assert take.meta["imported"]["format"] == "openface"
    assert curve(take, "lip_corner_pull_L") == curve(take, "lip_corner_pull_R") == pytest.approx(0.5)
    assert curve(take, "eye_close_L") == curve(take, "eye_close_R") == pytest.approx(1.0)
    assert curve(take, "jaw_drop") == pytest.approx(0.2)
    assert curve(take, "upper_lip_raise") == pytest.approx(0.8)
    for channel_id in ("upper_lip_suck", "lip_press_L", "tongue_out", "jaw_slide_L", "lips_together"):
        assert channel_id not in take.channels
        assert curve(take, channel_id) == 0.0
    assert take.confidence[0] == pytest.approx(0.98)


def test_openface_pose_is_rx_ry_rz(tmp_path: Path) -> None:
    x, y, z = np.radians([12.0, 35.0, -8.0])
    row = openface_row(1, pose_Rx=x, pose_Ry=y, pose_Rz=z, pose_Tx=10.0, pose_Ty=-20.0, pose_Tz=600.0)
    take = read(write_table(tmp_path / "a.csv", [row])).take
    rx = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    rz = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    np.testing.assert_allclose(rotations.to_matrices(take.head_rotation)[0], rx @ ry @ rz, atol=1e-6)
    np.testing.assert_allclose(take.head_position, [[0.01, -0.02, 0.6]], atol=1e-6)


def test_openface_gaze_follows_the_head(tmp_path: Path) -> None:
    """Eye 0 is the actor's right. A head that turns while the eyes stay on the camera looks to the other side."""
    sideways = np.sin(gaze.SIDEWAYS_RAD / 2), 0.0, -np.cos(gaze.SIDEWAYS_RAD / 2)
    to_image_right = dict(zip((f"gaze_0_{axis}" for axis in "xyz"), sideways, strict=True))
    rows = [openface_row(1, **to_image_right), openface_row(2, pose_Ry=gaze.SIDEWAYS_RAD / 2)]
    take = read(write_table(tmp_path / "a.csv", rows)).take
    # Image right is the actor's left: inwards for the right eye.
    assert curve(take, "look_in_R") == pytest.approx([0.5, 0.5], abs=1e-4)
    assert curve(take, "look_out_R") == pytest.approx([0.0, 0.0], abs=1e-4)
    assert curve(take, "look_out_L") == pytest.approx([0.0, 0.5], abs=1e-4)


def test_openface_with_several_faces_takes_the_one_seen_most(tmp_path: Path) -> None:
    rows = [openface_row(frame, face_id=face, AU12_r=5.0 * face) for frame in (1, 2, 3) for face in (0, 1)]
    del rows[0]
    got = read(write_table(tmp_path / "a.csv", rows))
    assert curve(got.take, "lip_corner_pull_L") == pytest.approx([1.0] * 3)
    assert any("2 faces" in note for note in got.notes)


def test_openface_numbers_are_facs(tmp_path: Path) -> None:
    assert set(openface.UNITS) | {23, 25} == {1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45}
    assert openface.CHANNELS_OF[45] == ("eye_close_L", "eye_close_R")
    assert not {23, 25} & set(openface.CHANNELS_OF)


def test_mediapipe_results_of_the_web_api(tmp_path: Path) -> None:
    """Columns of the matrix one after another, centimetres, z towards the camera; turned to the actor's left."""
    angle = np.radians(20.0)
    matrix = np.array(
        [[np.cos(angle), 0, np.sin(angle), 3], [0, 1, 0, 4], [-np.sin(angle), 0, np.cos(angle), -50], [0, 0, 0, 1]]
    )
    shapes = (
        '[{"categories": [{"categoryName": "_neutral", "score": 0.1}, {"categoryName": "eyeBlinkLeft", "score": 0.6}]}]'
    )
    text = (
        f'[{{"timestamp": 40, "faceBlendshapes": {shapes}, "facialTransformationMatrixes": '
        f'[{{"rows": 4, "columns": 4, "data": {matrix.T.ravel().tolist()}}}]}},'
        '{"timestamp": 80, "faceBlendshapes": [], "facialTransformationMatrixes": []}]'
    )
    take = read(lines(tmp_path / "a.json", text)).take
    np.testing.assert_allclose(take.time_s, [0.04, 0.08])
    assert take.found.tolist() == [True, False]
    assert curve(take, "eye_close_L")[0] == pytest.approx(0.6)
    np.testing.assert_allclose(angles_deg(take)[0], [-20, 0, 0], atol=1e-4)
    np.testing.assert_allclose(take.head_position[0], [0.03, -0.04, 0.5], atol=1e-6)


def test_mediapipe_results_of_python(tmp_path: Path) -> None:
    text = (
        '{"frames": [{"timestamp_ms": 0, "face_blendshapes": [[{"category_name": "jawOpen", "score": 0.3}]],'
        ' "facial_transformation_matrixes": [[[1,0,0,1],[0,1,0,2],[0,0,1,-40],[0,0,0,1]]]}]}'
    )
    take = read(lines(tmp_path / "a.json", text)).take
    assert curve(take, "jaw_drop") == pytest.approx(0.3)
    np.testing.assert_allclose(take.head_position[0], [0.01, -0.02, 0.4], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "cells", "times"),
    [
        ("timestamp_ms", (0, 40, 80), (0.0, 0.04, 0.08)),
        ("timestamp", (0, 33, 66), (0.0, 0.033, 0.066)),
        ("timestamp", (1.5, 1.54, 1.58), (1.5, 1.54, 1.58)),
        ("timestamp", (0, 33_333, 66_666), (0.0, 0.033333, 0.066666)),
        ("timestamp", (0, 33_333_333, 66_666_666), (0.0, 0.033333333, 0.066666666)),
        ("timestamp_ms", (1_763_000_000_000, 1_763_000_000_040, 1_763_000_000_080), (0.0, 0.04, 0.08)),
        ("time_s", (0.5, 1.5, 2.5), (0.5, 1.5, 2.5)),
        ("frame", (7, 8, 10), (0.0, 0.02, 0.06)),
    ],
)
def test_tables_of_shapes_by_any_clock(name: str, cells: tuple, times: tuple, tmp_path: Path) -> None:
    rows = [{name: cell, "jawOpen": 0.5, "mouthSmile_L": 0.2, "MouthSmileRight": 0.1} for cell in cells]
    take = read(write_table(tmp_path / "a.csv", rows), rate_hz=50.0).take
    np.testing.assert_allclose(take.time_s, times, atol=1e-6)
    assert take.channels == ("jaw_drop", "lip_corner_pull_L", "lip_corner_pull_R")


def test_own_table_of_means_alone(tmp_path: Path) -> None:
    rows = [{"time_s": at, "upper_lip_raise": 0.4, "jaw_drop": 0.3, "nose_wrinkle": ""} for at in (0.0, 0.1)]
    take = read(write_table(tmp_path / "a.csv", rows)).take
    assert set(take.channels) == {"upper_lip_raise_L", "upper_lip_raise_R", "jaw_drop"}
    assert curve(take, "upper_lip_raise") == pytest.approx([0.4, 0.4])


def test_own_table_counts_frames_as_the_video(tmp_path: Path) -> None:
    rows = [{"frame": frame, "time_s": frame / 25, "jaw_drop": 0.3} for frame in (100, 101)]
    assert read(write_table(tmp_path / "a.csv", rows)).take.first_frame == 100


def test_shapes_of_the_channels() -> None:
    assert len(arkit.SHAPES) == 52
    assert set(live_link_face.SHAPES) == set(arkit.SHAPES)
    assert len(live_link_face.SHAPES) == 52
    assert arkit.CHANNELS_OF["cheekPuff"] == ("cheek_puff_L", "cheek_puff_R")
    assert {each for ids in arkit.CHANNELS_OF.values() for each in ids} == set(channels.PREDICTED_IDS)
    for name in ("EyeBlinkLeft", "eyeBlink_L", "eyeblinkleft", " eyeBlinkLeft "):
        assert arkit.shape_of(name) == "eyeBlinkLeft"
    assert arkit.shape_of("jawLeft") == "jawLeft"
    assert arkit.shape_of("_neutral") is None


def test_halves_of_a_whole_shape_become_their_mean() -> None:
    values = one_sided("cheek_puff_L", 0.8, frames=1)
    weights = arkit.to_shapes(values)
    assert weights[0, arkit.SHAPES.index("cheekPuff")] == pytest.approx(0.4)


def test_gaze_angles_there_and_back() -> None:
    angles = np.radians([[20.0, -10.0], [-30.0, 25.0], [0.0, 0.0]])
    for side in ("L", "R"):
        directions = gaze.directions_of(angles)
        np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1.0)
        np.testing.assert_allclose(gaze.angles_towards(3.0 * directions), angles, atol=1e-12)
        values = np.zeros((3, len(channels.IDS)))
        for way, column in zip(gaze.WAYS, gaze.channels_of(angles, side).T, strict=True):
            values[:, channels.INDEX[f"look_{way}_{side}"]] = column
        np.testing.assert_allclose(gaze.angles_of(values, side), angles, atol=1e-12)


def test_unknown_format_names_the_choices(tmp_path: Path) -> None:
    with pytest.raises(ExchangeError, match="live-link-face"):
        exchange.by_name("bvh")


@pytest.mark.parametrize("form", exchange.FORMATS, ids=name_of)
def test_unwritable_place_is_an_output_error(form: Format, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    take, curves = performance(frames=3)
    with pytest.raises(OutputError):
        exchange.write(take, curves, tmp_path / "file" / "a", form.name)
