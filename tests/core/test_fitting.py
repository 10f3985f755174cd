"""Presets on characters that spell their names in their own way; what must never be taken for something else."""

import dataclasses
import random
import time

import pytest

from au_mocap import fitting, mapping
from au_mocap.fitting import UNKNOWN, Controls
from au_mocap.mapping import BoneTarget, Mapping, PropertyTarget, Row, ShapeKeyTarget
from tests import rigs

PRESETS = [mapping.load(kind) for kind in rigs.KINDS]
KEYED = [kind for kind in rigs.KINDS if rigs.read(kind).shape_keys]


def controls(kind: str, change: str = "{}") -> Controls:
    names = rigs.read(kind)
    keys = tuple(change.format(name) for name in names.shape_keys)
    return Controls(keys, frozenset(names.bones), frozenset(names.properties))


def keys_of(table: Mapping) -> dict[str, set[str]]:
    """Names of shape keys by channel."""
    found: dict[str, set[str]] = {}
    for row in table.rows:
        if isinstance(row.target, ShapeKeyTarget):
            found.setdefault(row.channel, set()).add(row.target.name)
    return found


def table(*pairs: tuple[str, str]) -> Mapping:
    return Mapping("Mine", tuple(Row(channel, ShapeKeyTarget(name)) for channel, name in pairs))


@pytest.mark.parametrize("kind", rigs.KINDS)
def test_every_rig_gets_its_own_preset(kind: str) -> None:
    own = mapping.load(kind)
    shuffled = random.Random(4).sample(PRESETS, len(PRESETS))
    found = fitting.by_name(shuffled, controls(kind))
    assert found.mapping == own
    assert set(found.confidences) == {1.0}


@pytest.mark.parametrize("kind", KEYED)
@pytest.mark.parametrize("change", ["Head.{}", "Face_Blendshape.{}", "hero_{}", "Body|{}"])
def test_a_prefix_that_all_names_share_is_taken_off(kind: str, change: str) -> None:
    fitted = fitting.fit(mapping.load(kind), controls(kind, change))
    assert fitted.share == 1.0
    assert {sure for row, sure in zip(fitted.mapping.rows, fitted.confidences, strict=True) if _is_key(row)} == {0.8}
    plain = {(row.channel, change.format(row.target.name)) for row in mapping.load(kind).rows if _is_key(row)}
    assert {(row.channel, row.target.name) for row in fitted.mapping.rows if _is_key(row)} == plain


def _is_key(row: Row) -> bool:
    return isinstance(row.target, ShapeKeyTarget)


@pytest.mark.parametrize(
    ("kind", "spelling"),
    [
        *((kind, "words") for kind in ("cc4", "audio2face", "roblox", "makehuman", "metahuman", "vrm1")),
        ("cc4", "capitals"), ("makehuman", "capitals"),  # the others tell their words apart by capitals
        ("makehuman", "underscores"),
    ],
)  # fmt: skip
def test_other_spellings_are_found(kind: str, spelling: str) -> None:
    spell = {
        "words": lambda name: name.replace("_", " "),
        "capitals": str.upper,
        "underscores": lambda name: name.replace("-", "_"),
    }[spelling]
    names = rigs.read(kind).shape_keys
    spelled = tuple(map(spell, names))
    fitted = fitting.fit(mapping.load(kind), Controls(spelled, frozenset(rigs.read(kind).bones)))
    assert fitted.share == 1.0
    back = dict(zip(spelled, names, strict=True))
    for before, row in zip(mapping.load(kind).rows, fitted.mapping.rows, strict=True):
        if _is_key(row):
            assert back[row.target.name] == before.target.name


def test_half_width_japanese_is_the_same() -> None:
    names = tuple(
        name.replace("ｳｨﾝｸ２右", "ウィンク2右").replace("ウィンク２", "ｳｨﾝｸ2") for name in rigs.read("mmd").shape_keys
    )
    found = keys_of(fitting.fit(mapping.load("mmd"), Controls(names)).mapping)
    assert found["eye_close_L"] == {"ウィンク", "まばたき", "ｳｨﾝｸ2"}
    assert found["eye_close_R"] == {"ウィンク右", "まばたき", "ウィンク2右"}


