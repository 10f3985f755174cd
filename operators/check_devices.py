"""Tries every device that networks can run on, for the preferences."""

from pathlib import Path
from typing import ClassVar

import bpy

from ..au_mocap.errors import AuMocapError
from . import devices


class _State:
    """What was found last, and what the last analysis ran on; never stored in a file."""

    lines: ClassVar[tuple[devices.DeviceLine, ...]] = ()
    last: ClassVar[devices.LastAnalysis | None] = None


def lines() -> tuple[devices.DeviceLine, ...]:
    """What was found when the devices were last tried; empty before."""
    return _State.lines


def analysed(last: devices.LastAnalysis) -> None:
    """Note what an analysis ran on; lines that are shown already are renewed."""
    _State.last = last
    if _State.lines:
        _renew()


def _renew() -> None:
    try:
        _State.lines = devices.device_lines(devices.known_devices(), _State.last)
    except AuMocapError as error:
        _State.lines = (devices.DeviceLine(str(error), "ERROR"),)


class AUMOCAP_OT_check_devices(bpy.types.Operator):
    """Tries every device."""

    bl_idname = "aumocap.check_devices"
    bl_label = "Check Devices"
    bl_description = "Try every device that networks can run on, and say why one cannot be used"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Try them: this may start a graphics card, so it waits to be asked."""
        from . import preferences

        folder = preferences.get(context).runtime_folder
        problem = devices.choose_runtime(Path(bpy.path.abspath(folder)) if folder else None)
        if problem:
            _State.lines = (devices.DeviceLine(problem, "ERROR"),)
            self.report({"ERROR"}, problem)
            return {"CANCELLED"}
        _renew()
        return {"FINISHED"}


def register() -> None:
    """Register the operator."""
    bpy.utils.register_class(AUMOCAP_OT_check_devices)


def unregister() -> None:
    """Undo `register`, and forget what was found."""
    _State.lines, _State.last = (), None
    bpy.utils.unregister_class(AUMOCAP_OT_check_devices)
