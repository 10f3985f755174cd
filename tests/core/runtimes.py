"""Folders with an onnxruntime, real and made up, as users might name them."""

import shutil
import textwrap
from pathlib import Path

import onnxruntime

STAND_IN = """
    import sys
    import numpy

    __version__ = "1.24.4"
    PROVIDERS = ["CPUExecutionProvider"]

    def get_available_providers():
        return PROVIDERS

    class SessionOptions:
        pass

    class Node:
        def __init__(self, name):
            self.name = name

    class InferenceSession:
        def __init__(self, path, options, providers, enable_fallback):
            self.providers = providers

        def get_providers(self):
            return self.providers

        def get_inputs(self):
            return [Node("x")]

        def get_outputs(self):
            return [Node("y")]

        def run(self, wanted, feeds):
            return [2 * feeds["x"]]
"""
"""As much of onnxruntime as a helper needs. Its networks double what they are given."""


def real(folder: Path) -> Path:
    """A folder with the onnxruntime that is installed here, as `pip install --target` would leave it."""
    folder.mkdir(parents=True, exist_ok=True)
    installed = Path(onnxruntime.__file__).parent
    try:
        (folder / "onnxruntime").symlink_to(installed, target_is_directory=True)
    except OSError:  # Windows without the right to
        shutil.copytree(installed, folder / "onnxruntime")
    return folder


def made_up(folder: Path, extra: str = "", base: str = STAND_IN) -> Path:
    """A folder with a package that calls itself onnxruntime: the stand-in, then what is added to it."""
    package = folder / "onnxruntime"
    package.mkdir(parents=True, exist_ok=True)
    code = textwrap.dedent(base) + "\n" + textwrap.dedent(extra)
    (package / "__init__.py").write_text(code, encoding="utf-8")
    return folder
