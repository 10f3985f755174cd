"""What an artist chooses about a bake: where the keys go, what is baked, how video time becomes scene time."""

import math
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ..au_mocap.arrays import Floats
from ..au_mocap.errors import SettingsError

Destination = Literal["new", "active", "nla"]
Timing = Literal["seconds", "frames"]
OverBody = Literal["add", "replace"]
Moves = Literal["size", "metres"]
Driven = Literal["skip", "mute"]

FACINGS: Final = ("auto", "-Y", "+Y", "+X", "-X", "+Z", "-Z")
"""Where a character looks at rest, in the axes of its armature object; `auto` finds it."""

MIN_SPEED: Final = 0.01
MAX_SPEED: Final = 100.0


def _check_choice(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        message = f"Unknown {what} '{value}': use {', '.join(known)}."
        raise SettingsError(message)


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """Which bones follow the actor's head, and how.

    Attributes:
        rotation: Whether neck and head turn.
        position: Whether the head moves, too; the nearest bone from the neck upwards that is free to move takes it.
        head_bone: Name of the head bone; empty takes the character's own.
        neck_bone: Name of the neck bone; empty takes the character's own.
        neck_share: 0..1, the neck's part of the head's turn, shared by all of its bones.
        facing: Where the character looks at rest: one of `FACINGS`.
        over_body: What happens where other animation turns or moves these bones: `add` puts the performance on top of
            it, `replace` in its place. The other animation's own keys are kept either way.
        moves: How far the head moves: `size` by the character's eye distance, which is 63 mm for the actor, `metres`
            as far as the actor's did.
    """

    rotation: bool = True
    position: bool = False
    head_bone: str = ""
    neck_bone: str = ""
    neck_share: float = 0.3
    facing: str = "auto"
    over_body: OverBody = "add"
    moves: Moves = "size"

    def __post_init__(self) -> None:
        """Checks the range, and that something follows; raises SettingsError."""
        if not (self.rotation or self.position):
            message = "The head neither turns nor moves: switch on one of them, or leave the head out."
            raise SettingsError(message)
        if not 0.0 <= self.neck_share <= 1.0:
            message = f"The neck's share must lie between 0 and 1, not {self.neck_share:g}."
            raise SettingsError(message)
        _check_choice("facing", self.facing, FACINGS)
        _check_choice("head over body", self.over_body, get_args(OverBody))
        _check_choice("way to move", self.moves, get_args(Moves))


@dataclass(frozen=True, slots=True)
class EyeSettings:
    """Which bones turn with the actor's eyes.

    Attributes:
        left: Name of the character's own left eye bone; empty takes the one that was found.
        right: The same for the right eye.
        target: Name of a bone that the eyes look at; empty takes the one that their constraints aim at, if any.
        facing: As for the head.
    """

    left: str = ""
    right: str = ""
    target: str = ""
    facing: str = "auto"

    def __post_init__(self) -> None:
        """Checks the facing; raises SettingsError."""
        _check_choice("facing", self.facing, FACINGS)


@dataclass(frozen=True, slots=True)
class BakeSettings:
    """How a performance lands on the timeline and on the character.

    Attributes:
        start_frame: Scene frame of the video's time zero.
        name: The take's name: of a new Action, and of its track in the NLA.
        head: How neck and head follow; None leaves them alone.
        face: Whether the mapping's rows are baked, except those of the gaze (channels `look_*`).
        gaze: Whether the gaze is baked: by the mapping's `look_*` rows, or by the eye bones.
        eyes: Eye bones that turn by the gaze instead of the `look_*` rows; None leaves the gaze to those rows.
        destination: `new` bakes into a new Action and keeps the one that was there; `active` into the Action that is
            there, where AU Mocap's own groups are replaced; `nla` into a new Action on an NLA track of the take's name,
            which a later bake of the same take replaces.
        action: For `active`: name of the Action to bake into instead of the one that is there.
        timing: `seconds` keeps the video's time at any scene rate; `frames` gives each video frame a scene frame.
        speed: 1 as filmed, 2 twice as fast.
        tolerance: 0 keys every frame; above, keys are left out where no frame errs by more than this: in a
            value's own unit (1 is a shape key's full range), in radians for rotations, in decimetres for positions.
        handles: Whether keys that are left have handles that are fitted to the curve (Bezier), which takes fewer of
            them; otherwise straight lines join them.
        fit_contacts: Whether rows that close lids and lips are fitted to where they meet on the character (`resting`).
        frame_range: First and last scene frame to replace in an earlier bake (punch-in); None bakes the whole take.
        driven: What happens to values that have drivers: `skip` leaves them alone, `mute` mutes their drivers and keys
            them (`drivers.restore` takes that back).
    """

    start_frame: float = 1.0
    name: str = "AU Mocap"
    head: HeadSettings | None = field(default_factory=HeadSettings)
    face: bool = True
    gaze: bool = True
    eyes: EyeSettings | None = None
    destination: Destination = "active"
    action: str | None = None
    timing: Timing = "seconds"
    speed: float = 1.0
    tolerance: float = 0.0
    handles: bool = False
    fit_contacts: bool = True
    frame_range: tuple[float, float] | None = None
    driven: Driven = "skip"

    def __post_init__(self) -> None:
        """Checks names and ranges; raises SettingsError."""
        _check_choice("destination", self.destination, get_args(Destination))
        _check_choice("timing", self.timing, get_args(Timing))
        _check_choice("treatment of drivers", self.driven, get_args(Driven))
        if not (self.face or self.gaze or self.head):
            message = "There is nothing to bake: switch on the face, the gaze or the head."
            raise SettingsError(message)
        if self.action is not None and self.destination != "active":
            message = "An Action can be chosen only to bake into it: choose the destination 'active'."
            raise SettingsError(message)
        self._check_numbers()

    def _check_numbers(self) -> None:
        if not math.isfinite(self.start_frame):
            message = "The start frame must be a number."
            raise SettingsError(message)
        if not MIN_SPEED <= self.speed <= MAX_SPEED:
            message = f"The speed must lie between {MIN_SPEED:g} and {MAX_SPEED:g}, not {self.speed:g}."
            raise SettingsError(message)
        if not 0.0 <= self.tolerance < math.inf:
            message = f"The tolerance must be 0 or more, not {self.tolerance:g}."
            raise SettingsError(message)
        if self.frame_range is not None and not -math.inf < self.frame_range[0] <= self.frame_range[1] < math.inf:
            first, last = self.frame_range
            message = f"The frame range {first:g} to {last:g} is empty: its end must not lie before its start."
            raise SettingsError(message)


def scene_frames(time_s: Floats, fps: float, fps_base: float, settings: BakeSettings) -> NDArray[np.float64]:
    """Scene frames of a performance's points in time, fractions kept.

    Args:
        time_s: (T,) seconds in the video, rising.
        fps: The scene's frames per second, before `fps_base`.
        fps_base: The scene's divisor (1.001 for 23.976, 29.97 and so on).
        settings: Start frame, timing and speed.
    """
    times = np.asarray(time_s, np.float64)
    if settings.timing == "frames":
        # A take of a part of its video starts late by as many frames as it left out.
        period_s = float(np.median(np.diff(times))) if len(times) > 1 else math.inf
        return settings.start_frame + (np.arange(len(times)) + round(times[:1].sum() / period_s)) / settings.speed
    return settings.start_frame + times * (fps / fps_base / settings.speed)


DEFAULT: Final = BakeSettings()
