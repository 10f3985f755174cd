"""Classes that Blender learns of and forgets together."""

from collections.abc import Callable, Sequence
from typing import Any

import bpy


def factory(classes: Sequence[type[Any]]) -> tuple[Callable[[], None], Callable[[], None]]:
    """What registers classes in their order, and what undoes that: Blender's own, whose types deny the result."""
    both: Any = bpy.utils.register_classes_factory(classes)
    return both
