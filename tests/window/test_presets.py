"""What is seen of presets: the list says how sure a match is, and the menu opens with what fits."""

from pathlib import Path

import pytest

from tests import rigs
from tests.window import window
from tests.window.test_first_look import changed, picture

SCRIPT = Path(__file__).with_name("scripts") / "presets.py"


@pytest.mark.parametrize("blender", ["5.2"], indirect=True)  # the menu is the same in others
def test_a_matched_table_and_the_menu_are_drawn(blender: str, built_zip: Path) -> None:
    result = window.run(blender, SCRIPT, 120.0, [built_zip, rigs.FOLDER / "cc4.json"])
    assert result.code == 0, result.log
    assert result.problems == [], "drawing code that fails prints its traceback"
    assert result.json["title"] == "Character Creator 4"
    assert result.json["confidences"] == [0.8]
    narrow, wide = picture(result, "narrow"), picture(result, "wide")
    assert changed(picture(result, "empty"), narrow) > 10_000, "the table is drawn"
    assert changed(narrow, wide) > 1_000, "with gains and confidences where there is room"
    assert changed(wide, picture(result, "menu")) > 20_000, "the menu is drawn"
