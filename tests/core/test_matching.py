"""Finding a character's shape keys by name: what must be found, and what must never be taken for it."""

import random
import time

import numpy as np
import pytest

from au_mocap import channels, mapping, naming
from au_mocap.errors import MappingError
from au_mocap.mapping import ShapeKeyTarget
from au_mocap.matching import Match, match, to_mapping
from tests.core.test_mapping import ARKIT_SHAPES


def found(*names: str) -> dict[str, str]:
    """Names by channel."""
    return {one.channel: one.name for one in match(names)}


def confidence(name: str) -> float:
    matches = match([name])
    assert len(matches) == 1, name
    return matches[0].confidence


def targets(table: mapping.Mapping) -> set[tuple[str, str, float]]:
    """(channel, shape, gain) of a table's rows."""
    return {(row.channel, row.target.name, row.gain) for row in table.rows if isinstance(row.target, ShapeKeyTarget)}


def arkit(change: str = "{}") -> dict[str, str]:
    """ARKit's shapes by their names on a rig."""
    return {change.format(shape): shape for shape in sorted(ARKIT_SHAPES)}


def test_arkits_names_give_the_bundled_table() -> None:
    matches = match(sorted(ARKIT_SHAPES))
    assert {one.name for one in matches} == ARKIT_SHAPES
    assert {one.confidence for one in matches} == {1.0}
    # Where no side of the cheeks is named, one row of the mean says what the bundled table says in two halves.
    bundled = {row for row in targets(mapping.load("arkit")) if row[1] != "cheekPuff"} | {
        ("cheek_puff", "cheekPuff", 1)
    }
    assert targets(to_mapping(matches, "mine")) == bundled


def test_matched_table_plays_a_face_as_the_bundled_one_does() -> None:
    curves = channels.enforce_rules(np.random.default_rng(1).uniform(size=(20, 58)).astype(np.float32))
    own = mapping.evaluate(to_mapping(match(sorted(ARKIT_SHAPES)), "mine"), channels.IDS, curves)
    bundled = mapping.evaluate(mapping.load("arkit"), channels.IDS, curves)
    assert set(own) == set(bundled)
    for target, curve in bundled.items():
        np.testing.assert_allclose(own[target], curve, atol=1e-6)


@pytest.mark.parametrize(
    "change",
    ["Head.{}", "blendShape1.{}", "rig:head|{}", "bs_{}", "Face {}", "A07_{}", "CTRL_expressions_{}", "Wolf3D_{}"],
)
def test_prefixes_are_taken_off(change: str) -> None:
    names = arkit(change)
    plain = match(sorted(ARKIT_SHAPES))
    prefixed = match(list(names))
    assert [(one.channel, names[one.name]) for one in prefixed] == [(one.channel, one.name) for one in plain]
    assert all(0.5 < one.confidence < 0.9 for one in prefixed)


@pytest.mark.parametrize(
    ("left", "right"), [("_L", "_R"), (".L", ".R"), ("_l", "_r"), ("_left", "_RIGHT"), (" Left", " Right")]
)
def test_sides_in_other_spellings(left: str, right: str) -> None:
    names = {
        shape.removesuffix("Left") + left
        if shape.endswith("Left")
        else shape.removesuffix("Right") + right
        if shape.endswith("Right")
        else shape: shape
        for shape in ARKIT_SHAPES
    }
    matches = match(sorted(names))
    assert {(one.channel, names[one.name]) for one in matches} == {
        (one.channel, one.name) for one in match(sorted(ARKIT_SHAPES))
    }
    assert min(one.confidence for one in matches) == 0.9


@pytest.mark.parametrize("name", ["jawOpen", "JawOpen", "jaw_open", "JAW-OPEN", "jaw open", "jawopen", "Jaw.Open"])
def test_case_and_separators_do_not_count(name: str) -> None:
    assert found(name) == {"jaw_drop": name}
    assert confidence(name) == (1.0 if name == "jawOpen" else 0.9)


