"""Characters are found from whatever part of them is chosen."""

import bpy
import pytest

from training import extension

from .playing import face_mesh, skeleton


def find(chosen: bpy.types.Object | None) -> object:
    return extension.module("operators.scene").find_character(chosen)


RIGS = {
    "plain": ("head", "neck", "eye.L", "eye.R"),
    "mixamo": ("mixamorig:Head", "mixamorig:Neck", "mixamorig:LeftEye", "mixamorig:RightEye"),
    "vrm": ("J_Bip_C_Head", "J_Bip_C_Neck", "J_Adj_L_FaceEye", "J_Adj_R_FaceEye"),
    "unreal": ("head", "neck_01", "FACIAL_L_Eye", "FACIAL_R_Eye"),
    "character creator": ("CC_Base_Head", "CC_Base_NeckTwist01", "CC_Base_L_Eye", "CC_Base_R_Eye"),
}


@pytest.mark.parametrize("names", RIGS.values(), ids=RIGS.keys())
def test_bones_are_known_by_common_names(names: tuple[str, ...]) -> None:
    bones = [("Hips", "", (0, 0, 0), (0, 0, 1), 0.0), ("HeadTop_End", "", (0, 0, 1), (0, 0, 2), 0.0)]
    rig = skeleton(*bones, *((name, "", (0, 0, 0), (0, 0, 1), 0.0) for name in names))
    character = find(rig)
    assert (character.head, character.neck, *character.eyes) == names


def test_any_part_leads_to_the_whole() -> None:
    rig = skeleton(("head", "", (0, 0, 0), (0, 0, 1), 0.0))
    body, brows = face_mesh("Body", "jawOpen"), face_mesh("Brows", "browInnerUp")
    body.parent = rig
    brows.modifiers.new("Armature", "ARMATURE").object = rig
    empty = bpy.data.objects.new("Import", None)
    bpy.context.collection.objects.link(empty)
    rig.parent = empty
    face_mesh("Stranger", "jawOpen")
    for chosen in (rig, body, brows, empty):
        character = find(chosen)
        assert character.armature == rig
        assert character.meshes == (body, brows)
        assert character.head == "head"


def test_a_mesh_alone_is_a_character() -> None:
    mesh = face_mesh("Face", "jawOpen")
    character = find(mesh)
    assert (character.armature, character.meshes, character.head) == (None, (mesh,), None)


def test_what_cannot_be_driven_is_said() -> None:
    error = extension.module("au_mocap.errors").SettingsError
    with pytest.raises(error, match="Choose a character"):
        find(None)
    lamp = bpy.data.objects.new("Lamp", bpy.data.lights.new("Lamp", "POINT"))
    with pytest.raises(error, match="'Lamp' has no shape keys"):
        find(lamp)
