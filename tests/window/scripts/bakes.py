"""Bakes a made-up performance to every destination, replaces a part of it, and adds a clip's sound."""

import importlib
from dataclasses import dataclass

import bpy
import driver
import numpy as np


@dataclass(frozen=True)
class _Played:
    time_s: np.ndarray
    values: np.ndarray
    head_rotation: np.ndarray
    head_position: np.ndarray


def _module(name: str):  # noqa: ANN202
    return importlib.import_module(f"{driver.EXTENSION}.{name}")


def _acting(jaw: float) -> _Played:
    channels, rotations = _module("au_mocap.channels"), _module("au_mocap.rotations")
    values = np.zeros((60, 58))
    values[:, channels.INDEX["jaw_drop"]] = jaw
    values[:, channels.INDEX["look_up_L"]] = 1.0
    angles = np.tile([np.radians(20.0), 0.0, 0.0], (60, 1))
    turned = rotations.to_quaternions(rotations.from_angles(angles))
    return _Played(np.arange(60) / 24.0, values, turned, np.tile([0.0, 0.0, 0.6], (60, 1)))


def _shown(face: bpy.types.Object, armature: bpy.types.Object, frame: int) -> list[float]:
    """Jaw, an untouched key, degrees of the head."""
    bpy.context.scene.frame_set(frame)
    keys = face.data.shape_keys.key_blocks
    bone = armature.pose.bones["head"]
    turn = (bone.matrix.to_3x3() @ bone.bone.matrix_local.to_3x3().inverted()).normalized()
    return [keys["jawOpen"].value, keys["mouthPucker"].value, float(np.degrees(turn.to_quaternion().angle))]


def steps() -> driver.Steps:
    driver.install(next(driver.FOLDER.glob("*.zip")))
    driver.empty_scene()
    keying, scenes, mapping = _module("operators.keying"), _module("operators.scene"), _module("au_mocap.mapping")
    eyes = _module("operators.bake_settings").EyeSettings()
    scene = bpy.context.scene
    scene.render.fps = 24
    with driver.viewport():
        bpy.ops.aumocap.add_demo_head()
    armature = bpy.data.objects["Demo Head"]
    face = bpy.data.objects["Demo Head Face"]
    character, table = scenes.find_character(armature), mapping.load("arkit")

    def bake(jaw: float, **settings: object) -> object:
        chosen = keying.BakeSettings(**{"name": "take", "tolerance": 0.01, **settings})
        return keying.bake(scene, character, _acting(jaw), table, chosen)

    for number, destination in enumerate(("active", "new", "nla")):
        if destination == "nla":
            for owner in (armature, face.data.shape_keys):
                owner.animation_data.action = None
        bake(0.2 + 0.2 * number, destination=destination)
        bake(0.9, destination=destination if destination != "new" else "active", frame_range=(20, 30), eyes=eyes)
        yield
        driver.record(destination, [_shown(face, armature, frame) for frame in (5, 25, 50)])
    bake(0.3, destination="nla")
    tracks = [owner.animation_data.nla_tracks for owner in (armature, face.data.shape_keys)]
    driver.record("tracks", [[[track.name, len(track.strips)] for track in each] for each in tracks])
    driver.record("actions", sorted(action.name for action in bpy.data.actions))
    driver.record("again", _shown(face, armature, 25))
    strip = _module("operators.audio").add_audio(scene, next(driver.FOLDER.glob("*.mp4")), 12.0)
    driver.record("sound", [strip.frame_final_start, strip.frame_final_duration, strip.channel])
