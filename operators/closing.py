"""What ends with the extension: poses that were only tried, opened takes, thumbnails, helper processes."""

import sys


def forget_all() -> None:
    """Put the character back and drop everything that was opened; modules that were never used stay unused."""
    for name, ending in (
        ("trying", "stop"),
        ("edits", "end"),
        ("fixing", "end"),
        ("loaded", "forget"),
        ("video_look", "unregister"),
        ("devices", "end_runtime"),
    ):
        module = sys.modules.get(f"{__package__}.{name}")
        if module is not None:
            getattr(module, ending)()
