"""What a script can call inside a real Blender window. Imported there as `driver`.

A script defines a generator; Blender goes on drawing and working while it waits:

    import bpy
    import driver

    def steps():
        driver.install(driver.FOLDER / "au_mocap-0.1.0-linux_x64.zip")
        yield from driver.open_tab()
        bpy.ops.aumocap.add_demo_head()
        yield 0.5                                # seconds
        yield lambda: not job.running            # until it is true, for 30 s at most
        yield (lambda: not job.running, 120.0)   # until it is true, for 120 s at most
        driver.record("frames", 60)
        driver.screenshot("panel")

After the last step Blender quits with exit code 0; an exception in a step is recorded and ends it with 3.
"""

import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import bpy

FOLDER = Path(__file__).resolve().parent
EXTENSION = "bl_ext.user_default.au_mocap"
TICK_S = 0.05
PATIENCE_S = 30.0

Wait = float | Callable[[], object] | tuple[Callable[[], object], float] | None
Steps = Generator[Wait, None, None]

_measured: dict[str, Any] = {}


def play(steps: Steps) -> None:
    """Run a script's steps from a timer, then quit."""
    bpy.context.preferences.view.show_splash = False
    bpy.context.preferences.view.smooth_view = 0  # the view jumps at once, so that a screenshot shows where it went
    until, deadline = _pause(0.5), time.monotonic() + PATIENCE_S  # the window is drawn first

    def advance() -> float | None:
        nonlocal until, deadline
        try:
            if not until():
                _check_patience(deadline)
                return TICK_S
            until, deadline = _as_condition(next(steps))
        except StopIteration:
            _finish()
            return None
        except BaseException:  # noqa: BLE001 - whatever it was, the run is over and the test must hear of it
            _fail(steps)
        return TICK_S

    bpy.app.timers.register(advance, first_interval=TICK_S, persistent=True)


def record(key: str, value: Any) -> None:  # noqa: ANN401 - whatever JSON holds
    """Hand a figure or a text to the test: it appears in `Result.json`."""
    _measured[key] = value
    (FOLDER / "measured.json").write_text(json.dumps(_measured, indent=1), encoding="utf-8")


def install(archive: Path) -> None:
    """Install the extension from disk and enable it, as Install from Disk does."""
    done = bpy.ops.extensions.package_install_files(filepath=str(archive), repo="user_default", enable_on_install=True)
    if done != {"FINISHED"} or EXTENSION not in bpy.context.preferences.addons:
        msg = f"{archive.name} was not installed: {done}"
        raise RuntimeError(msg)


def window() -> bpy.types.Window:
    """The window."""
    return bpy.context.window_manager.windows[0]


def area(kind: str = "VIEW_3D") -> bpy.types.Area:
    """The first editor of a kind."""
    return next(one for one in window().screen.areas if one.type == kind)


def region(kind: str = "UI", editor: str = "VIEW_3D") -> bpy.types.Region:
    """A region of an editor: `UI` is the sidebar, `WINDOW` the view itself."""
    return next(one for one in area(editor).regions if one.type == kind)


def viewport() -> AbstractContextManager[Any]:
    """The context in which operators find the 3D viewport: `with driver.viewport(): bpy.ops…`."""
    return bpy.context.temp_override(window=window(), area=area(), region=region("WINDOW"))


def empty_scene() -> None:
    """Remove the cube, the lamp and the camera that every new file has."""
    bpy.data.batch_remove(list(bpy.data.objects))


def look_at(*objects: bpy.types.Object) -> None:
    """Turn the view to the front of some objects and fill it with them. They are selected afterwards."""
    for one in bpy.context.view_layer.objects:
        one.select_set(one in objects)
    with viewport():
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_selected()


PANELS = (
    "capture", "actor", "character", "looking", "resting", "review", "edits", "bake", "live", "sender", "annotate",
    "library",
)  # fmt: skip
"""Panels of the tab in their order; the two after `character` are its own, and `sender` is of `live`."""


