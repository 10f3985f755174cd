"""An actor's profile in the live preview: ranges, intensity and neutral act at once, and go with what is recorded."""

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from training import extension

from .conftest import Properties
from .test_live import SMILE, camera_clip, keys, live, own, play, shown, start

__all__ = ["camera_clip", "own"]  # fixtures

Write = Callable[..., Path]


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes profiles into a folder of their own, as a fresh user has it."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    monkeypatch.setattr(extension.module("operators.package"), "user_folder", lambda _name: folder)
    profile = extension.module("au_mocap.profile")

    def write(name: str, neutral_of: str = "", **fields: object) -> Path:
        path = folder / f"{name}.json"
        profile.save(profile.Profile(name, neutral(neutral_of) if neutral_of else None, **fields), path)
        return path

    return write


def neutral(regressor: str) -> object:
    """A neutral of some networks, sure of nothing."""
    entry = extension.module("au_mocap.registry").Registry().regressor(regressor)
    generic = extension.module("au_mocap.regressors").generic_neutral(entry.image.embedding_size)
    return extension.module("au_mocap.actor_neutral").ActorNeutral(regressor, entry.version, 1.0, generic)


def records(own: Properties) -> bool:
    """Records some frames, until the take is in the list."""
    live().record(0.0)
    play(lambda: (live().current().session.recording or 0) > 5)
    live().stop_recording()
    play(lambda: own.takes)
    return len(own.takes) == 1


def test_the_profile_acts_at_once_and_goes_with_the_recording(own: Properties, known: Write) -> None:
    shaping = extension.module("au_mocap.shaping").Shaping(intensity={"lips": 0.0})
    known("Ada", "fast", gains={"jaw_drop": 2.5}, shaping=shaping)
    known("Bo")
    own.live.profile = "Ada"
    start()
    session = live().current().session
    assert session.settings.gains == {"jaw_drop": 2.5}
    assert session.neutral is not None
    play(shown(15))
    assert keys()[SMILE].value == 0.0
    assert records(own)
    (item,) = own.takes
    assert (item.actor, item.channels["jaw_drop"].gain, item.intensity.lips) == ("Ada", 2.5, 0.0)
    assert item.neutral == "given"
    own.live.profile = "Bo"
    play(lambda: not session.settings.gains)
    assert session.neutral is None, "Bo's profile has none, and Ada's is not Bo's"
    play(lambda: keys()[SMILE].value > 0.0)
    assert live().problem() == ""


def test_a_neutral_of_other_networks_is_told_and_left_out(own: Properties, known: Write) -> None:
    known("Ada", "accurate", gains={"jaw_drop": 2.5})
    own.live.profile = "Ada"
    assert bpy.ops.aumocap.live() == {"FINISHED"}
    play(shown(5))
    assert "measured by accurate" in live().problem()
    assert "press Neutral" in live().problem()
    assert live().current().session.neutral is None
    assert live().current().session.settings.gains == {"jaw_drop": 2.5}
    assert records(own)
    (item,) = own.takes
    assert (item.actor, item.channels["jaw_drop"].gain) == ("Ada", 2.5)
    assert item.neutral != "given"


def test_a_profile_that_cannot_be_read(own: Properties, known: Write) -> None:
    own.live.profile = "Nobody"
    with pytest.raises(RuntimeError, match=r"Nobody\.json"):
        bpy.ops.aumocap.live()
    assert live().current() is None
    own.live.profile = ""
    start()
    known("Damaged").write_text("{", encoding="utf-8")
    own.live.profile = "Damaged"
    play(lambda: live().problem())
    assert "no actor profile that can be used" in live().problem()
    play(shown(5))
    own.live.profile = ""
    live().current().problem = ""
    play(shown(5))
    assert live().problem() == ""


def test_a_calibrated_neutral_is_kept_for_its_own_actor(own: Properties, known: Write) -> None:
    known("Ada", "fast")
    start()
    calibrated = neutral("fast").neutral
    live().current().session.set_neutral(calibrated)
    bpy.ops.aumocap.live()
    start()
    assert live().current().session.neutral is calibrated
    bpy.ops.aumocap.live()
    own.live.profile = "Ada"
    start()
    kept = live().current().session.neutral
    assert kept is not calibrated
    assert np.array_equal(kept.embedding, calibrated.embedding)
