"""What operators need before they can run, said in the tooltip of a button that is grey."""

from collections.abc import Callable
from typing import ClassVar, Protocol

import bpy


class Polled(Protocol):
    """An operator class, as far as a poll needs it."""

    poll_message_set: ClassVar[Callable[..., None]]


def take(cls: Polled, context: bpy.types.Context) -> bool:
    """A take is chosen."""
    own = context.scene.aumocap
    if 0 <= own.active_take < len(own.takes):
        return True
    cls.poll_message_set("Choose a video and analyse it first (Capture panel)")
    return False


def character(cls: Polled, context: bpy.types.Context) -> bool:
    """A character is chosen."""
    chosen = context.scene.aumocap.character
    if chosen is None or chosen.name not in context.scene.objects:
        cls.poll_message_set("Choose a character first (Character panel)")
        return False
    return True


def table(cls: Polled, context: bpy.types.Context) -> bool:
    """The character has a table that may be edited."""
    if not character(cls, context):
        return False
    if not context.scene.aumocap.character.is_editable:
        cls.poll_message_set("The character is linked from another file: make a library override of it first")
        return False
    return True


def filled_table(cls: Polled, context: bpy.types.Context) -> bool:
    """A character is chosen, and has a table."""
    if not character(cls, context):
        return False
    if not context.scene.aumocap.character.aumocap.rows:
        cls.poll_message_set("The character's table is empty: choose a preset or Match by Name (Character panel)")
        return False
    return True


def take_and_character(cls: Polled, context: bpy.types.Context) -> bool:
    """A take is chosen, and a character that has a table."""
    return take(cls, context) and filled_table(cls, context)
