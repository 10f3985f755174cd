"""Panels, lists and menus: the tab AU Mocap in the 3D viewport's sidebar. They only draw."""

from . import actor, bake, capture, character, live, overlay

_MODULES = (capture, actor, character, bake, live, overlay)  # in working order, which is the order in the sidebar


def register() -> None:
    """Register all panels."""
    for module in _MODULES:
        module.register()


def unregister() -> None:
    """Undo `register`."""
    for module in reversed(_MODULES):
        module.unregister()
