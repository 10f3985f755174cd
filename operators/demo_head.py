"""The demo head: one function that builds it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

DATA: Final = Path(__file__).resolve().parent.parent / "models" / "demo_head.npz"
COLOUR: Final = "Colour"

Surface = dict[str, float]
SURFACES: Final[dict[str, Surface]] = {
    "Skin": {"Roughness": 0.48, "Specular IOR Level": 0.42, "Subsurface Weight": 0.18, "Subsurface Scale": 0.012},
    "Sclera": {"Roughness": 0.18, "Coat Weight": 0.6, "Coat Roughness": 0.03},
    "Iris": {"Roughness": 0.35, "Coat Weight": 1.0, "Coat Roughness": 0.02},
    "Pupil": {"Roughness": 0.5, "Specular IOR Level": 0.0, "Coat Weight": 1.0, "Coat Roughness": 0.02},
    "Teeth": {"Roughness": 0.22, "Coat Weight": 0.3, "Coat Roughness": 0.05},
    "Gums": {"Roughness": 0.35},
    "Tongue": {"Roughness": 0.38},
    "Lashes": {"Roughness": 0.6, "Specular IOR Level": 0.2},
    "Brows": {"Roughness": 0.6, "Specular IOR Level": 0.25},
    "Hair": {"Roughness": 0.5, "Specular IOR Level": 0.35},
    "Shirt": {"Roughness": 0.85, "Specular IOR Level": 0.2, "Sheen Weight": 0.15},
}
"""Inputs of the Principled BSDF for each material; the base colour comes from the colour attribute."""

SMALL: Final = {"Skin": (900.0, 0.00018), "Shirt": (1400.0, 0.0004)}
"""Bumps: scale of the noise per metre, and height in metres."""


@dataclass(frozen=True, slots=True)
class DemoHead:
    """The objects of one demo head.

    Attributes:
        armature: Bones `chest`, `neck`, `head`, `eye.L`, `eye.R`.
        head: Mesh with the 52 ARKit shape keys.
        hair: Mesh that follows the bone `head`.
    """

    armature: bpy.types.Object
    head: bpy.types.Object
    hair: bpy.types.Object


def add_demo_head(context: bpy.types.Context, name: str = "Demo Head", data_file: Path = DATA) -> DemoHead:
    """Add the demo head to the scene's active collection, standing at the 3D cursor and facing -Y.

    Args:
        context: Where to add it; its selection becomes the new armature.
        name: Name of the armature; the meshes take it as their prefix.
        data_file: Its geometry, as `training.demo_head` writes it.

    Returns:
        The new objects.
    """
    with np.load(data_file, allow_pickle=False) as archive:
        data = {key: archive[key] for key in archive.files}
    materials = {str(material): _material(f"{name} {material}", str(material)) for material in data["materials"]}
    armature = _armature(context, name, data)
    head = _mesh_object(context, f"{name} Face", "head", data, materials, armature)
    _add_shape_keys(head, data)
    hair = _mesh_object(context, f"{name} Hair", "hair", data, materials, armature)
    _smooth(head)
    for each in context.selected_objects:
        each.select_set(False)
    armature.location = context.scene.cursor.location
    armature.select_set(True)
    context.view_layer.objects.active = armature
    return DemoHead(armature, head, hair)


def _armature(context: bpy.types.Context, name: str, data: dict[str, NDArray]) -> bpy.types.Object:
    if context.object is not None and context.object.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    armature = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    context.collection.objects.link(armature)
    context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    for bone_name, parent, ends in zip(data["bone_names"], data["bone_parents"], data["bone_ends"], strict=True):
        bone = bones.new(str(bone_name))
        bone.head, bone.tail = Vector(ends[0].tolist()), Vector(ends[1].tolist())
        bone.parent = bones.get(str(parent)) if parent else None
        bone.use_connect = bone.parent is not None and (bone.parent.tail - bone.head).length < 1e-5
        upright = abs((bone.tail - bone.head).normalized().z) > 0.5
        bone.align_roll(Vector((0.0, -1.0, 0.0)) if upright else Vector((0.0, 0.0, 1.0)))
    bpy.ops.object.mode_set(mode="OBJECT")
    armature.data.display_type = "STICK"  # thin enough to leave the face to be seen
    return armature


def _mesh_object(
    context: bpy.types.Context,
    name: str,
    part: str,
    data: dict[str, NDArray],
    materials: dict[str, bpy.types.Material],
    armature: bpy.types.Object,
) -> bpy.types.Object:
    mesh = _mesh(name, data[f"{part}_vertices"], data[f"{part}_faces"])
    slots, indices = np.unique(data[f"{part}_materials"], return_inverse=True)
    for slot in slots:
        material = materials[str(data["materials"][slot])]
        faces = data[f"{part}_faces"][data[f"{part}_materials"] == slot]
        material.diffuse_color = _viewport_colour(data[f"{part}_colours"][faces[faces >= 0]])
        mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", indices.astype(np.int32).ravel())
    colours = mesh.color_attributes.new(COLOUR, "BYTE_COLOR", "POINT")
    opaque = np.ones((len(mesh.vertices), 4), np.float32)
    opaque[:, :3] = data[f"{part}_colours"] / np.float32(255.0)
    colours.data.foreach_set("color_srgb", opaque.ravel())
    mesh_object = bpy.data.objects.new(name, mesh)
    context.collection.objects.link(mesh_object)
    _weigh(mesh_object, data["bone_names"], data[f"{part}_weights"])
    mesh_object.parent = armature
    mesh_object.modifiers.new("Armature", "ARMATURE").object = armature
    return mesh_object


def _viewport_colour(colours: NDArray[np.uint8]) -> tuple[float, float, float, float]:
    """What solid shading shows for a material: the mean of (n, 3) sRGB colours, in linear light."""
    red, green, blue = ((colours / 255.0) ** 2.2).mean(axis=0).tolist()
    return red, green, blue, 1.0


def _mesh(name: str, vertices: NDArray[np.float32], faces: NDArray[np.int32]) -> bpy.types.Mesh:
    """A smooth mesh from vertices (n, 3) and faces (F, 4) in which -1 ends a triangle."""
    sizes = np.where(faces[:, 3] < 0, 3, 4).astype(np.int32)
    corners = faces[faces >= 0].astype(np.int32)
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", vertices.ravel())
    mesh.loops.add(len(corners))
    mesh.loops.foreach_set("vertex_index", corners)
    mesh.polygons.add(len(faces))
    mesh.polygons.foreach_set("loop_start", np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32))
    mesh.update(calc_edges=True)
    mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))
    return mesh


def _weigh(mesh_object: bpy.types.Object, bones: NDArray, weights: NDArray[np.uint8]) -> None:
    """Vertex groups, one call for all vertices that share a weight."""
    for bone, column in zip(bones, weights.T, strict=True):
        levels = np.unique(column[column > 0])
        if len(levels):
            group = mesh_object.vertex_groups.new(name=str(bone))
        for level in levels:
            group.add(np.flatnonzero(column == level).tolist(), float(level) / 255.0, "REPLACE")


def _add_shape_keys(head: bpy.types.Object, data: dict[str, NDArray]) -> None:
    rest = data["head_vertices"]
    head.shape_key_add(name="Basis", from_mix=False).value = 0.0
    ends = np.cumsum(data["shape_sizes"])
    for name, end, size in zip(data["shape_names"], ends, data["shape_sizes"], strict=True):
        span = slice(end - size, end)
        shape = rest.copy()
        shape[data["shape_vertices"][span]] += data["shape_steps"][span] * np.float32(data["step_m"])
        key = head.shape_key_add(name=str(name), from_mix=False)
        key.data.foreach_set("co", shape.ravel())
        key.value = 0.0  # Blender 5.2 adds keys at full strength
    head.data.shape_keys.name = head.name


def _smooth(head: bpy.types.Object) -> None:
    """Subdivision in renders only: playback in the viewport stays quick."""
    modifier = head.modifiers.new("Subdivision", "SUBSURF")
    modifier.levels = 0
    modifier.render_levels = 1


def _material(name: str, kind: str) -> bpy.types.Material:
    material = bpy.data.materials.new(name)
    if material.node_tree is None:
        material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    principled = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    colour = nodes.new("ShaderNodeVertexColor")
    colour.layer_name = COLOUR
    colour.location = (-400.0, 100.0)
    links.new(colour.outputs["Color"], principled.inputs["Base Color"])
    for socket, value in SURFACES[kind].items():
        principled.inputs[socket].default_value = value
    if kind == "Skin":
        principled.inputs["Subsurface Radius"].default_value = (1.0, 0.35, 0.2)
    if kind in SMALL:
        _add_bumps(principled, *SMALL[kind])
    return material


def _add_bumps(principled: bpy.types.Node, scale: float, height_m: float) -> None:
    """Fine relief from noise that sticks to the resting mesh."""
    tree = principled.id_data
    place = tree.nodes.new("ShaderNodeTexCoord")
    noise = tree.nodes.new("ShaderNodeTexNoise")
    bump = tree.nodes.new("ShaderNodeBump")
    for column, node in enumerate((bump, noise, place)):
        node.location = (-300.0 - 250.0 * column, -300.0)
    noise.inputs["Scale"].default_value = scale
    noise.inputs["Detail"].default_value = 3.0
    bump.inputs["Strength"].default_value = 0.35
    bump.inputs["Distance"].default_value = height_m
    tree.links.new(place.outputs["Object"], noise.inputs["Vector"])
    tree.links.new(noise.outputs["Fac"], bump.inputs["Height"])
    tree.links.new(bump.outputs["Normal"], principled.inputs["Normal"])