@pytest.mark.parametrize(
    ("name", "channel_id"),
    [
        ("lip_corner_pull_L", "lip_corner_pull_L"),
        ("LipCornerPull.R", "lip_corner_pull_R"),
        ("Left lip corner stretch", "lip_stretch_L"),  # FEAFA's own names
        ("Jaw slide right", "jaw_slide_R"),
        ("Right eye close", "eye_close_R"),
        ("Cheeks puff", "cheek_puff"),
        ("FEAFA_AU09", "jaw_drop"),
        ("feafa1", "eye_close_L"),
        ("AU09", "nose_wrinkle"),  # FACS counts differently
        ("AU12_L", "lip_corner_pull_L"),
        ("AU12R", "lip_corner_pull_R"),
        ("L_AU01", "inner_brow_raise_L"),
        ("AU45 Left", "eye_close_L"),
        ("AU27", "jaw_drop"),
        ("AD34", "cheek_puff"),
        ("AU10", "upper_lip_raise"),
        ("AU10_R", "upper_lip_raise_R"),
        ("AU26_JawDrop", "jaw_drop"),
        ("AU12_LipCornerPuller_L", "lip_corner_pull_L"),
        ("left_eyeBlink", "eye_close_L"),
        ("A25_Jaw_Open", "jaw_drop"),
        ("A14_Eye_Blink_Left", "eye_close_L"),
        ("mouthUpperUp", "upper_lip_raise"),
        ("browInnerUpRight", "inner_brow_raise_R"),
        ("mouthLeft", "mouth_slide_L"),
        ("Jaw_L", "jaw_slide_L"),
        ("NoseWrinkle_R", "nose_wrinkle_R"),
        ("NoseWrinkler", "nose_wrinkle"),
        ("NoseWrinkler_R", "nose_wrinkle_R"),
        ("Head.L_eyeBlink", "eye_close_L"),
    ],
)
def test_other_names(name: str, channel_id: str) -> None:
    assert found(name) == {channel_id: name}


@pytest.mark.parametrize(
    "name",
    [
        "jawOpen_L", "jawOpenLeft", "left_jawOpen", "L.jawOpen", "Left.jawOpen", "mouthPucker.R", "AU26_L",
        "CheekRaiser", "InnerBrowRaiser", "cheekraiser", "eyeblinkl",
        "eyeBlink", "AU12", "mouthSmile", "Blink", "inner_brow_raise",
        "Left.eyeBlinkRight", "Left_eyeBlinkRight", "R_eyeBlink_L", "eyeBlinkLeftRight", "eyeBlink_L_R",
        "leye:mouthleft.jawOpen", "EyeRight.eyeBlinkLeft", "eyeBlinkLeft_Right",
    ],
)  # fmt: skip
def test_sides_that_do_not_fit_are_never_matched(name: str) -> None:
    assert match([name]) == ()


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "_", "Basis", "Key 1", "jaw", "mouth", "L", "left", "A25", "AU", "AU0", "AU99_L", "AU120_L", "AU28",
        "AU6.3_L", "jawOpen.001", "jawOpenCorrective", "jawOpen_mouthClose", "mouthClose.jawOpen",
        "eyeBlink_L_jawOpen", "AU12_JawDrop", "clench_jaw_L", "\x00", "💋", "чуть", "\uff4aawOpen", "\ud800",
        "a" * 100_000, "_" * 100_000, "." * 100_000 + "jawOpen",
    ],
)  # fmt: skip
def test_junk_is_never_matched(name: str) -> None:
    assert match([name]) == ()


def test_combinations_are_never_matched_however_many_there_are() -> None:
    """Correctives such as jawOpen_mouthFunnel share their beginning as names behind a prefix do."""
    later = ("mouthFunnel", "mouthPucker", "mouthSmileLeft", "tongueOut", "cheekPuff")
    assert match([f"jawOpen_{name}" for name in later]) == ()
    assert match([f"eyeBlink_mouthSmile_{name}" for name in later]) == ()
    assert match([f"AU25_jawOpen_{name}" for name in later]) == ()


def test_unknown_prefix_counts_once_several_actions_share_it() -> None:
    assert match(["hero_jawOpen", "hero_tongueOut"]) == ()
    assert match(["hero_jawOpen", "hero_JawOpen", "hero_jaw_open"]) == ()
    assert len(match(["hero_jawOpen", "hero_tongueOut", "hero_eyeBlinkLeft"])) == 3


def test_surest_name_wins_and_then_the_first() -> None:
    assert found("AU26", "Head.jawOpen", "jaw_open", "jawOpen") == {"jaw_drop": "jawOpen"}
    assert found("Head.jawOpen", "JawOpen", "jaw_open") == {"jaw_drop": "JawOpen"}
    assert found("Beard.jawOpen", "Head.jawOpen") == {"jaw_drop": "Beard.jawOpen"}
    assert found("jawOpen", "jawOpen") == {"jaw_drop": "jawOpen"}


