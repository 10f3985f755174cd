"""AU Mocap: from an actor's plain video to an animated face."""

# Nothing is imported out here: test runners import this file without Blender.


def register() -> None:
    """Register operators, then what draws them."""
    from . import operators, ui

    operators.register()
    ui.register()


def unregister() -> None:
    """Undo `register`, in reverse."""
    from . import operators, ui

    ui.unregister()
    operators.unregister()