@contextmanager
def alone(shown: str) -> Iterator[None]:
    """One panel of the tab with its sub-panels; the others are away meanwhile."""
    classes = {name: getattr(bpy.types, f"AUMOCAP_PT_{name}") for name in PANELS}
    away = [each for name, each in classes.items() if shown not in (name, _parent(each))]
    for each in reversed(away):
        bpy.utils.unregister_class(each)
    try:
        yield
    finally:
        for each in reversed([each for each in classes.values() if each not in away]):
            bpy.utils.unregister_class(each)
        for each in classes.values():  # all of them, in their order; whoever disables the extension expects them
            bpy.utils.register_class(each)


def _parent(panel: Any) -> str:  # noqa: ANN401
    return getattr(panel, "bl_parent_id", "").removeprefix("AUMOCAP_PT_")


def open_tab(category: str = "AU Mocap", width_px: int = 0) -> Steps:
    """Open the sidebar at a tab: `yield from driver.open_tab()`.

    Args:
        category: The tab.
        width_px: Ignored where 0; otherwise the sidebar's edge is dragged until it is about as wide.
    """
    area().spaces.active.show_region_ui = True
    yield lambda: region().width > 1
    yield 0.3
    region().active_panel_category = category
    area().tag_redraw()
    yield lambda: region().active_panel_category == category
    if width_px:
        yield from drag_edge(width_px)
    yield 0.3


def drag_edge(width_px: int) -> Steps:
    """Drag the sidebar's left edge until it is about so wide."""
    bar = region()
    x, y = bar.x, bar.y + bar.height // 3
    _xdotool("mousemove", *_on_screen(x, y))
    yield 0.2
    _xdotool("mousedown", "1")
    for part in range(1, 11):
        _xdotool("mousemove", *_on_screen(x - (width_px - bar.width) * part // 10, y))
        yield 0.05
    _xdotool("mouseup", "1")
    yield 0.3


def click(x: int, y: int, button: int = 1) -> None:
    """Click a place of the window, in Blender's pixels (origin bottom left). Wait before looking at what it did."""
    _xdotool("mousemove", *_on_screen(x, y), "click", str(button))


def point(x: int, y: int) -> None:
    """Move the pointer, in Blender's pixels (origin bottom left)."""
    _xdotool("mousemove", *_on_screen(x, y))


def press(keys: str) -> None:
    """Press keys as xdotool names them, such as `Escape` or `ctrl+z`; they reach what lies under the pointer."""
    _xdotool("key", keys)


def in_sidebar(x: int, y: int) -> tuple[int, int]:
    """Window pixels of a place in the sidebar, from its top left: `driver.click(*driver.in_sidebar(100, 60))`."""
    bar = region()
    return bar.x + x, bar.y + bar.height - y


def screenshot(name: str) -> Path:
    """Draw the window and save what is on the screen as NAME.png, which `Result.screenshot(name)` finds."""
    with bpy.context.temp_override(window=window()):
        bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=1)
    path = FOLDER / f"{name}.png"
    subprocess.run(["import", "-window", "root", str(path)], check=True, timeout=30)
    return path


def _on_screen(x: int, y: int) -> tuple[str, str]:
    """X counts from the top; the window covers the screen."""
    return str(int(x)), str(int(window().height - 1 - y))


def _xdotool(*arguments: str) -> None:
    subprocess.run(["xdotool", *arguments], check=True, timeout=30)


def _pause(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def _as_condition(wait: Wait) -> tuple[Callable[[], object], float]:
    """What to wait for, and until when."""
    now = time.monotonic()
    if wait is None:
        return _pause(TICK_S), now + PATIENCE_S
    if isinstance(wait, tuple):
        return wait[0], now + wait[1]
    if callable(wait):
        return wait, now + PATIENCE_S
    return _pause(wait), now + wait + PATIENCE_S


def _check_patience(deadline: float) -> None:
    if time.monotonic() > deadline:
        msg = "a step waited in vain; its `yield` is above"
        raise TimeoutError(msg)


def _finish() -> None:
    record("finished", value=True)
    bpy.ops.wm.quit_blender()


def _fail(steps: Steps) -> None:
    """Record the exception with the place where the script stood, and end Blender at once."""
    text = traceback.format_exc()
    if steps.gi_frame is not None:
        text = f"{''.join(traceback.format_stack(steps.gi_frame, 1))}{text}"
    record("error", text)
    sys.stderr.write(text)
    sys.stderr.flush()
    try:
        screenshot("error")
    finally:
        os._exit(3)
