"""From the zip to a keyed head in a real window, within the two minutes that an artist gives a new tool."""

from pathlib import Path

from tests.window import window

from .test_first_look import SCRIPTS, colours, picture

MAIN_JOB_S = 120.0
TICK_S = 0.05


def test_from_the_zip_to_a_keyed_head(blender: str, built_zip: Path, single_face: Path) -> None:
    result = window.run(blender, SCRIPTS / "main_job.py", 240.0, [built_zip, single_face])
    found = result.json
    assert result.code == 0, result.log
    assert result.problems == []
    assert found["takes"] == [["single_face", "72 frames, face in 100 %, accurate", False]]
    assert found["running_at_halfway"]
    assert found["baked"]
    assert found["curves"] == 52
    assert min(found["ticks"]) >= 2
    assert max(found["tick_s"]) <= TICK_S, "our share: Blender's own drawing under software GL takes longer by itself"
    assert found["main_job_s"] <= MAIN_JOB_S
    largest, posed = found["smile"]
    assert largest > 0.4
    assert abs(posed - largest) < 0.05
    assert found["escaped"][0], "stopped: a partial take"
    assert found["mirror_after_undo"] is False
    assert found["preview_after_undo"]
    assert not found["preview_after_closing"]
    for shown in ("video", "analysing", "smile", "capture", "actor", "character", "bake"):
        assert colours(picture(result, shown)) > 100, shown
