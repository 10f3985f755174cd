"""What is shown live or by the preview, on its way to another program. Imported at first use: it needs the engine."""

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np

from ..au_mocap.errors import LiveError
from ..au_mocap.live import packets, sending

if TYPE_CHECKING:
    from ..au_mocap.arrays import Floats
    from ..au_mocap.calibration import Curves
    from ..au_mocap.live.session import LiveFrame


class Feed:
    """Sends as a scene's settings say, which may change at any time; it never raises and never waits.

    Attributes:
        problem: What does not work, for the user; empty where all is well, or nothing is to be sent.
    """

    def __init__(self) -> None:
        """Sends nothing yet."""
        self.problem = ""
        self._wish: tuple[Any, ...] | None = None
        self._sender: sending.Sender | None = None

    def show_live(self, stage: bpy.types.Scene, frame: "LiveFrame") -> None:
        """Send a frame of a live session, as it is on the character."""
        face = packets.Face(frame.values, frame.head_rotation, frame.head_position, frame.found)
        self._send(stage, face, lambda: sending.time_of_day(frame.captured_s))

    def show_face(self, stage: bpy.types.Scene, face: packets.Face) -> None:
        """Send a face with the scene's frame and rate."""
        self._send(stage, face, lambda: _scene_time(stage))

    @property
    def sent(self) -> int:
        """Datagrams that went out since the settings last changed."""
        return 0 if self._sender is None else self._sender.sent

    def close(self) -> None:
        """Send no more."""
        sender, self._sender = self._sender, None
        self._wish, self.problem = None, ""
        if sender is not None:
            sender.close()

    def _send(self, stage: bpy.types.Scene, face: packets.Face, at: Any) -> None:  # noqa: ANN401
        self._follow(stage.aumocap_sender)
        if self._sender is not None:
            self._sender.send(face, at())
            self.problem = self._sender.problem

    def _follow(self, own: bpy.types.PropertyGroup) -> None:
        wish = (own.use, own.form, own.address, own.port, own.subject)
        if wish == self._wish:
            return
        self.close()
        self._wish = wish
        if own.use:
            try:
                self._sender = sending.Sender(sending.Target(own.form, own.address, own.port, own.subject))
            except LiveError as error:
                self.problem = str(error)


class CurvesFeed:
    """Sends a take's curves as the timeline plays them."""

    def __init__(self, frames: "Floats", curves: "Curves") -> None:
        """Takes the (T,) scene frames of the curves' rows; frames without a face are bridged."""
        known = np.isfinite(curves.values).all(axis=1)
        self._frames = frames[known]
        # Quaternions between two known ones run straight: nearer than a packet's float tells, at the usual rates.
        columns = (curves.values, curves.head_rotation, curves.head_position)
        self._rows = [np.asarray(rows[known], np.float64) for rows in columns]
        self._feed = Feed()

    @property
    def problem(self) -> str:
        """What does not work, for the user."""
        return self._feed.problem

    @property
    def sent(self) -> int:
        """Datagrams that went out since the settings last changed."""
        return self._feed.sent

    def show(self, stage: bpy.types.Scene) -> None:
        """Send what belongs to the scene's frame: between two known ones a blend, beyond the ends the last one."""
        if not stage.aumocap_sender.use or not len(self._frames):
            self._feed.close()
            return
        values, rotation, position = (self._at(rows, stage.frame_current_final) for rows in self._rows)
        length = float(np.linalg.norm(rotation))
        rotation = rotation / length if length > 0.0 else rotation
        self._feed.show_face(stage, packets.Face(values, rotation, position))

    def close(self) -> None:
        """Send no more."""
        self._feed.close()

    def _at(self, rows: "Floats", frame: float) -> "Floats":
        after = int(np.clip(np.searchsorted(self._frames, frame), 0, len(self._frames) - 1))
        before = max(after - 1, 0)
        gap = float(self._frames[after] - self._frames[before])
        place = min(max((frame - float(self._frames[before])) / gap, 0.0), 1.0) if gap > 0.0 else 1.0
        return (1.0 - place) * rows[before] + place * rows[after] if place < 1.0 else rows[after]


def _scene_time(stage: bpy.types.Scene) -> packets.FrameTime:
    # The base is a float32: what it is meant to be has few digits, such as 1.001.
    rate = stage.render.fps / Fraction(stage.render.fps_base).limit_denominator(10_000)
    frame = stage.frame_current_final
    whole = math.floor(frame)
    return packets.FrameTime(whole, frame - whole, rate.numerator, rate.denominator)
