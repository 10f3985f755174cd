"""What the preferences say about devices: text alone, drawn by whoever shows it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import bundle

if TYPE_CHECKING:
    from ..au_mocap.devices import DeviceState


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """A line for a panel.

    Attributes:
        text: What it says.
        icon: Name of Blender's icon for it.
    """

    text: str
    icon: str


@dataclass(frozen=True, slots=True)
class LastAnalysis:
    """What the last analysis ran on.

    Attributes:
        providers: `providers` of its session, first the one in charge.
        frames: Frames that it looked at.
        elapsed_s: Seconds that it took.
    """

    providers: Sequence[str]
    frames: int
    elapsed_s: float


def device_lines(states: Sequence["DeviceState"], last: LastAnalysis | None = None) -> tuple[DeviceLine, ...]:
    """Lines for every execution provider and for the last analysis.

    Args:
        states: What `sessions.devices` says. Ask it from a thread or an operator, never first while drawing: it starts
            graphics cards.
        last: The last analysis of this session of Blender, None where there was none.
    """
    reasons = {state.reason for state in states}
    if len(states) > 1 and len(reasons) == 1 and "" not in reasons:  # the whole runtime is at fault: say it once
        lines = [DeviceLine(reasons.pop(), "ERROR")]
    else:
        lines = [_line(state) for state in states]
    if last is not None:
        lines.append(DeviceLine(_last_text(states, last), "INFO"))
    return tuple(lines)


def known_devices() -> "tuple[DeviceState, ...]":
    """What `sessions.devices` says, where the networks' runtime is installed.

    Raises:
        ModelError: It is not.
    """
    from ..au_mocap.errors import ModelError

    try:
        from ..au_mocap import sessions
    except ImportError as error:
        raise ModelError(bundle.explain(error)) from error
    return sessions.devices()


def choose_runtime(folder: Path | None) -> str:
    """Make later analyses use the onnxruntime of a folder, None for the bundled one.

    Returns:
        What is wrong with the folder and what to do; empty where it was taken.
    """
    from ..au_mocap.errors import AuMocapError

    try:
        from ..au_mocap import sessions

        sessions.use_runtime(folder)
    except ImportError as error:
        return bundle.explain(error)
    except AuMocapError as error:
        return str(error)
    return ""


def end_runtime() -> None:
    """End the helper process of a chosen folder, where one runs; for when the extension is switched off."""
    sessions = sys.modules.get(f"{_engine()}.sessions")
    if sessions is not None:
        sessions.close_runtime()
        sessions.use_runtime(None)


def _engine() -> str:
    return f"{__package__.rpartition('.')[0]}.au_mocap"


def _line(state: "DeviceState") -> DeviceLine:
    if state.works:
        return DeviceLine(f"{state.name}: works", "CHECKMARK")
    return DeviceLine(f"{state.name}: {state.reason}", "ERROR" if state.installed else "BLANK1")


def _last_text(states: Sequence["DeviceState"], last: LastAnalysis) -> str:
    provider = last.providers[0] if last.providers else ""
    name = next((state.name for state in states if state.provider == provider), provider or "an unknown device")
    if last.frames <= 0:
        return f"The last analysis ran on {name}"
    return f"The last analysis ran on {name}: {last.elapsed_s / last.frames * 1000:.1f} ms a frame"