@pytest.mark.parametrize("stem", sorted(channels.SIDES_OF))
def test_sides_are_preferred_to_their_mean_where_both_are_there(stem: str) -> None:
    left, right = channels.SIDES_OF[stem]
    assert found(stem, left, right) == {left: left, right: right}
    assert found(stem, left) == {stem: stem}
    assert found(right) == {right: right}


def test_shape_of_both_sides_without_a_channel_of_its_own() -> None:
    left, right = "inner_brow_raise_L", "inner_brow_raise_R"
    both = {left: "browInnerUp", right: "browInnerUp"}
    assert found("browInnerUp") == both
    assert found("Brow_Inner_Up", "browInnerUp_L") == {left: "Brow_Inner_Up", right: "Brow_Inner_Up"}
    assert found("browInnerUp", "AU1_L", "AU1_R") == {left: "AU1_L", right: "AU1_R"}
    rows = to_mapping(match(["browInnerUp", "jawOpen", "eyeBlinkLeft", "eyeBlinkRight"]), "m").rows
    assert {row.channel: row.gain for row in rows} == {
        left: 0.5, right: 0.5, "jaw_drop": 1.0, "eye_close_L": 1.0, "eye_close_R": 1.0
    }  # fmt: skip


def test_no_name_means_two_things() -> None:
    """Every name that is known leads to its own channel and never to the other side."""
    for name, meaning in naming.squashed_names().items():
        sides = {channels.CHANNELS[channels.INDEX[channel_id]].side for channel_id in meaning.channels}
        if len(meaning.channels) == 2:
            assert sides == {"L", "R"}, name
        elif sides == {"L"}:
            assert "right" not in name, name
        elif sides == {"R"}:
            assert "left" not in name, name
        else:
            assert "left" not in name, name
            assert "right" not in name, name


def _glued(channel_id: str) -> str:
    """Words without separators, as in eyeCloseL."""
    first, *others = channel_id.split("_")
    return first + "".join(other.capitalize() for other in others)


def test_own_ids_are_all_found_and_sides_stay() -> None:
    for spelling in (str, str.upper, lambda name: name.replace("_", " "), _glued):
        names = {spelling(channel_id): channel_id for channel_id in channels.PREDICTED_IDS}
        assert {one.channel: names[one.name] for one in match(list(names))} == {
            channel_id: channel_id for channel_id in channels.PREDICTED_IDS
        }


def test_every_list_gives_a_mapping_that_is_allowed() -> None:
    chance = random.Random(5)
    known = [*sorted(ARKIT_SHAPES), *channels.IDS, *naming.squashed_names()]
    for _ in range(200):
        matches = match(chance.sample(known, 40))
        assert len({one.channel for one in matches}) == len(matches)
        assert [one.channel for one in matches] == sorted((one.channel for one in matches), key=channels.IDS.index)
        assert len(to_mapping(matches, "m").rows) == len(matches)


def test_matches_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(MappingError, match="'cheek_puff' and its sides"):
        to_mapping([Match("cheek_puff", "a", 1.0), Match("cheek_puff_L", "b", 1.0)], "m")
    with pytest.raises(MappingError, match="Unknown channel 'smile'"):
        to_mapping([Match("smile", "a", 1.0)], "m")


@pytest.mark.parametrize("kind", ["random", "humps", "prefixed", "long"])
def test_ten_thousand_hostile_names_take_no_time(kind: str) -> None:
    chance = random.Random(3)
    letters = "aAbBlLrR09_-.: |é\u0130\u00df\U0001f600"
    made = {
        "random": lambda: "".join(chance.choices(letters, k=63)),
        "humps": lambda: "".join(chance.choices(["jaw", "Jaw", "Open", "L", "eyeBlink", "_", ".", "7"], k=25))[:63],
        "prefixed": lambda: f"p{chance.random()}_jawOpen_left_eyeBlink.Mouth_Close",
        "long": lambda: "aB" * 5000,
    }
    names = [made[kind]() for _ in range(10_000)]
    seconds = []
    for _ in range(3):
        started = time.process_time()
        match(names)
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.5
