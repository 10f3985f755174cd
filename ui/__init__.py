"""Panels, lists and menus: the tab AU Mocap in the 3D viewport's sidebar. They only draw."""

from . import (
    actor,
    actor_profile,
    annotate,
    bake,
    capture,
    character,
    edits,
    library,
    live,
    looking,
    outlets,
    overlay,
    refine,
    resting,
    review,
    review_overlay,
)

_MODULES = (
    capture,
    actor_profile,
    actor,
    character,
    looking,
    resting,
    review,
    edits,
    bake,
    refine,
    live,
    outlets,
    annotate,
    library,
    overlay,
    review_overlay,
)  # panels in working order, which is the order in the sidebar


def register() -> None:
    """Register all panels."""
    for module in _MODULES:
        module.register()


def unregister() -> None:
    """Undo `register`."""
    for module in reversed(_MODULES):
        module.unregister()