@pytest.mark.parametrize(
    "name",
    [
        "Smile_R", "Smile.R.001", "Smile.L.001", "R_Smile_L", "Right.Smile_L", "SmileLR", "smile_left_right",
        "Smile", "SmileL", "Smiler_L2", "Left_Smile_R", "jawOpen_Smile_L", "", "_", "L", "Smile_L" * 60,
    ],
)  # fmt: skip
def test_traps_are_not_taken_for_the_left(name: str) -> None:
    """Only the last word of `SmileL` is a side in itself; it is the one that may be taken."""
    wanted = table(("lip_corner_pull_L", "Smile_L"))
    fitted = fitting.fit(wanted, Controls((name, f"p_{name}", f"Head.{name}")))
    taken = [row.target.name for row, sure in zip(fitted.mapping.rows, fitted.confidences, strict=True) if sure >= 0]
    assert taken in ([], ["SmileL"])


def test_mirrored_names_never_change_sides() -> None:
    """A rig that has only its right half gives nothing to the left."""
    for kind in ("cc4", "metahuman", "audio2face", "roblox", "makehuman", "vrm0", "vrm1"):
        preset = mapping.load(kind)
        right = tuple(
            row.target.name for row in preset.rows if _is_key(row) and row.channel.endswith("_R") and row.gain == 1.0
        )
        found = fitting.by_name(PRESETS, Controls(right)).mapping
        wrong = [row for row in found.rows if row.channel.endswith("_L") and row.gain == 1.0]
        assert not wrong, (kind, wrong)


def test_correctives_are_not_a_prefix() -> None:
    wanted = table(
        ("lip_pucker", "Pucker"), ("lip_funnel", "Funnel"), ("tongue_out", "Tongue"), ("jaw_drop", "JawOpen")
    )
    correctives = Controls(("JawOpen_Pucker", "JawOpen_Funnel", "JawOpen_Tongue", "JawOpen_Cheeks"))
    assert fitting.fit(wanted, correctives).found().mapping.rows == ()


def test_two_of_a_kind_are_no_prefix() -> None:
    wanted = table(("lip_pucker", "Pucker"), ("lip_funnel", "Funnel"), ("tongue_out", "Tongue"))
    assert fitting.fit(wanted, Controls(("a_Pucker", "a_Funnel", "b_Tongue"))).share == 0.0
    assert fitting.fit(wanted, Controls(("a_Pucker", "a_Funnel", "a_Tongue"))).share == 1.0


def test_names_that_only_spelling_tells_apart_are_left_alone() -> None:
    wanted = table(("jaw_drop", "Mouth_Open"), ("lip_funnel", "mouth open"))
    assert fitting.fit(wanted, Controls(("MouthOpen",))).share == 0.0
    assert fitting.fit(wanted, Controls(("mouth open",))).confidences == (UNKNOWN, 1.0)


def test_exact_names_come_before_prefixed_ones() -> None:
    wanted = table(("lip_pucker", "Pucker"), ("lip_funnel", "Funnel"), ("tongue_out", "Tongue"), ("jaw_drop", "Jaw"))
    body = ("Pucker", "Funnel", "Tongue", "Jaw")
    beard = tuple(f"Beard_{name}" for name in body)
    assert fitting.fit(wanted, Controls(beard + body)).mapping == wanted


def test_more_than_one_kind_of_names_covers_more() -> None:
    """A VTuber's head has ARKit's shapes beside the vowels: the wider preset is taken, and it alone."""
    names = rigs.read("arkit").shape_keys + rigs.read("vrm0").shape_keys
    found = fitting.by_name(PRESETS, Controls(names))
    assert found.mapping == mapping.load("arkit")
    vowels = fitting.by_name(PRESETS, Controls((*rigs.read("vrm0").shape_keys, "jawForward", "noseSneerLeft")))
    assert vowels.mapping.name == fitting.BY_NAME
    assert {row.target.name for row in vowels.mapping.rows if row.channel in ("jaw_thrust", "nose_wrinkle_L")} == {
        "jawForward",
        "noseSneerLeft",
    }
    assert len(vowels.mapping.rows) == len(mapping.load("vrm0").rows) + 2


