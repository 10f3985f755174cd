"""An actor's profile: kept, read again, and applied to another take of the same actor."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from au_mocap import calibration, profile
from au_mocap.actor_neutral import ActorNeutral
from au_mocap.calibration import Calibrator, NeutralSettings, Settings
from au_mocap.errors import ProfileError, SettingsError
from au_mocap.profile import Profile
from au_mocap.regressors import Regressor
from au_mocap.shaping import Shaping
from au_mocap.take import Take
from tests.core.command_line import run


def part(take: Take, rows: slice) -> Take:
    arrays = {field.name: getattr(take, field.name) for field in fields(Take)}
    return replace(take, **{name: array[rows] for name, array in arrays.items() if isinstance(array, np.ndarray)})


@pytest.fixture
def actor(single_face_take: Take, regressor: Regressor) -> Profile:
    neutral = Calibrator(single_face_take, regressor).actor_neutral(NeutralSettings())
    assert neutral is not None
    return Profile(
        "Ada", neutral, {"jaw_drop": 1.5}, {"brow_raise_L": 0.1}, Shaping({"lips": 1.25}, {"brows": 0.5}, 0.3)
    )


def document(actor: Profile, **changes: object) -> dict[str, Any]:
    return {**json.loads(json.dumps(profile.to_document(actor))), **changes}


def test_is_the_same_after_saving(actor: Profile, tmp_path: Path) -> None:
    path = tmp_path / "profiles" / "Ada.json"
    profile.save(actor, path)
    read = profile.load(path)
    assert (read.name, read.gains, read.offsets, read.shaping) == (
        actor.name, actor.gains, actor.offsets, actor.shaping,
    )  # fmt: skip
    assert read.neutral is not None
    assert actor.neutral is not None
    for name in ("landmarks", "weight", "embedding"):
        ours, theirs = getattr(read.neutral.neutral, name), getattr(actor.neutral.neutral, name)
        assert (ours.shape, ours.dtype) == (theirs.shape, np.float32)
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)
    assert path.stat().st_size < 60_000
    again = profile.load(path)
    assert again.neutral == read.neutral
    assert hash(again.neutral) == hash(read.neutral)
    assert profile.names(path.parent) == ("Ada",)
    assert profile.names(tmp_path / "nowhere") == ()


def test_gives_another_take_the_actors_neutral(
    actor: Profile, single_face_take: Take, regressor: Regressor, tmp_path: Path
) -> None:
    """The second half smiles throughout: alone, it has no neutral; with the profile it is as in the whole take."""
    profile.save(actor, tmp_path / "ada.json")
    plain = Profile("Ada", profile.load(tmp_path / "ada.json").neutral)
    half = part(single_face_take, slice(40, 72))
    whole = calibration.curves(single_face_take, Settings(smoothing="off"), regressor)
    with_profile = calibration.curves(half, plain.applied(Settings(smoothing="off")), regressor)
    alone = calibration.curves(half, Settings(smoothing="off"), regressor)
    np.testing.assert_allclose(with_profile.values, whole.values[40:72], atol=1e-4)
    assert np.abs(alone.values - whole.values[40:72]).max() > 0.05
    assert with_profile.neutral.confidence == pytest.approx(whole.neutral.confidence, abs=1e-5)
    assert with_profile.neutral.upper_frames == ()


def test_ranges_and_intensity_come_along(actor: Profile) -> None:
    settings = actor.applied(Settings(smoothing="strong", mirror=True, gains={"lip_pucker": 2.0}))
    assert (settings.gains, settings.offsets, settings.shaping) == (actor.gains, actor.offsets, actor.shaping)
    assert (settings.smoothing, settings.mirror) == ("strong", True)
    own = NeutralSettings("frames", (3,))
    assert Profile("Ada").applied(Settings(neutral=own)).neutral == own


def test_a_take_without_a_face_can_have_it(actor: Profile, returning_take: Take, regressor: Regressor) -> None:
    empty = part(returning_take, slice(23, 29))
    curves = calibration.curves(empty, actor.applied(Settings()), regressor)
    assert np.isnan(curves.values).all()


def test_none_is_the_generic_neutral(single_face_take: Take, regressor: Regressor) -> None:
    assert Calibrator(single_face_take, regressor).actor_neutral(NeutralSettings("none")) is None


@pytest.mark.parametrize("change", [{"regressor": "accurate"}, {"version": "0"}])
def test_of_another_regressor_is_refused(
    actor: Profile, change: dict[str, str], single_face_take: Take, regressor: Regressor
) -> None:
    assert actor.neutral is not None
    other = replace(actor, neutral=replace(actor.neutral, **change))
    with pytest.raises(ProfileError, match=r"profile's neutral is for regressor .* take was made with geometry"):
        calibration.curves(single_face_take, other.applied(Settings()), regressor)


def test_of_another_size_is_refused(actor: Profile, single_face_take: Take, regressor: Regressor) -> None:
    assert actor.neutral is not None
    longer = replace(actor.neutral.neutral, embedding=np.zeros(7, np.float32))
    other = replace(actor, neutral=replace(actor.neutral, neutral=longer))
    with pytest.raises(ProfileError, match="holds 7 numbers"):
        calibration.curves(single_face_take, other.applied(Settings()), regressor)


def test_given_without_a_neutral_is_refused() -> None:
    with pytest.raises(SettingsError, match="load the actor's profile"):
        NeutralSettings("given")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"version": 2}, "version is 2"),
        ({"version": True}, "version is True"),
        ({"mood": 1}, "unknown fields 'mood'"),
        ({"name": ""}, "the name must be"),
        ({"name": "a\nb"}, "the name must be"),
        ({"name": 5}, "the name must be"),
        ({"gains": [1]}, "'gains' must hold numbers by name"),
        ({"gains": {"jaw_drop": "2"}}, "'gains' must hold"),
        ({"gains": {"jaw_drop": True}}, "'gains' must hold"),
        ({"gains": {"jaw_drop": 10**400}}, "too large"),
        ({"gains": {"jaw_drop": 99}}, "out of range for jaw_drop"),
        ({"gains": {"jaw": 1}}, "Unknown channels jaw"),
        ({"offsets": {"cheek_puff": 0.1}}, "mean of two sides"),
        ({"intensity": {"ears": 1.0}}, "Unknown regions ears"),
        ({"exaggeration": {"lips": 9}}, "out of range"),
        ({"symmetry": None}, "'symmetry' must hold"),
        ({"neutral": []}, "'neutral' must have the fields"),
        ({"neutral": {"regressor": "x"}}, "'neutral' must have the fields"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(
    actor: Profile, tmp_path: Path, changes: dict[str, object], problem: str
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(document(actor, **changes)), encoding="utf-8")
    with pytest.raises(ProfileError, match=problem):
        profile.load(path)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"landmarks": [[0, 0, 0]]}, "landmarks must be 478 x 3 numbers"),
        ({"landmarks": "far"}, "landmarks must be"),
        ({"weight": [0.5] * 477}, "weight must be 478 numbers"),
        ({"weight": [0.5] * 477 + ["x"]}, "weight must be 478"),
        ({"weight": [2.0] * 478}, "between 0 and 1"),
        ({"weight": [1e39] * 478}, "no finite numbers"),
        ({"embedding": [[1.0]]}, "embedding must be"),
        ({"embedding": [0.0] * 5000}, "embedding must be"),
        ({"confidence": "high"}, "confidence must be a number"),
        ({"confidence": 2}, "between 0 and 1"),
        ({"regressor": 3}, "must be texts"),
    ],
)
def test_what_is_wrong_with_a_neutral_is_told(actor: Profile, changes: dict[str, object], problem: str) -> None:
    assert actor.neutral is not None
    with pytest.raises(ProfileError, match=problem):
        ActorNeutral.from_document({**actor.neutral.to_document(), **changes})


def test_files_that_are_none(tmp_path: Path) -> None:
    for name, content in (("a.json", b"{"), ("b.json", b"[1]"), ("c.json", b'{"version": NaN}'), ("d.json", b"\xff")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ProfileError, match="no actor profile"):
            profile.load(tmp_path / name)
    (tmp_path / "big.json").write_bytes(b" " * (profile.MOST_BYTES + 1))
    with pytest.raises(ProfileError, match="larger than 1 MB"):
        profile.load(tmp_path / "big.json")
    with pytest.raises(ProfileError, match="Cannot read"):
        profile.load(tmp_path / "none.json")
    with pytest.raises(ProfileError, match="Cannot read"):
        profile.load(tmp_path)


def test_the_command_line_takes_one(actor: Profile, stored: Path, tmp_path: Path) -> None:
    path = tmp_path / "ada.json"
    profile.save(replace(actor, gains={"jaw_drop": 0.0}), path)
    done = run("extract", stored, "-o", tmp_path / "with.csv", "--profile", path)
    assert done.code == 0, done.stderr
    header, *rows = (tmp_path / "with.csv").read_text().splitlines()
    jaw = header.split(",").index("jaw_drop")
    assert {float(row.split(",")[jaw]) for row in rows} == {0.0}
    (tmp_path / "bad.json").write_text("{}")
    done = run("extract", stored, "-o", tmp_path / "bad.csv", "--profile", tmp_path / "bad.json")
    assert done.code == 1
    assert "no actor profile" in done.stderr
    assert not (tmp_path / "bad.csv").exists()
