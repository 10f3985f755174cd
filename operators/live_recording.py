"""Recording a live performance: a countdown, a take in the scene's list, the scene playing along."""

import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import bpy

from ..au_mocap.errors import AuMocapError, ProfileError
from . import actor_settings, live_source, preferences, take_list

if TYPE_CHECKING:
    from ..au_mocap.live.session import Session
    from ..au_mocap.profile import Profile
    from .capture_properties import AUMOCAP_PG_take

NAME: Final = "Live"


@dataclass(slots=True)
class Countdown:
    """Seconds that the actor has to get ready.

    Attributes:
        purpose: `record` or `calibrate`.
        ends_s: When it is over, in seconds of `time.perf_counter()`.
    """

    purpose: str
    ends_s: float

    @property
    def left_s(self) -> float:
        """Seconds to go; 0 where it is over."""
        return max(self.ends_s - time.perf_counter(), 0.0)


class Playback:
    """The scene's timeline playing beside a recording."""

    def __init__(self, stage: bpy.types.Scene) -> None:
        """Starts to play in real time, from the frame of now.

        Args:
            stage: The scene; where no window shows it, nothing plays.
        """
        self.began_s = time.perf_counter()
        self.first_frame = stage.frame_current
        self._stage = stage.name
        self._sync = stage.sync_mode
        self._latest = stage.frame_current
        self._window = next((each for each in bpy.context.window_manager.windows if each.scene == stage), None)
        self.plays = self._window is not None and not self._window.screen.is_animation_playing
        if self.plays:
            if stage.sync_mode == "NONE":
                stage.sync_mode = "FRAME_DROP"  # every frame played would be slower than the actor
            self._toggle()

    def is_over(self) -> bool:
        """Whether the user stopped it, or it began anew at its end."""
        stage = bpy.data.scenes.get(self._stage)
        if not self.plays or stage is None:
            return False
        before, self._latest = self._latest, stage.frame_current
        return self._latest < before or not self._playing()

    def end(self) -> None:
        """Stop playing."""
        stage = bpy.data.scenes.get(self._stage)
        if self.plays and self._playing():
            self._toggle()
        if self.plays and stage is not None and stage.sync_mode != self._sync:
            stage.sync_mode = self._sync
        self.plays = False

    def _playing(self) -> bool:
        """Whether it plays; a window that was closed meanwhile plays nothing."""
        return self._window in list(bpy.context.window_manager.windows) and self._window.screen.is_animation_playing

    def _toggle(self) -> None:
        with bpy.context.temp_override(window=self._window):
            bpy.ops.screen.animation_play()


@dataclass(slots=True)
class Recording:
    """A recording, from its first frame until its take is stored.

    Attributes:
        scene: Name of the scene that gets the take.
        output: The take to write.
        mirror: Whether the character was shown as a mirror image.
        actor: The profile that it was shown with, for the take.
        playback: The scene that plays along.
        began_s: When its first picture was taken, in seconds of `time.perf_counter()`; None until it is stored.
        problem: What went wrong, for the user.
        note: What the user should know beside that.
        done: Whether the take is stored, or nothing will be.
    """

    scene: str
    output: Path
    mirror: bool
    actor: "Profile | None" = None
    playback: Playback | None = None
    began_s: float | None = None
    problem: str = ""
    note: str = ""
    done: bool = False
    _thread: threading.Thread | None = None

    @property
    def told(self) -> str:
        """What the user should read: empty where all went well."""
        return " ".join(filter(None, (self.problem, self.note)))

    @property
    def is_storing(self) -> bool:
        """Whether it has ended and its take is on its way."""
        return self._thread is not None

    def store(self, session: "Session", *, and_stop: bool = False) -> None:
        """End it, and store the take from a thread of its own: networks run once more over all that was recorded."""
        if self.playback is not None:
            self.playback.end()
        self._thread = threading.Thread(target=self._store, args=(session, and_stop), name="AU Mocap live take")
        self._thread.start()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the take is stored."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _store(self, session: "Session", and_stop: bool) -> None:
        from ..au_mocap.take import save

        try:
            if and_stop:
                session.stop()
            made = session.stop_recording()
            self.note, self.began_s = session.recording_problem, session.recording_began_s
            if made is None:
                self.problem = "Nothing was recorded: no picture came meanwhile."
            else:
                save(made, self.output)
        except AuMocapError as error:
            self.problem = str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not die unseen with the thread
            self.problem = f"The recording could not be stored: {error!r}"
        finally:
            self.done = True

    def into_list(self, context: bpy.types.Context) -> None:
        """Put the stored take into its scene's list; what goes wrong is in `problem`."""
        stage: Any = bpy.data.scenes.get(self.scene)
        if self.problem or stage is None:
            self.problem = self.problem or f"The scene has gone; the recording lies in {self.output}."
            return
        try:
            item = take_list.add(stage, self.output, preferences.get(context).smoothing)
        except AuMocapError as error:
            self.problem = str(error)
            return
        item.mirror = self.mirror
        if self.actor is not None:
            self._tell_of_actor(self.actor, item)
        if self.playback is not None and self.began_s is not None:
            fps = stage.render.fps / stage.render.fps_base
            late = (self.began_s - self.playback.began_s) * fps
            stage.aumocap.bake.start_frame = self.playback.first_frame + late
        if not bpy.app.background:
            bpy.ops.ed.undo_push(message="Record")

    def _tell_of_actor(self, actor: "Profile", item: "AUMOCAP_PG_take") -> None:
        """Give the take what was shown; a neutral of other networks is left out."""
        try:
            try:
                actor_settings.apply(actor, item)
            except ProfileError:
                actor_settings.apply(replace(actor, neutral=None), item)
        except AuMocapError as error:
            self.problem = str(error)


def begin(context: bpy.types.Context, stage: bpy.types.Scene, session: "Session") -> Recording:
    """Begin to record.

    Raises:
        AuMocapError: There is no picture yet, takes cannot be stored, or the actor's profile cannot be read.
    """
    own = stage.aumocap.live
    output = take_list.free_path(preferences.takes_folder(context), Path(NAME))
    video = _free_video(output) if own.keep_video else None
    actor = live_source.profile_of(own) if own.profile else None
    session.record(video)
    made = Recording(stage.name, output, own.mirror, actor)
    if own.play_scene:
        made.playback = Playback(stage)
    return made


def _free_video(output: Path) -> Path:
    """A video beside the take that does not exist yet."""
    stem = output.name.removesuffix(".take.npz")
    path, number = output.with_name(f"{stem}.mp4"), 1
    while path.exists() or path.with_suffix("").exists():
        number += 1
        path = output.with_name(f"{stem} ({number}).mp4")
    return path
