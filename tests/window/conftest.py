"""Real Blender windows to install the zip in."""

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