def test_used_channels_are_not_used_again() -> None:
    names = Controls(rigs.read("vrm1").shape_keys)
    free = fitting.by_name(PRESETS, names, used=("eye_close_L", "lower_lip_depress_L", "jaw_drop"))
    used = {row.channel for row in free.mapping.rows}
    assert used.isdisjoint({"eye_close_L", "jaw_drop", "lower_lip_depress"})
    assert "eye_close_R" in used
    assert ShapeKeyTarget("aa") not in {row.target for row in free.mapping.rows}, "only what held it back was left"


def test_bones_and_properties_are_found_as_they_are_written() -> None:
    wanted = Mapping(
        "Bones",
        (
            Row("jaw_drop", BoneTarget("jaw", "rotation", "x")),
            Row("lip_pucker", PropertyTarget('["pucker"]')),
            Row("tongue_out", PropertyTarget('["tongue"]', "Other")),
            Row("lip_funnel", ShapeKeyTarget("Funnel", "Beard")),
        ),
    )
    fitted = fitting.fit(wanted, Controls((), frozenset({"Jaw"}), frozenset({'["Pucker"]'})))
    assert fitted.confidences == (UNKNOWN, UNKNOWN, 1.0, UNKNOWN)
    fitted = fitting.fit(wanted, Controls(("Funnel",), frozenset({"jaw"}), frozenset({'["pucker"]'})))
    assert fitted.confidences == (1.0, 1.0, 1.0, 1.0)
    assert fitted.covered == {"jaw_drop", "lip_pucker", "tongue_out", "lip_funnel"}


def test_nothing_fits_nothing() -> None:
    for empty in (Controls(), Controls(("Basis", "Key 1", "\x00", "💋", "a" * 100_000, "A", "E"))):
        assert fitting.by_name(PRESETS, empty).mapping.rows == ()
        assert fitting.by_name([], empty).mapping.rows == ()
    assert fitting.fit(Mapping("Empty", ()), Controls(("jawOpen",))).share == 0.0


@pytest.mark.parametrize("kind", ["vrm0", "vrm1", "vroid", "vrchat", "mmd"])
def test_vowels_and_blinks_are_enough(kind: str) -> None:
    """Expressions of the whole face are often clips of the engine and no shape keys."""
    preset = mapping.load(kind)
    asked = {"jaw_drop", "lip_pucker", "lip_funnel", "lip_stretch_L", "eye_close_L", "eye_close_R"}
    needed = {row.target.name for row in preset.rows if row.enabled and _is_key(row) and row.channel in asked}
    assert len(needed) == 7
    found = fitting.by_name(PRESETS, Controls(tuple(sorted(needed))))
    assert found.mapping.name == preset.name
    assert {row.target.name for row in found.mapping.rows if row.enabled} == needed


def test_rows_out_of_use_do_not_count() -> None:
    off = dataclasses.replace(table(("jaw_drop", "a"), ("lip_pucker", "b")).rows[0], enabled=False)
    fitted = fitting.fit(Mapping("Off", (off,)), Controls(("a",)))
    assert (fitted.share, fitted.covered) == (0.0, frozenset())


def test_thousands_of_names_take_no_time() -> None:
    chance = random.Random(3)
    known = [name for kind in KEYED for name in rigs.read(kind).shape_keys]
    names = tuple(f"{chance.choice(known)}{chance.choice(['', '_L', '.R', ' 2'])}" for _ in range(3000))
    seconds = []
    for _ in range(3):
        started = time.process_time()
        fitting.by_name(PRESETS, Controls(names))
        seconds.append(time.process_time() - started)
    assert min(seconds) < 2.0
