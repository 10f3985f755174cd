"""What synthetic performers do and how they are filmed: balance, anatomy, natural speeds, framing and capture."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from au_mocap import rotations
from au_mocap.channels import CHANNELS, PREDICTED_IDS, SIDES_OF, mirrored
from training.synth import camera, capture, expressions, limits, performances, repertoire
from training.synth.limits import INDEX, columns

MIRROR: Final = [INDEX[mirrored(channel_id)] for channel_id in PREDICTED_IDS]
STEP_S: Final = 1 / 30


@pytest.fixture(scope="module")
def stills() -> NDArray[np.float32]:
    return expressions.sample(12_000, np.random.default_rng(1))


@pytest.fixture(scope="module")
def takes() -> NDArray[np.float32]:
    """(50, 100, P) performances of ten seconds."""
    rng = np.random.default_rng(2)
    return np.stack([performances.sample(100, 0.1, rng) for _ in range(50)])


@dataclass(frozen=True)
class Profile:
    """A bare face: nothing but brow, nose, chin and throat."""

    neutral: NDArray[np.float32]
    ipd_m: float = 0.061


@pytest.fixture
def performer() -> Profile:
    rows = [[0.0, -0.023, -0.025], [0.0, 0.034, -0.044], [0.0, 0.1, -0.02], [0.0, 0.18, 0.09]]
    return Profile(np.array(rows, np.float32))


def assert_anatomical(values: NDArray[np.float32]) -> None:
    assert values.dtype == np.float32
    assert values.min() >= 0.0
    assert values.max() <= 1.0
    present = values.reshape(-1, len(PREDICTED_IDS)) > 1e-6
    together = present.T.astype(int) @ present.astype(int)
    assert not together[limits.EXCLUSIONS].any()
    jaw, closed = values[..., INDEX["jaw_drop"]], values[..., INDEX["lips_together"]]
    assert np.all(closed <= jaw)
    puffed = values[..., columns("cheek_puff")].max(axis=-1) > 0.2
    assert np.allclose(closed[puffed], jaw[puffed])
    tongue = values[..., INDEX["tongue_out"]]
    assert np.all(tongue * limits.TONGUE_GAP <= jaw - closed + 1e-6)


# Still expressions


def test_every_channel_is_shown_at_every_level(stills: NDArray[np.float32]) -> None:
    levels = np.ceil(stills * 5).astype(int)
    counts = np.stack([np.bincount(column, minlength=6) for column in levels.T])
    assert counts.min() >= 50, PREDICTED_IDS[counts.min(axis=1).argmin()]
    upper = counts[:, 2:]  # the lowest level holds the traces, too
    assert (upper.max(axis=1) / upper.min(axis=1)).max() < 8
    present = (stills > 0.2).mean(axis=0)
    assert present.max() / present.min() < 10


def test_balanced_frames_are_level_across_intensities() -> None:
    cells = expressions.deal(6_000, np.random.default_rng(3))
    counts = np.zeros((len(expressions.LEADS), expressions.LEVELS))
    for channel_id, level in cells:
        counts[expressions.LEADS.index(channel_id), level] += 1
    assert np.all(counts.max(axis=1) - counts.min(axis=1) <= 2)
    assert expressions.SHARES["balanced"] >= 0.45


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_a_level_is_a_fifth(level: int) -> None:
    rng = np.random.default_rng(4)
    values = np.array([expressions.draw_level(level, rng) for _ in range(500)])
    assert values.min() > (level - 1) / 5
    assert values.max() <= level / 5
    assert np.ptp(values) > 0.18


def test_stills_are_anatomical(stills: NDArray[np.float32]) -> None:
    assert stills.shape == (12_000, len(PREDICTED_IDS))
    assert_anatomical(stills)


def test_stills_repeat_by_seed() -> None:
    first, second = (expressions.sample(200, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, expressions.sample(200, np.random.default_rng(6)))


@pytest.mark.parametrize("count", [0, 1, 20])
def test_small_draws(count: int) -> None:
    assert expressions.sample(count, np.random.default_rng(7)).shape == (count, len(PREDICTED_IDS))


def test_left_and_right_are_alike(stills: NDArray[np.float32]) -> None:
    spread = stills.std(axis=0) / np.sqrt(len(stills))
    assert np.all(np.abs(stills.mean(axis=0) - stills.mean(axis=0)[MIRROR]) < 6 * spread + 1e-6)


def test_many_actions_are_one_sided(stills: NDArray[np.float32]) -> None:
    for stem in ("brow_lower", "lip_corner_pull", "eye_close", "nose_wrinkle", "cheek_puff"):
        left, right = stills[:, columns(stem)].T
        strong = np.maximum(left, right) > 0.4
        assert 0.1 < (np.abs(left - right)[strong] > 0.3).mean() < 0.7


def test_neutral_and_traces_exist(stills: NDArray[np.float32]) -> None:
    acting = stills[:, [INDEX[channel_id] for channel_id in expressions.LEADS]]
    assert (acting.max(axis=1) == 0).mean() > 0.03
    assert ((acting.max(axis=1) > 0) & (acting.max(axis=1) <= expressions.MICRO)).mean() > 0.03


def test_blinks_cover_all_phases(stills: NDArray[np.float32]) -> None:
    left, right = stills[:, columns("eye_close")].T
    blinks = (np.abs(left - right) < 0.1) & (left > 0.02)
    assert np.histogram(left[blinks], 10, (0, 1))[0].min() > 50


def test_gaze_covers_all_directions(stills: NDArray[np.float32]) -> None:
    to_left = stills[:, INDEX["look_out_L"]] - stills[:, INDEX["look_in_L"]]
    up = stills[:, INDEX["look_up_L"]] - stills[:, INDEX["look_down_L"]]
    cells = np.histogram2d(to_left, up, bins=4, range=[[-1, 1], [-1, 1]])[0]
    assert cells.min() > 100


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("jaw_drop", "lower_lip_depress_L"),
        ("lip_press_L", "lower_lip_suck"),
        ("cheek_raise_L", "lid_tighten_L"),
        ("cheek_raise_R", "eye_close_R"),
        ("lid_tighten_L", "eye_close_L"),
        ("brow_lower_L", "nose_wrinkle_L"),
        ("upper_lip_raise_R", "nose_wrinkle_R"),
        ("mouth_slide_L", "jaw_slide_L"),
        ("mouth_slide_L", "jaw_slide_R"),
        ("chin_raise", "upper_lip_shrug"),
        ("lip_pucker", "lip_funnel"),
        ("cheek_puff_L", "lip_press_L"),
        ("cheek_puff_R", "lip_pucker"),
        ("cheek_puff_L", "lower_lip_suck"),
        ("inner_brow_raise_L", "brow_raise_L"),
    ],
)
def test_look_alikes_come_apart_and_together(stills: NDArray[np.float32], first: str, second: str) -> None:
    a, b = stills[:, INDEX[first]], stills[:, INDEX[second]]
    assert ((a > 0.5) & (b < 0.1)).sum() > 50
    assert ((b > 0.5) & (a < 0.1)).sum() > 50
    assert ((a > 0.3) & (b > 0.3)).sum() > 5


# Anatomy


def test_enforcing_is_idempotent_and_symmetric() -> None:
    values = np.random.default_rng(8).random((300, len(PREDICTED_IDS))).astype(np.float32)
    values *= np.random.default_rng(9).random(values.shape) < 0.3
    kept = limits.enforce(values)
    assert_anatomical(kept)
    assert np.allclose(limits.enforce(kept), kept, atol=1e-6)
    assert np.allclose(limits.enforce(values[:, MIRROR]), kept[:, MIRROR], atol=1e-6)


def test_enforcing_is_continuous() -> None:
    rng = np.random.default_rng(10)
    start, end = rng.random((2, len(PREDICTED_IDS))).astype(np.float32)
    way = np.linspace(0, 1, 2000, dtype=np.float32)[:, None]
    path = limits.enforce(start * (1 - way) + end * way)
    assert np.abs(np.diff(path, axis=0)).max() < 0.02


def test_the_stronger_of_two_opponents_remains() -> None:
    row = np.zeros(len(PREDICTED_IDS), np.float32)
    row[INDEX["eye_close_L"]], row[INDEX["lid_raise_L"]] = 0.9, 0.2
    kept = limits.enforce(row)
    assert kept[INDEX["eye_close_L"]] == pytest.approx(0.7)
    assert kept[INDEX["lid_raise_L"]] == 0.0


def test_puffing_closes_the_lips_over_a_dropped_jaw() -> None:
    row = np.zeros(len(PREDICTED_IDS), np.float32)
    row[INDEX["cheek_puff_L"]], row[INDEX["jaw_drop"]] = 0.8, 0.4
    assert limits.enforce(row)[INDEX["lips_together"]] == pytest.approx(0.4)


# Repertoire


def test_action_units_name_channels_of_theirs() -> None:
    facs = {channel.id: channel.facs for channel in CHANNELS}
    for unit, stems in repertoire.AU_CHANNELS.items():
        number = unit.removeprefix("AU")
        for stem in stems:
            numbers = facs[PREDICTED_IDS[columns(stem)[0]]].removeprefix("AU").removeprefix("AD").split("/")
            assert number in numbers or unit == "AU23"


def test_patterns_and_visemes_name_known_actions() -> None:
    known = {*PREDICTED_IDS, *SIDES_OF, *(channel_id[:-2] for channel_id in PREDICTED_IDS if channel_id[-2] == "_")}
    for pattern in repertoire.PATTERNS:
        actions = [action for core in pattern.cores for action in core.split("+")] + list(pattern.company)
        assert {stem for action in actions for stem in repertoire.AU_CHANNELS.get(action, (action,))} <= known
    for shape in repertoire.VISEMES.values():
        assert set(shape) <= known


def test_natural_actions_come_together() -> None:
    rng = np.random.default_rng(11)
    rows = np.stack([repertoire.pattern(rng) for _ in range(3000)])
    for first, second in (("cheek_raise_L", "lip_corner_pull_L"), ("inner_brow_raise_R", "brow_raise_R")):
        assert np.corrcoef(rows[:, INDEX[first]], rows[:, INDEX[second]])[0, 1] > 0.3


def test_lips_meet_in_bilabials() -> None:
    rng = np.random.default_rng(12)
    rows = limits.enforce(np.stack([repertoire.viseme("p b m", rng) for _ in range(50)]))
    assert np.allclose(rows[:, INDEX["lips_together"]], rows[:, INDEX["jaw_drop"]])


# Performances


def test_performances_are_anatomical(takes: NDArray[np.float32]) -> None:
    assert takes.shape == (50, 100, len(PREDICTED_IDS))
    assert_anatomical(takes)


def test_performances_repeat_by_seed() -> None:
    first, second = (performances.sample(30, 0.1, np.random.default_rng(13)) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_short_performances(frames: int) -> None:
    rng = np.random.default_rng(14)
    assert performances.sample(frames, 0.2, rng).shape == (frames, len(PREDICTED_IDS))
    assert performances.head_path(frames, 0.2, rng).shape == (frames, 3)


def test_performances_show_every_channel(takes: NDArray[np.float32]) -> None:
    strongest = takes.max(axis=(0, 1))
    assert strongest.min() > 0.5, PREDICTED_IDS[strongest.argmin()]


def test_an_action_rises_and_falls_in_its_time() -> None:
    times_s = np.arange(0.0, 4.0, 0.001)
    course = performances.envelope(times_s, 0.5, 0.4, 1.0, 0.8)
    assert course[times_s <= 0.5].max() == 0.0
    assert np.allclose(course[(times_s > 0.9) & (times_s < 1.9)], 1.0)
    assert np.allclose(course[times_s > 2.7001], 0.0)
    rates = np.diff(course) / 0.001
    assert rates.max() == pytest.approx(1.875 / 0.4, rel=0.01)
    assert rates.min() == pytest.approx(-1.875 / 0.8, rel=0.01)


def test_actions_move_at_natural_speeds() -> None:
    rng = np.random.default_rng(15)
    fine = np.concatenate([np.diff(performances.sample(1000, 0.005, rng), axis=0) for _ in range(5)]) / 0.005
    brows = np.abs(fine[:, columns("brow_raise") + columns("brow_lower") + columns("inner_brow_raise")])
    assert brows.max() <= 1.875 / performances.ONSET_S[0] * 1.05
    lids = fine[:, columns("eye_close")]
    assert 1.875 / performances.BLINK_CLOSING_S[1] * 0.9 < lids.max() < 1.875 / performances.BLINK_CLOSING_S[0] * 1.2


def test_blinks_have_natural_rates_and_durations() -> None:
    rng = np.random.default_rng(16)
    count, minutes, durations = 0, 0.0, list[float]()
    for _ in range(24):
        lids = performances.sample(2000, 0.005, rng)[:, INDEX["eye_close_L"]]
        shut = np.flatnonzero(np.diff((lids > 0.9).astype(int)) > 0)
        count, minutes = count + len(shut), minutes + 2000 * 0.005 / 60
        for start in shut:
            end = start + 1 + int(np.argmax(lids[start + 1 :] <= 0.9))
            durations.append((end - start) * 0.005)
    assert 8 < count / minutes < 40
    assert 0.02 < np.median(durations) < 0.2


def test_heads_turn_smoothly_within_their_limits() -> None:
    rng = np.random.default_rng(17)
    paths = np.stack([performances.head_path(300, STEP_S, rng) for _ in range(60)])
    limit = np.array([camera.MAX_YAW_RAD, camera.MAX_PITCH_RAD, camera.MAX_ROLL_RAD])
    assert np.all(np.abs(paths) <= limit + 1e-9)
    speed = np.abs(np.diff(paths, axis=1)) / STEP_S
    assert speed.max() <= performances.MOST_HEAD_SPEED_RAD_S
    assert np.abs(paths).max(axis=(0, 1)) == pytest.approx(limit, rel=0.15)
    assert np.median(np.ptp(paths, axis=1)[:, 0]) > np.radians(2)


# Camera


def test_faces_fill_the_picture_and_are_rarely_cut(performer: Profile) -> None:
    rng = np.random.default_rng(18)
    outline = camera.outline(performer)
    height_m = float(np.linalg.norm(outline[1] - outline[0]))
    shares, cuts, distances = list[float](), list[float](), list[float]()
    for _ in range(1500):
        view = camera.view(performer, camera.sample_angles(rng), 320, rng)
        xy = view.project(outline)[:, :2]
        shares.append(height_m * view.focal_px / view.translation[2] / 320)
        cuts.append(max(0.0, -xy.min(), xy.max() - 320) / 320)
        distances.append(view.translation[2])
    assert min(shares) > 0.27
    assert max(shares) < 0.61
    assert np.ptp(shares) > 0.25
    assert 0.005 < np.mean(np.array(cuts) > 0) <= 0.04
    assert max(cuts) < 0.15
    assert min(distances) < 0.31
    assert max(distances) > 2.0


def test_angles_reach_their_limits_and_half_are_near_frontal() -> None:
    rng = np.random.default_rng(19)
    angles = np.abs([camera.sample_angles(rng) for _ in range(3000)]).astype(np.float64)
    limit = np.array([camera.MAX_YAW_RAD, camera.MAX_PITCH_RAD, camera.MAX_ROLL_RAD])
    assert np.all(angles <= limit)
    assert np.all(angles.max(axis=0) > 0.95 * limit)
    assert 0.45 < np.mean(np.all(angles < 0.31 * limit, axis=1)) < 0.6


def test_a_camera_stays_where_it_is_while_the_head_moves(performer: Profile) -> None:
    rng = np.random.default_rng(20)
    path = performances.head_path(60, STEP_S, rng)
    views = camera.sample_lens(rng).views(performer, path, 256, rng)
    assert len(views) == 60
    assert len({(view.focal_px, view.size_px) for view in views}) == 1
    assert np.allclose([view.rotation for view in views], rotations.from_angles(path))
    steps = np.linalg.norm(np.diff([view.translation for view in views], axis=0), axis=1)
    turns = np.abs(np.diff(path, axis=0)).sum(axis=1)
    assert np.all(steps < 0.2 * turns + 0.002)  # no further than the neck's length takes the eyes


# Capture


@pytest.fixture(scope="module")
def picture() -> NDArray[np.uint8]:
    y, x = np.mgrid[:320, :320]
    stripes = 127 + 60 * np.sin(x / 6) * np.cos(y / 9) + 0.2 * (x - 160)
    return np.clip(np.stack([0.7 * stripes, stripes, 1.1 * stripes], axis=-1), 0, 255).astype(np.uint8)


def test_conditions_keep_shape_and_repeat_by_seed(picture: NDArray[np.uint8]) -> None:
    for seed in range(30):
        conditions = capture.sample(np.random.default_rng(seed))
        assert conditions == capture.sample(np.random.default_rng(seed))
        first, second = (capture.apply(picture, conditions, np.random.default_rng(seed)) for _ in range(2))
        assert first.shape == picture.shape
        assert first.dtype == np.uint8
        assert np.array_equal(first, second)


def test_pictures_may_not_be_huge() -> None:
    with pytest.raises(ValueError, match="at most"):
        capture.apply(np.zeros((1100, 20, 3), np.uint8), capture.Conditions(), np.random.default_rng(0))


def test_plain_conditions_change_nothing(picture: NDArray[np.uint8]) -> None:
    seen = capture.apply(picture, capture.Conditions(), np.random.default_rng(0))
    assert np.abs(seen.astype(int) - picture).max() <= 1


def test_noise_is_fresh_in_each_frame(picture: NDArray[np.uint8]) -> None:
    conditions, rng = capture.Conditions(luma_noise=5.0), np.random.default_rng(0)
    first, second = (capture.apply(picture, conditions, rng).astype(int) for _ in range(2))
    assert 5.0 < np.std(first - second) < 9.0


def test_noise_is_stronger_in_the_dark() -> None:
    conditions = capture.Conditions(luma_noise=3.0, chroma_noise=2.0, shadow_noise=4.0)
    dark, light = (
        capture.apply(np.full((256, 256, 3), level, np.uint8), conditions, np.random.default_rng(0)).std()
        for level in (40, 200)
    )
    assert dark > 2.0 * light


@pytest.mark.parametrize(
    "change",
    [
        {"side_px": 100},
        {"defocus_px": 3.0},
        {"motion_px": 12.0},
    ],
)
def test_losses_lose_detail(change: dict[str, float]) -> None:
    y, x = np.mgrid[:320, :320]
    fine = np.repeat((127 + 80 * np.sin(1.3 * x) * np.cos(1.1 * y))[..., None], 3, axis=2).astype(np.uint8)
    seen = capture.apply(fine, capture.Conditions(**change), np.random.default_rng(1))  # type: ignore[arg-type]
    assert seen.std() < 0.8 * fine.std()


@pytest.mark.parametrize("codec", ["jpeg", "webp"])
def test_lower_quality_loses_more(picture: NDArray[np.uint8], codec: capture.Codec) -> None:
    high, low = (
        np.abs(capture.apply(picture, conditions, np.random.default_rng(1)).astype(int) - picture).mean()
        for conditions in (capture.Conditions(codec=codec, quality=quality) for quality in (95, 8))
    )
    assert low > 1.5 * high


def test_grey_clips_are_grey(picture: NDArray[np.uint8]) -> None:
    seen = capture.apply(picture, capture.Conditions(saturation=0.0, chroma_noise=4.0), np.random.default_rng(2))
    assert np.ptp(seen.astype(int), axis=2).max() <= 1


def test_most_clips_are_decent_and_some_are_bad() -> None:
    rng = np.random.default_rng(21)
    clips = [capture.sample(rng) for _ in range(2000)]
    assert 0.06 < np.mean([clip.saturation == 0 for clip in clips]) < 0.14
    faces = np.array([clip.side_px * 0.6 for clip in clips])
    assert 75 < faces.min() < 100
    assert 500 < faces.max() < 620
    assert np.median([clip.luma_noise for clip in clips]) < 2.0
    assert np.quantile([clip.luma_noise for clip in clips], 0.98) > 5.0
    assert {clip.codec for clip in clips} == {"none", "jpeg", "webp"}
    assert min(clip.quality for clip in clips) < 20
