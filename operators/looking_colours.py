"""What a mesh looks like, as far as a face needs it: colours, colour attributes and image textures of materials."""

from dataclasses import dataclass
from typing import Final

import bpy
import numpy as np
from numpy.typing import NDArray

_GREY: Final = (0.6, 0.6, 0.6)
_MOST_PX: Final = 4096
"""Larger images are not read: they take more memory than a look is worth."""

_KEPT_PX: Final = 1024
_GAMMA: Final = 1.0 / 2.2
_SEE_THROUGH: Final = 0.3
_DEPTH: Final = 6
"""Nodes that a colour is followed through."""


@dataclass(frozen=True, slots=True)
class Look:
    """Triangles of a mesh without those that are see-through; arrays as in `au_mocap.looking.surface.Surface`."""

    triangles: NDArray[np.int64]
    colours: NDArray[np.uint8]
    texture: NDArray[np.int64]
    uv: NDArray[np.float32]
    textures: tuple[NDArray[np.uint8], ...]


@dataclass(frozen=True, slots=True)
class _Paint:
    """A material: a plain colour (sRGB, 0..1), or where that comes from."""

    colour: tuple[float, float, float] = _GREY
    attribute: str = ""
    image: bpy.types.Image | None = None
    is_clear: bool = False


def read(placed: bpy.types.Object) -> Look:
    """Reads a mesh object's triangles and materials."""
    mesh = placed.data
    assert isinstance(mesh, bpy.types.Mesh)
    mesh.calc_loop_triangles()
    count = len(mesh.loop_triangles)
    triangles, loops, slots = (np.empty(size, np.int32) for size in (3 * count, 3 * count, count))
    for name, flat in (("vertices", triangles), ("loops", loops), ("material_index", slots)):
        mesh.loop_triangles.foreach_get(name, flat)
    triangles, loops = triangles.reshape(-1, 3), loops.reshape(-1, 3)
    paints = [_paint(slot.material) for slot in placed.material_slots] or [_Paint()]
    slots = np.clip(slots, 0, len(paints) - 1)
    colours = np.empty((count, 3, 3), np.float32)
    texture = np.full(count, -1, np.int64)
    textures: list[NDArray[np.uint8]] = []
    for number, paint in enumerate(paints):
        own = slots == number
        colours[own] = paint.colour[::-1]
        attribute = _attribute(mesh, paint.attribute, triangles[own], loops[own])
        if attribute is not None:
            colours[own] = attribute
        picture = _pixels(paint.image) if paint.image is not None and own.any() else None
        if picture is not None:
            texture[own] = len(textures)
            colours[own] = 1.0
            textures.append(picture)
    kept = ~np.array([paint.is_clear for paint in paints])[slots]
    return Look(
        triangles=triangles[kept].astype(np.int64),
        colours=np.clip(255.0 * colours[kept], 0.0, 255.0).astype(np.uint8),
        texture=texture[kept],
        uv=_uv(mesh, loops)[kept],
        textures=tuple(textures),
    )


def _paint(material: bpy.types.Material | None) -> _Paint:
    if material is None:
        return _Paint()
    plain = _Paint(_srgb(material.diffuse_color), is_clear=material.diffuse_color[3] < _SEE_THROUGH)
    tree = material.node_tree
    if tree is None:
        return plain
    surface = next((node for node in tree.nodes if node.type == "BSDF_PRINCIPLED"), None)
    surface = surface or next((node for node in tree.nodes if _colour_socket(node) is not None), None)
    socket = None if surface is None else _colour_socket(surface)
    if surface is None or socket is None:
        return plain
    alpha = surface.inputs.get("Alpha")
    is_clear = alpha is not None and not alpha.is_linked and alpha.default_value < _SEE_THROUGH
    transmission = surface.inputs.get("Transmission Weight")
    is_clear = is_clear or (transmission is not None and transmission.default_value > 1.0 - _SEE_THROUGH)
    source = _source(socket, _DEPTH)
    if source is None:
        return _Paint(_srgb(socket.default_value), is_clear=is_clear)
    if source.type == "TEX_IMAGE":
        return _Paint(image=source.image, is_clear=is_clear)
    name = source.layer_name if source.type == "VERTEX_COLOR" else source.attribute_name
    return _Paint(attribute=name, is_clear=is_clear)


def _colour_socket(node: bpy.types.Node) -> "bpy.types.NodeSocket | None":
    if node.type in ("BSDF_PRINCIPLED", "BSDF_DIFFUSE", "EMISSION", "BSDF_TOON"):
        return node.inputs.get("Base Color") or node.inputs.get("Color")
    return None


def _source(socket: "bpy.types.NodeSocket", depth: int) -> bpy.types.Node | None:
    """The image or the colour attribute that a colour comes from, through what mixes it; None for a plain colour."""
    for link in (socket.links or ()) if depth else ():
        node = link.from_node
        if (node.type == "TEX_IMAGE" and node.image is not None) or node.type in ("VERTEX_COLOR", "ATTRIBUTE"):
            return node
        for entry in node.inputs:
            found = _source(entry, depth - 1)
            if found is not None:
                return found
    return None


def _srgb(linear: "tuple[float, ...]") -> tuple[float, float, float]:
    red, green, blue = (max(0.0, min(1.0, linear[index])) ** _GAMMA for index in range(3))
    return red, green, blue


def _attribute(
    mesh: bpy.types.Mesh, name: str, vertices: NDArray[np.int32], loops: NDArray[np.int32]
) -> NDArray[np.float32] | None:
    """(n, 3, 3) BGR of triangles' corners from a colour attribute; None where the mesh has none of that name."""
    layer = mesh.color_attributes.get(name) if name else None
    if layer is None or layer.domain not in ("POINT", "CORNER"):
        return None
    flat = np.empty(4 * len(layer.data), np.float32)
    layer.data.foreach_get("color_srgb", flat)
    return flat.reshape(-1, 4)[vertices if layer.domain == "POINT" else loops][..., 2::-1]


def _uv(mesh: bpy.types.Mesh, loops: NDArray[np.int32]) -> NDArray[np.float32]:
    layer = next((each for each in mesh.uv_layers if each.active_render), None)
    if layer is None:
        return np.zeros((*loops.shape, 2), np.float32)
    flat = np.empty(2 * len(mesh.loops), np.float32)
    layer.uv.foreach_get("vector", flat)
    return np.nan_to_num(flat.reshape(-1, 2)[loops])


def _pixels(image: bpy.types.Image) -> NDArray[np.uint8] | None:
    """(H, W, 4) BGRA, top row first, no larger than needed; None where the image cannot be read or is huge."""
    had_data = image.has_data
    width, height = image.size
    if not 0 < width <= _MOST_PX or not 0 < height <= _MOST_PX or image.channels != 4:
        return None
    flat = np.empty(4 * width * height, np.float32)
    image.pixels.foreach_get(flat)
    if not had_data:
        image.buffers_free()
    step = max(1, -(-max(width, height) // _KEPT_PX))
    kept = flat.reshape(height, width, 4)[::-1][::step, ::step]
    return np.ascontiguousarray(np.clip(255.0 * kept[..., [2, 1, 0, 3]], 0.0, 255.0).astype(np.uint8))
