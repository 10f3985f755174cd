"""Operators, and what they share: reading characters, writing keys."""

from . import bake, demo_head

_MODULES = (demo_head, bake)


def register() -> None:
    """Register all operators."""
    for module in _MODULES:
        module.register()


def unregister() -> None:
    """Undo `register`."""
    for module in reversed(_MODULES):
        module.unregister()
