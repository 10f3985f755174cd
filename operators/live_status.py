"""What panel and overlay say of a live preview."""

from dataclasses import dataclass

from . import live


@dataclass(frozen=True, slots=True)
class Status:
    """A live preview in words.

    Attributes:
        text: State, frames per second, latency, confidence in one line.
        told: What the actor is told: a countdown, the search for the neutral, the recording.
        progress: 0..1, how far that is; None where it has no end.
        alert: Why the search for the neutral was refused; empty where it was not.
    """

    text: str
    told: str = ""
    progress: float | None = None
    alert: str = ""


def status() -> Status | None:
    """How the live preview is; None where none is on."""
    run = live.current()
    if run is None:
        return None
    frame = run.frame
    if frame is None or run.session.state == "opening":
        return Status("Opening the camera and the networks…")
    told = run.session.statistics
    face = f"face {100 * frame.confidence:.0f} %" if frame.found else "no face"
    text = f"{told.frames_per_s:.0f} fps, {1000 * told.latency_s:.0f} ms, {face}"
    calibration = run.session.calibration
    if run.countdown is not None:
        what = "Recording" if run.countdown.purpose == "record" else "Rest your face"
        return Status(text, f"{what} in {run.countdown.left_s + 0.5:.0f} s")
    if calibration.state == "running":
        return Status(text, calibration.message, calibration.progress)
    if run.recording is not None:
        frames = run.session.recording
        storing = run.recording.is_storing or frames is None
        return Status(text, "Storing the take…" if storing else f"Recording: {frames} frames")
    return Status(text, alert=calibration.message if calibration.state == "refused" else "")
