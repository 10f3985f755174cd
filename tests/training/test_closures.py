"""A short performance with known closures: the truth is what is filmed, and contact is found in it again."""

from pathlib import Path

import numpy as np
import pytest

from au_mocap import DEFAULT_REGRESSOR, calibration, contact, pipeline
from au_mocap.channels import PREDICTED_IDS
from au_mocap.registry import Registry
from au_mocap.regressors import features, open_regressor
from au_mocap.smoothing import segments
from au_mocap.tracking import open_tracker
from training import closures, packages
from training.synth.limits import INDEX

SECONDS = 6.0


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> closures.Clip:
    """Six seconds of a person who is in no cast."""
    path = tmp_path_factory.mktemp("closures") / "speaks.mp4"
    try:
        return closures.Clip(path, **closures.film(np.random.default_rng([74, 0]), path, SECONDS))
    except packages.PackageError as error:
        pytest.skip(str(error))


def test_a_performance_speaks_and_blinks_at_natural_speed() -> None:
    values = closures.perform(np.random.default_rng(1))
    assert values.shape == (round(closures.SECONDS * closures.RATE_HZ), len(PREDICTED_IDS))
    assert not values[: round(0.5 * closures.RATE_HZ)].any(), "it begins at rest"
    shut = segments(values[:, INDEX["eye_close_L"]] > 0.95)
    assert len(shut) >= 4
    assert min(stop - start for start, stop in shut) <= 3
    over_a_dropped_jaw = values[:, INDEX["jaw_drop"]] > 0.03
    together = values[:, INDEX["lips_together"]] >= values[:, INDEX["jaw_drop"]] - 1e-4
    assert len(segments(together & over_a_dropped_jaw)) >= 8
    np.testing.assert_array_equal(values, closures.perform(np.random.default_rng(1)))


def test_the_truth_is_what_the_face_does(filmed: closures.Clip) -> None:
    closing = filmed.values[:, [INDEX["eye_close_L"], INDEX["eye_close_R"]]]
    assert filmed.lids[closing > 0.99].max() < 0.05
    assert filmed.lids[:15].min() > 0.95
    pressed = filmed.values[:, INDEX["lip_press_L"]] > 0.19
    assert filmed.lips_m[pressed].max() < 0.0005
    assert filmed.lips_m.max() > 0.003


def test_contact_is_found_in_the_film(filmed: closures.Clip) -> None:
    registry = Registry()
    regressor = open_regressor(registry, DEFAULT_REGRESSOR, "cpu")
    take, _ = pipeline.extract(Path(filmed.path), open_tracker("onnx", registry, "cpu"), regressor)
    curves = calibration.curves(take, calibration.Settings(smoothing="medium", gaps="hold"), regressor)
    assert len(take) == len(filmed.values)
    assert curves.neutral.neutral is not None
    for side in (0, 1):
        closing = curves.values[:, calibration.channels.INDEX[("eye_close_L", "eye_close_R")[side]]]
        for start, stop in segments(filmed.lids[:, side] < 0.05):
            assert closing[start - 1 : stop + 1].max() > 0.99
        assert closing[contact.gaps(features(take).landmarks, contact._LIDS[side]) > 0.12].max() < 0.8
    jaw, together = (curves.values[:, calibration.channels.INDEX[name]] for name in ("jaw_drop", "lips_together"))
    parted = jaw - together
    for start, stop in segments(filmed.lips_m < 0.0003):
        assert parted[start - 1 if start else 0 : stop + 1].min() < 1e-3
    assert np.median(parted[filmed.lips_m > 0.004]) > 0.04
