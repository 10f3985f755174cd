"""Panels. They only draw."""

from . import sidebar


def register() -> None:
    """Register all panels."""
    sidebar.register()


def unregister() -> None:
    """Undo `register`."""
    sidebar.unregister()
