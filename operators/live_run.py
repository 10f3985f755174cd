"""One live preview at work: the newest picture's values on the character, tick by tick.

Pictures and networks have threads of their own (`au_mocap.live`); a tick never waits for them.
Imported at first use: it needs the engine.
"""

import time
from collections import deque
from typing import TYPE_CHECKING, Final

import bpy
import numpy as np

from ..au_mocap import rotations
from ..au_mocap.errors import AuMocapError, LiveError
from . import live_keys, live_recording, live_source, live_trace, settings
from .live_pose import LivePose, moment_of
from .outlets_feed import Feed
from .posing import Remembered
from .redrawing import redraw

if TYPE_CHECKING:
    from ..au_mocap.arrays import Floats
    from ..au_mocap.live.session import LiveFrame
    from .live_properties import AUMOCAP_PG_live
    from .live_recording import Countdown, Recording

_LOOK_AROUND_S: Final = 0.2
"""Between two looks at what seldom changes: the panels, whether the character is still there, the bake settings."""

_STOP_S: Final = 0.5
_MIRRORED: Final = np.array([-1.0, 1.0, 1.0])


class LiveRun:
    """A live preview, from start to end.

    Attributes:
        scene: Name of the scene.
        session: The engine's session.
        regressor: Name of the networks that measure.
        frame: What is shown.
        countdown: What begins soon, if anything.
        recording: What is being recorded or stored, if anything.
        problem: What could not be done; the preview goes on.
        feed: Sends what is shown to another program, where the scene says so.
        skipped: What of the table cannot be shown, and why.
        tick_s: How long the latest ticks that showed a frame took.
        lag_s: How long after its capture each of the latest frames was on the character.
    """

    def __init__(self, context: bpy.types.Context, stage: bpy.types.Scene) -> None:
        """Opens nothing yet; raises AuMocapError where there is nothing to show, or nothing to show it on."""
        self.scene = stage.name
        self.frame: LiveFrame | None = None
        self.countdown: Countdown | None = None
        self.recording: Recording | None = None
        self.regressor: str = stage.aumocap.live.regressor
        self.problem = ""
        self.feed = Feed()
        self.tick_s: deque[float] = deque(maxlen=1000)
        self.lag_s: deque[float] = deque(maxlen=1000)
        self._remembered = Remembered()
        self._pose: LivePose | None = LivePose(stage, self._remembered)
        self.skipped = self._pose.skipped
        self._keys = live_keys.LiveKeys()
        self._keyed = False
        self._origin: tuple[Floats, Floats] | None = None
        self._first_frame = stage.frame_current
        self._looked_s = 0.0
        self._wishes = _wishes(stage.aumocap.live)
        self.session = live_source.session_of(context, stage)

    def tick(self) -> None:
        """Show the newest frame, if there is one; raises AuMocapError where the preview cannot go on."""
        began = time.perf_counter()
        stage = bpy.data.scenes.get(self.scene)
        if stage is None:
            message = "The scene of the live preview has gone: start it in another one."
            raise LiveError(message)
        self._follow_settings(stage)
        self._count_down(stage)
        self._record()
        looks = began - self._looked_s > _LOOK_AROUND_S
        if looks:
            self._looked_s = began
            self._look_around(stage)
        frame = self.session.newest()
        if frame is not None:
            self._show(stage, frame)
        elif self.session.state == "failed":
            raise LiveError(self.session.problem)
        elif self.session.state == "ended":
            message = "The pictures have come to an end: start again, or let the video loop."
            raise LiveError(message)
        if frame is not None or looks:
            redraw(stage.aumocap.live.overlay if frame is not None else "", panels=looks)
        if frame is not None:
            self.tick_s.append(time.perf_counter() - began)

    def renew(self) -> None:
        """Read character and table again with the next frame."""
        self._pose = None

    def put_back(self) -> None:
        """Put the character back; the next frame poses it again."""
        live_trace.put_back()
        self._remembered.before.clear()
        self._pose = None

    def forget_references(self) -> None:
        """Before Blender replaces all data: nothing of it is held. What is posed is noted in the data itself."""
        self._pose = None
        self._remembered.before.clear()
        self._keys = live_keys.LiveKeys()

    def end(self) -> None:
        """Put everything back and let go of the source; a recording is stored."""
        self.put_back()
        self.feed.close()
        self._keys.finish()
        stage = bpy.data.scenes.get(self.scene)
        if stage is not None and (self._keyed or stage.frame_current != self._first_frame):
            stage.frame_set(stage.frame_current, subframe=stage.frame_subframe)  # what is keyed plays again
        if self._keyed and not bpy.app.background:
            bpy.ops.ed.undo_push(message="Live Keys")
        if self.recording is not None and not self.recording.is_storing:
            self.recording.store(self.session, and_stop=True)
        else:
            self.session.stop(_STOP_S)
        redraw(stage.aumocap.live.overlay if stage is not None else "", panels=True)

    def _follow_settings(self, stage: bpy.types.Scene) -> None:
        wishes = _wishes(stage.aumocap.live)
        if wishes != self._wishes:
            self._wishes = wishes
            self.session.settings = live_source.settings_of(stage.aumocap.live)

    def _count_down(self, stage: bpy.types.Scene) -> None:
        if self.countdown is None or self.countdown.left_s > 0.0 or self.session.state != "running":
            return
        purpose, self.countdown = self.countdown.purpose, None
        try:
            if purpose == "calibrate":
                self.session.calibrate()
            else:
                self.recording = live_recording.begin(bpy.context, stage, self.session)
        except AuMocapError as error:
            self.problem = str(error)

    def _record(self) -> None:
        recording = self.recording
        if recording is None:
            return
        if recording.playback is not None and not recording.is_storing and recording.playback.is_over():
            recording.store(self.session)
        if recording.done:
            self.recording = None
            recording.into_list(bpy.context)
            self.problem = recording.told or self.problem

    def _look_around(self, stage: bpy.types.Scene) -> None:
        """Whether what is posed is still what should be; raises SettingsError where the character has gone."""
        chosen, own = settings.character_of(stage)
        if self._pose is not None and not self._pose.fits(chosen, settings.of_bake(stage.aumocap.bake, own, "Live")):
            self.renew()

    def _show(self, stage: bpy.types.Scene, frame: "LiveFrame") -> None:
        self.frame = frame
        self.feed.show_live(stage, frame)
        if bpy.app.is_job_running("RENDER"):
            return  # what is rendered must stand still
        try:
            if self._pose is None:
                self._pose = LivePose(stage, self._remembered)
                self.skipped = self._pose.skipped
            self._pose.show(moment_of(frame, self._counted_from(frame)))
        except ReferenceError:
            self.renew()  # something of the character was deleted: the next frame looks anew
            return
        self.lag_s.append(time.perf_counter() - frame.captured_s)
        if live_keys.is_wanted(stage):
            self._keys.write(self._pose.tracks, stage.frame_current)
            self._keyed = True

    def _counted_from(self, frame: "LiveFrame") -> "tuple[Floats, Floats]":
        """The head's rotation and position from which its moves are counted: of the neutral, else of the first face."""
        mirror = self._wishes[1]
        calibration = self.session.calibration
        if calibration.head_rotation is not None and calibration.head_position is not None:
            self._origin = calibration.head_rotation, calibration.head_position
        elif self._origin is None or not np.isfinite(self._origin[1]).all():
            self._origin = _turned(frame.head_rotation, frame.head_position, mirror)
        return _turned(*self._origin, mirror)


def _turned(rotation: "Floats", position: "Floats", mirror: bool) -> "tuple[Floats, Floats]":
    """A head pose as it is, or as a mirror shows it."""
    return (rotations.mirrored(rotation[None])[0], position * _MIRRORED) if mirror else (rotation, position)


def _wishes(own: "AUMOCAP_PG_live") -> tuple[str, bool, bool, frozenset[str]]:
    return own.smoothing, own.mirror, own.frozen, frozenset(own.muted)
