"""An actor's profile and a take's properties: from one to the other. Imported at first use: it needs the engine."""

import json
from functools import lru_cache
from pathlib import Path

from ..au_mocap.actor_neutral import ActorNeutral
from ..au_mocap.calibration import NeutralSettings
from ..au_mocap.edits import Edits
from ..au_mocap.errors import ProfileError
from ..au_mocap.profile import Profile
from ..au_mocap.shaping import Shaping
from . import loaded, package, refresh, settings
from .capture_properties import AUMOCAP_PG_take
from .shaping_properties import NAMES


def neutral_of(item: AUMOCAP_PG_take) -> ActorNeutral | None:
    """The neutral that a profile left with a take, where it is to be used.

    Raises:
        ProfileError: What the file holds is none.
    """
    return _decoded(item.actor_neutral) if item.neutral == "given" and item.actor_neutral else None


@lru_cache(maxsize=8)
def _decoded(text: str) -> ActorNeutral:
    try:
        return ActorNeutral.from_document(json.loads(text))
    except (ValueError, ProfileError) as error:
        message = f"The neutral of the actor's profile is damaged ({error}): load the profile again."
        raise ProfileError(message) from error


def shaping_of(item: AUMOCAP_PG_take) -> Shaping:
    """Intensity, exaggeration and symmetry of a take."""
    return Shaping(
        intensity={name: getattr(item.intensity, name) for name in NAMES},
        exaggeration={name: getattr(item.exaggeration, name) for name in NAMES},
        symmetry=item.symmetry,
    )


def copy(source: AUMOCAP_PG_take, target: AUMOCAP_PG_take) -> None:
    """Give a take another one's ranges, intensity and profile; nothing is renewed."""
    with refresh.held():
        ranges = {each.name: (each.gain, each.offset) for each in source.channels}
        for each in target.channels:
            each.gain, each.offset = ranges.get(each.name, (each.gain, each.offset))
        for group in ("intensity", "exaggeration"):
            for name in NAMES:
                setattr(getattr(target, group), name, getattr(getattr(source, group), name))
        target.symmetry, target.actor, target.actor_neutral = source.symmetry, source.actor, source.actor_neutral


def profile_of(item: AUMOCAP_PG_take, name: str) -> Profile:
    """What is known of a take's actor, under a name.

    Raises:
        AuMocapError: The take cannot be read, or its neutral does not exist in it.
    """
    chosen = settings.of_take(item, Edits())
    return Profile(
        name=name,
        neutral=loaded.calibrator(settings.path_of(item)).actor_neutral(chosen.neutral),
        gains=chosen.gains,
        offsets=chosen.offsets,
        shaping=chosen.shaping,
    )


def apply(profile: Profile, item: AUMOCAP_PG_take) -> None:
    """Give a take an actor's neutral, ranges and intensity.

    Raises:
        ProfileError: The neutral is another regressor's; the take is as it was.
        AuMocapError: The take cannot be read.
    """
    if profile.neutral is not None:
        # Looks at it with the take's own regressor before anything is changed.
        given = NeutralSettings("given", given=profile.neutral)
        loaded.calibrator(settings.path_of(item)).actor_neutral(given)
    with refresh.held():
        for each in item.channels:
            each.gain, each.offset = profile.gains.get(each.name, 1.0), profile.offsets.get(each.name, 0.0)
        for group, values, default in (
            (item.intensity, profile.shaping.intensity, 1.0),
            (item.exaggeration, profile.shaping.exaggeration, 0.0),
        ):
            for name in NAMES:
                setattr(group, name, values.get(name, default))
        item.symmetry = profile.shaping.symmetry
        item.actor = profile.name
        if profile.neutral is not None:
            item.actor_neutral = json.dumps(profile.neutral.to_document())
            item.neutral = "given"


def folder() -> Path:
    """Where the user's profiles lie.

    Raises:
        ProfileError: It cannot be made.
    """
    try:
        return package.user_folder("profiles")
    except OSError as error:
        message = (
            f"The folder of your profiles cannot be made ({error.strerror}): export the profile to a file instead."
        )
        raise ProfileError(message) from error


def path_of(name: str) -> Path:
    """File of a profile of the user's.

    Raises:
        ProfileError: The name cannot be a file's.
    """
    file = package.file_name(name, "profile", ProfileError)
    return folder() / file
