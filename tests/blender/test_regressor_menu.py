"""The menu of regressors: those to compare with stand under a heading of their own, and can be chosen."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import bpy
import pytest

from training import extension


@pytest.fixture
def items() -> tuple[Any, ...]:
    """The bundled regressors, and a paper's before them in the registry."""
    entries = extension.module("au_mocap.registry").Registry().regressors
    mixed = (replace(entries[0], name="paper", label="A paper", group="advanced"), *entries)
    return extension.module("operators.choices").grouped(mixed)


@pytest.fixture
def menu(items: tuple[Any, ...]) -> Iterator[None]:
    """`Scene.chosen`, a menu of them."""
    bpy.types.Scene.chosen = bpy.props.EnumProperty(items=lambda _owner, _context: items, default=items[0][4])
    yield
    del bpy.types.Scene.chosen


def test_systems_to_compare_with_stand_last_under_a_heading(items: tuple[Any, ...]) -> None:
    entries = extension.module("au_mocap.registry").Registry().regressors
    assert [item[0] for item in items] == [*(entry.name for entry in entries), "", "paper"]
    assert items[-2][1] == "Advanced"
    assert len({item[4] for item in items}) == len(items)


def test_without_any_there_is_no_heading() -> None:
    choices = extension.module("operators.choices")
    entries = extension.module("au_mocap.registry").Registry().regressors
    assert choices.grouped(entries) == choices.regressors() == choices.regressor_items(None, None)


@pytest.mark.usefixtures("menu")
def test_what_stands_below_the_heading_can_be_chosen_and_the_heading_cannot() -> None:
    scene: Any = bpy.context.scene
    assert scene.chosen == "accurate"
    scene.chosen = "paper"
    assert scene.chosen == "paper"
    with pytest.raises(TypeError, match="not found"):
        scene.chosen = "Advanced"
