"""The bundled presets: what they name exists on the rigs they are for, sides are right, and speech reads on vowels."""

import re

import numpy as np
import pytest

from au_mocap import channels, mapping
from au_mocap.mapping import BoneTarget, PropertyTarget, Row, ShapeKeyTarget, Target
from tests import rigs

VOWELS = {
    "vrm0": ("A", "I", "U", "E", "O"),
    "vrm1": ("aa", "ih", "ou", "ee", "oh"),
    "vroid": tuple(f"Fcl_MTH_{vowel}" for vowel in "AIUEO"),
    "vrchat": ("vrc.v_aa", "vrc.v_ih", "vrc.v_ou", "vrc.v_e", "vrc.v_oh"),
    "mmd": ("あ", "い", "う", "え", "お"),
}
"""Shape keys for ah, ee, oo, eh and oh."""

_UNSAID_SIDES = {"ウィンク": "ウィンク右", "ウィンク２": "ｳｨﾝｸ２右", "AU61": "AU62"}
_SIDE = re.compile(r"Left|Right|left|right|(?<=[a-zUD_])[LR]$|(?<=_)[LR](?=_)|(?<=\.)[LRlr](?=\.|$)")


def swapped(name: str) -> str:
    """A name with its sides exchanged."""
    both = _UNSAID_SIDES | {right: left for left, right in _UNSAID_SIDES.items()}
    other = {"Left": "Right", "left": "right", "L": "R", "l": "r"}
    other |= {right: left for left, right in other.items()}
    return both.get(name) or _SIDE.sub(lambda found: other[found[0]], name)


def mirrored(row: Row) -> tuple:
    """What a row is on the other side, in a form to compare."""
    target, gain = row.target, row.gain
    if isinstance(target, ShapeKeyTarget):
        target = ShapeKeyTarget(swapped(target.name))
    elif isinstance(target, PropertyTarget):
        target = PropertyTarget(swapped(target.data_path))
    else:
        gain = -gain if target.path == "location" and target.axis == "x" else gain
        target = BoneTarget(swapped(target.bone), target.path, target.axis)
    return channels.mirrored(row.channel), target, round(gain, 9), row.enabled


def evaluated(kind: str, **values: float) -> dict[Target, float]:
    """What a preset makes of one frame in which the given channels act."""
    frame = np.zeros((1, len(channels.IDS)), np.float32)
    for channel_id, value in values.items():
        for each in channels.SIDES_OF.get(channel_id, (channel_id,)):
            frame[0, channels.INDEX[each]] = value
    curves = mapping.evaluate(mapping.load(kind), channels.IDS, channels.enforce_rules(frame))
    return {target: float(np.clip(curve[0], 0.0, 1.0)) for target, curve in curves.items()}


def speech(kind: str, **values: float) -> dict[str, float]:
    """The five vowels' shapes in one frame: a, i, u, e, o."""
    found = evaluated(kind, **values)
    return {vowel: found[ShapeKeyTarget(key)] for vowel, key in zip("aiueo", VOWELS[kind], strict=True)}


def test_every_preset_has_a_list_of_names_and_every_list_a_preset() -> None:
    assert mapping.names() == rigs.KINDS
    assert len(rigs.KINDS) == 16
    titles = [mapping.load(kind).name for kind in rigs.KINDS]
    assert len(set(titles)) == len(titles)
    assert all(source.strip() for kind in rigs.KINDS for source in rigs.read(kind).source)
    assert all(rigs.read(kind).source for kind in rigs.KINDS)


@pytest.mark.parametrize("kind", rigs.KINDS)
def test_what_a_preset_names_exists(kind: str) -> None:
    names = rigs.read(kind)
    for row in mapping.load(kind).rows:
        if isinstance(row.target, ShapeKeyTarget):
            assert row.target.name in names.shape_keys
        elif isinstance(row.target, BoneTarget):
            assert row.target.bone in names.bones
        else:
            assert row.target.data_path in names.properties


@pytest.mark.parametrize("kind", rigs.KINDS)
def test_left_and_right_are_mirror_images(kind: str) -> None:
    rows = mapping.load(kind).rows
    assert sorted(map(repr, map(mirrored, rows))) == sorted(
        repr((row.channel, row.target, round(row.gain, 9), row.enabled)) for row in rows
    )


