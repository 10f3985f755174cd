"""The checkout as a registered extension, and an empty scene for each test."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a module (bpy) is not installed")

from training import extension  # noqa: E402 - only where bpy is

if TYPE_CHECKING:
    from operators.demo_head import DemoHead


Properties = Any
"""A property group of the extension: Blender makes its class at registration."""

CLIP = extension.ROOT / "tests" / "data" / "rendered_performance.mp4"


@pytest.fixture(scope="session", autouse=True)
def registered_extension() -> Iterator[ModuleType]:
    """The extension, registered once; unregistered at the end, or bpy hangs when it exits."""
    with extension.registered() as module:
        yield module


@pytest.fixture(autouse=True)
def empty_scene(registered_extension: ModuleType, tmp_path: Path) -> None:
    """Nothing left of the test before; a scene at 24 frames per second, and a folder of its own for takes."""
    del registered_extension
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 24, 1.0
    extension.enable().takes_folder = str(tmp_path / "takes")


@pytest.fixture
def demo_head() -> "DemoHead":
    """The demo head, added to the scene."""
    return extension.module("operators.demo_head").add_demo_head(bpy.context)


@pytest.fixture(scope="session")
def stored_take(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A take of the rendered clip's first second."""
    pipeline, regressors = extension.module("au_mocap.pipeline"), extension.module("au_mocap.regressors")
    registry = extension.module("au_mocap.registry").Registry()
    tracker = extension.module("au_mocap.tracking").open_tracker("onnx", registry, "cpu")
    regressor = regressors.open_regressor(registry, extension.module("au_mocap").DEFAULT_REGRESSOR, "cpu")
    options = pipeline.Extraction(pipeline.Range(0, 30))
    take, _ = pipeline.extract(CLIP, tracker, regressor, options)
    path = tmp_path_factory.mktemp("takes") / "first second.take.npz"
    extension.module("au_mocap.take").save(take, path)
    return path
