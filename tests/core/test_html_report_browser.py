"""The page in a real browser, where there is one: its script runs under its own policy, and nothing is fetched."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from au_mocap import calibration, channels, html_report
from au_mocap.calibration import Curves, Settings
from au_mocap.html_report import Performance
from tests.core.takes import made_take

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser() -> str:
    found = next((path for path in map(shutil.which, _BROWSERS) if path), None)
    if found is None:
        pytest.skip(f"no browser to open the page with: install one of {', '.join(_BROWSERS)}")
    return found


def test_script_runs_under_the_policy_and_nothing_is_refused(browser: str, tmp_path: Path) -> None:
    take = made_take(40, meta={})
    values = np.zeros((40, 58), np.float32)
    values[:, channels.INDEX["jaw_drop"]] = np.linspace(0, 1, 40)
    pose = take.head_rotation.astype(np.float64), take.head_position.astype(np.float64)
    curves = Curves(take.time_s, values, *pose, calibration.NeutralChoice((), (), 0.0, None))
    html_report.write(Performance("actor", take, curves, Settings()), tmp_path / "a.html")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", (tmp_path / "a.html").as_uri()]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("the browser took more than a minute")
    assert done.returncode == 0, done.stderr[-500:]
    assert '<div class="controls">' in done.stdout, "the script's last line shows the controls"
    assert '<div class="controls" hidden' in (tmp_path / "a.html").read_text(encoding="utf-8")
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert complaints == []
