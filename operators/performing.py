"""The scene's take, settings, table and character put together. Imported at first use: it needs the engine."""

import json
from dataclasses import asdict, replace

import bpy

from ..au_mocap.calibration import Curves
from ..au_mocap.errors import TakeError
from . import keying, layering, loaded, overrides, rows, scene, settings
from .bake_settings import BakeSettings
from .capture_properties import AUMOCAP_PG_take
from .plan import Plan


def active_take(stage: bpy.types.Scene) -> AUMOCAP_PG_take:
    """The chosen take of a scene; raises TakeError where there is none."""
    takes = stage.aumocap.takes
    if not 0 <= stage.aumocap.active_take < len(takes):
        message = "There is no take yet: choose a video and press Analyse in the Capture panel."
        raise TakeError(message)
    return takes[stage.aumocap.active_take]


def curves_of(item: AUMOCAP_PG_take) -> Curves:
    """A take's curves with the actor's settings."""
    return loaded.calibrator(settings.path_of(item)).curves(settings.of_take(item))


def plan_scene(stage: bpy.types.Scene) -> Plan:
    """What a bake of the scene's take onto its character would write, every frame of it."""
    chosen, character = settings.character_of(stage)
    item = active_take(stage)
    how = replace(settings.of_bake(stage.aumocap.bake, character, item.name), tolerance=0.0, driven="skip")
    return keying.planned(stage, scene.find_character(chosen), curves_of(item), rows.table_of(character), how)


def bake_scene(stage: bpy.types.Scene, frame_range: tuple[int, int] | None = None) -> keying.BakeReport:
    """Bake the scene's take onto its character.

    Args:
        stage: The scene.
        frame_range: First and last scene frame to replace; None for all.

    Raises:
        AuMocapError: Something is missing or cannot be written; nothing was changed.
    """
    chosen, character = settings.character_of(stage)
    item = active_take(stage)
    how = settings.of_bake(stage.aumocap.bake, character, item.name)
    if frame_range is not None:
        is_on_track = layering.is_on_track(scene.find_character(chosen), item.name)
        where = "nla" if how.destination == "nla" and is_on_track else "active"
        how = replace(how, frame_range=frame_range, destination=where, action=how.action if where == "active" else None)
    table, curves = rows.table_of(character), curves_of(item)
    with overrides.keyable(scene.find_character(chosen).meshes):
        report = keying.bake(stage, scene.find_character(chosen), curves, table, how)
    # A take that was baked in part is not baked again behind the artist's back.
    item.baked_on = chosen if frame_range is None else None
    kept = {**asdict(how), "actions": [action.name for action in report.actions]}
    item.baked_with = json.dumps(kept) if frame_range is None else ""
    return report


def bake_again(stage: bpy.types.Scene, item: AUMOCAP_PG_take) -> None:
    """Renew the keys of an earlier bake with the settings of now, where and as it was baked.

    Where the character plays another Action by now, of another take perhaps, nothing is written.

    Raises:
        AuMocapError: As `bake_scene`.
    """
    how = json.loads(item.baked_with)
    own, head = item.baked_on.aumocap, how["head"]
    # What the character knows of its bones is meant as it is now, like its table.
    how["head"] = settings.head_of(own, rotation=head["rotation"], position=head["position"]) if head else None
    how["eyes"] = settings.eyes_of(own)
    if how["destination"] == "new":
        how["destination"] = "active"
    target = item.baked_on
    how["fit_contacts"] = target.aumocap.fit_contacts
    character = scene.find_character(target)
    written = set(how.pop("actions"))
    if how["destination"] == "active" and not written <= _played(character):
        return
    keying.bake(stage, character, curves_of(item), rows.table_of(target.aumocap), BakeSettings(**how))


def _played(character: scene.Character) -> set[str]:
    """Names of the Actions that a character's armature and shape keys play."""
    owners = [character.armature, *(mesh.data.shape_keys for mesh in character.meshes)]
    data = [owner.animation_data for owner in owners if owner is not None]
    return {each.action.name for each in data if each is not None and each.action is not None}
