"""Registering must not make Blender start late: the heavy packages are loaded when they are first used."""

import pytest

from tests import environments
from tests.bench import start


@pytest.fixture(scope="module", params=start.BLENDERS)
def measured(request: pytest.FixtureRequest) -> dict[str, object]:
    try:
        python = environments.python_of(f"blender{request.param.replace('.', '')}")
    except environments.MissingEnvironmentError as error:
        pytest.skip(str(error))
    return start.measure(python)


def test_registering_loads_no_vision_and_no_networks(measured: dict[str, list[str]]) -> None:
    assert not {"cv2", "onnxruntime"} & set(measured["brought"])


def test_registering_is_quick(measured: dict[str, float]) -> None:
    assert measured["seconds"] * 1000 <= start.LIMIT_MS
