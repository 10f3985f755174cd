"""Real Blender windows to install the zip in."""

import tempfile
from pathlib import Path

import pytest

from tests.window import chroots


@pytest.fixture(params=sorted(chroots.RELEASES))
def blender(request: pytest.FixtureRequest) -> str:
    """The version of a Blender with a window; skipped where there is none."""
    try:
        chroots.make(chroots.RELEASES[request.param])
    except chroots.ChrootError as error:
        pytest.skip(str(error))
    return request.param


@pytest.fixture(autouse=True)
def results_beside_the_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs leave behind lies in pytest's folders, which pytest clears away after some runs."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
