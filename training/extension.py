"""The checkout as Blender's extension, for scripts and tests that run in the `bpy` module.

Inside Blender the engine is `bl_ext.user_default.au_mocap.au_mocap`. What works with the extension reaches the engine
through it, or there would be two copies of every class.
"""

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGE: Final = "bl_ext.user_default.au_mocap"


def load() -> ModuleType:
    """The extension's root package, imported from this checkout under the name that Blender gives it."""
    if PACKAGE in sys.modules:
        return sys.modules[PACKAGE]
    for name in ("bl_ext", "bl_ext.user_default"):
        if name not in sys.modules:
            package = ModuleType(name)
            package.__path__ = []
            sys.modules[name] = package
    spec = importlib.util.spec_from_file_location(PACKAGE, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = module
    spec.loader.exec_module(module)
    return module


def module(name: str) -> ModuleType:
    """A module of the extension, such as `operators.keying` or `au_mocap.take`."""
    load()
    return importlib.import_module(f"{PACKAGE}.{name}")


@contextlib.contextmanager
def registered() -> Iterator[ModuleType]:
    """The extension, registered; unregistered at the end, since a leaked operator hangs bpy when it exits."""
    extension = load()
    extension.register()
    enable()
    try:
        yield extension
    finally:
        extension.unregister()


def enable() -> Any:  # noqa: ANN401 - the extension's AddonPreferences
    """The extension's preferences, made where they are missing, as enabling it in Blender's preferences would."""
    import bpy

    addons = bpy.context.preferences.addons
    if PACKAGE not in addons:
        addons.new().module = PACKAGE
    return addons[PACKAGE].preferences