@pytest.mark.parametrize("kind", rigs.KINDS)
def test_sides_are_the_actors_own(kind: str) -> None:
    """A mirrored preset would be its own mirror image too: the lids tell which side is which."""
    left = {name for name in _lids(kind, "eye_close_L") if swapped(name) != name}
    assert left, "a preset closes one eye"
    for name in left:
        said = re.findall(r"Left|left|(?<=[a-zUD_])L$|(?<=\.)[Ll](?=\.|$)", name)
        assert said or name in _UNSAID_SIDES, name


def _lids(kind: str, channel_id: str) -> list[str]:
    targets = [row.target for row in mapping.load(kind).rows if row.channel == channel_id and row.enabled]
    return [
        target.name
        if isinstance(target, ShapeKeyTarget)
        else target.bone
        if isinstance(target, BoneTarget)
        else target.data_path.strip('[]"')
        for target in targets
    ]


@pytest.mark.parametrize("kind", rigs.KINDS)
def test_every_preset_opens_the_mouth_and_closes_each_eye_alone(kind: str) -> None:
    rows = [row for row in mapping.load(kind).rows if row.enabled]
    for channel_id in ("jaw_drop", "eye_close_L", "eye_close_R"):
        assert any(row.channel == channel_id for row in rows)
    closed = {row.target for row in rows if row.channel == "eye_close_L"}
    assert closed.isdisjoint(row.target for row in rows if row.channel == "eye_close_R")


@pytest.mark.parametrize("kind", rigs.KINDS)
def test_a_neutral_face_moves_nothing(kind: str) -> None:
    assert set(evaluated(kind).values()) == {0.0}


@pytest.mark.parametrize("kind", sorted(VOWELS))
def test_vowels_are_told_apart(kind: str) -> None:
    spoken = {
        "a": speech(kind, jaw_drop=0.8),
        "i": speech(kind, jaw_drop=0.1, lip_stretch_L=0.6, lip_stretch_R=0.6, lower_lip_depress=0.4),
        "u": speech(kind, jaw_drop=0.15, lip_pucker=0.9, lip_funnel=0.2),
        "o": speech(kind, jaw_drop=0.5, lip_funnel=0.8, lip_pucker=0.2),
    }
    for vowel, shapes in spoken.items():
        assert max(shapes, key=shapes.__getitem__) == vowel, shapes
        assert shapes[vowel] > 0.45
        assert sum(shapes.values()) < 1.4, "shapes that add up tear the mouth"
    between = speech(kind, jaw_drop=0.35, lip_stretch_L=0.4, lip_stretch_R=0.4, upper_lip_raise=0.3)
    assert between["e"] > 0.25
    assert between["u"] == between["o"] == 0.0


@pytest.mark.parametrize("kind", sorted(VOWELS))
@pytest.mark.parametrize("drop", [0.1, 0.3, 0.8])
def test_the_mouth_closes_on_m_b_and_p(kind: str, drop: float) -> None:
    """The jaw stays dropped while the lips meet over it."""
    closed = speech(kind, jaw_drop=drop, lips_together=drop, lip_press_L=0.5, lip_press_R=0.5)
    assert max(closed.values()) == 0.0
    half = speech(kind, jaw_drop=drop, lips_together=drop / 2)
    assert half["a"] == pytest.approx(drop / 2)


@pytest.mark.parametrize("kind", ["audio2face", "makehuman", *sorted(VOWELS)])
def test_mouths_without_a_corrective_close_by_dropping_less(kind: str) -> None:
    open_mouth = max(evaluated(kind, jaw_drop=0.6).values())
    assert open_mouth == pytest.approx(0.6)
    shut = {
        target: value
        for target, value in evaluated(kind, jaw_drop=0.6, lips_together=0.6).items()
        if target != ShapeKeyTarget("jawDropLipTowards")
    }
    assert max(shut.values()) == 0.0


@pytest.mark.parametrize("kind", ["rigify", "rigify_legacy", "auto_rig_pro"])
def test_bones_move_by_what_a_human_face_does(kind: str) -> None:
    for row in mapping.load(kind).rows:
        if isinstance(row.target, BoneTarget) and row.target.path == "location" and not row.channel.startswith("look_"):
            assert 0.0003 < abs(row.gain) <= 0.03, row
            assert (row.min, row.max) == ((0.0, 1.0) if row.gain > 0.0 else (-1.0, 0.0))
        if isinstance(row.target, BoneTarget) and row.target.path == "rotation":
            assert 0.1 < row.gain < 0.6
