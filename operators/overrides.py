"""Characters that are library overrides: Blender overrides their objects, but leaves the meshes' shape keys linked."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

import bpy

from ..au_mocap.errors import AuMocapError


@contextmanager
def keyable(meshes: Sequence[bpy.types.Object]) -> Generator[None]:
    """Overrides the mesh data of overridden objects, so that their shape keys can be keyed.

    What was overridden stays so when the block ends well; when it raises an AuMocapError, all is as before.

    Args:
        meshes: Mesh objects of a character; those that are not overrides, or whose data is local, are left alone.
    """
    made: list[tuple[bpy.types.Object, bpy.types.Mesh]] = []
    for mesh in meshes:
        data = mesh.data
        if mesh.override_library is not None and data.library is not None and data.shape_keys is not None:
            local = data.override_create(remap_local_usages=True)
            if local is not None:
                made.append((mesh, data))
    try:
        yield
    except AuMocapError:
        for mesh, linked in made:
            local = mesh.data
            mesh.data = linked
            bpy.data.meshes.remove(local)
        raise
