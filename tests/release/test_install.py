"""The zip, installed from disk into Blenders that have nothing but numpy: what it brings must do the whole job."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from release import ReleaseError, build
from tests import environments

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("performance.py")
CLIP = ROOT / "tests" / "data" / "rendered_performance.mp4"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the zip that is built here is the one for Linux")


@pytest.fixture(params=["4.2", "4.5", "5.0"])
def python(request: pytest.FixtureRequest) -> Path:
    """A Python with a Blender of that version, and neither cv2 nor onnxruntime."""
    try:
        return environments.python_of(f"blender{request.param.replace('.', '')}")
    except environments.MissingEnvironmentError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def windows_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_zip(tmp_path_factory.mktemp("windows"), "windows-x64", "3.11")


@pytest.fixture(scope="module")
def later_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without wheels for the Python of the Blenders here."""
    return build_zip(tmp_path_factory.mktemp("later"), "linux-x64", "3.13")


def build_zip(folder: Path, platform: str, version: str) -> Path:
    order = build.Order(ROOT, folder, Path(sys.executable), platforms=(platform,), pythons=(version,))
    try:
        return build.build(order)[0]
    except ReleaseError as error:
        if "could not fetch" in str(error):
            pytest.skip(str(error))
        raise


def run(python: Path, user: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    """Run the script with a user folder of its own, away from the checkout."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment["BLENDER_USER_RESOURCES"] = str(user)
    user.mkdir(exist_ok=True)
    command = [str(one) for one in (python, "-P", SCRIPT, *arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=user, timeout=240)


def found_by(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    """What the script found."""
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    assert done.returncode == 0, done.stdout + done.stderr
    assert lines, done.stdout + done.stderr
    return json.loads(lines[-1].removeprefix("FOUND "))


def test_the_zip_alone_does_the_main_job(python: Path, built_zip: Path, tmp_path: Path) -> None:
    user = tmp_path / "blender"
    installed = found_by(run(python, user, "install", built_zip))
    assert installed["done"]
    assert installed["enabled"]
    done = run(python, user, "perform", CLIP, tmp_path)
    found = found_by(done)
    packages = str(user / "extensions" / ".local")
    assert found["origins"]["cv2"].startswith(packages)
    assert found["origins"]["onnxruntime"].startswith(packages)
    assert not found["origins"]["numpy"].startswith(str(user)), "numpy is Blender's own"
    assert len(found["moving"]) >= 10, found
    assert found["turns"]
    assert "Traceback" not in done.stdout + done.stderr


def test_a_zip_for_another_platform_is_refused_by_blender(python: Path, windows_zip: Path, tmp_path: Path) -> None:
    done = run(python, tmp_path / "blender", "install", windows_zip)
    assert not found_by(done)["enabled"]
    assert "This platform (linux-x64) isn't one of (windows-x64)" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_zip_for_another_python_is_refused_by_blender(python: Path, later_zip: Path, tmp_path: Path) -> None:
    done = run(python, tmp_path / "blender", "install", later_zip)
    assert "This Python version (3.11) isn't compatible with (3.13)" in done.stdout + done.stderr
    assert "FOUND" not in done.stdout
