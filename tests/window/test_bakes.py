"""Bakes in real Blenders, the newest among them: destinations, punch-in, eye bones, sound."""

from pathlib import Path

import pytest

from tests.blender.clips import write_clip
from tests.window import window

SCRIPTS = Path(__file__).with_name("scripts")


def test_every_destination_plays(blender: str, built_zip: Path, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "actor.mp4")
    result = window.run(blender, SCRIPTS / "bakes.py", 90.0, [built_zip, clip])
    assert result.code == 0, result.log
    seen = result.json
    assert seen["finished"], seen
    for number, destination in enumerate(("active", "new", "nla")):
        jaw = 0.2 + 0.2 * number
        expected = [value for played in (jaw, 0.9, jaw) for value in (played, 0.0, 20.0)]
        measured = [value for frame in seen[destination] for value in frame]
        assert measured == pytest.approx(expected, abs=0.02), destination
    assert seen["again"] == pytest.approx([0.3, 0.0, 20.0], abs=0.02)
    assert seen["tracks"] == [[["take", 1]], [["take", 1]]]
    data_blocks = 1 if blender >= "4.4" else 2
    assert len(seen["actions"]) == 3 * data_blocks
    assert seen["sound"] == [12, 48, 1]
