"""Adds a regressor of the user's own, such as one that was adapted to an actor."""

from pathlib import Path
from typing import ClassVar

import bpy

from ..au_mocap.errors import AuMocapError
from . import bundle, classes, models


class AUMOCAP_OT_add_model(bpy.types.Operator):
    """Copies a model folder to where regressors are looked for."""

    bl_idname = "aumocap.add_model"
    bl_label = "Add Regressor..."
    bl_description = "Choose a folder with a regressor of your own (its registry.toml, graphs and card) and keep a copy"
    bl_options: ClassVar = {"REGISTER"}

    directory: bpy.props.StringProperty(
        name="Folder", description="Folder that holds registry.toml", subtype="DIR_PATH"
    )  # pyright: ignore[reportInvalidTypeForm]

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the folder."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Try the regressors of the folder, then copy it."""
        if not self.directory:
            self.report({"ERROR"}, "Choose the folder of the regressor first.")
            return {"CANCELLED"}
        try:
            with bundle.needed():
                from ..au_mocap.model_folder import install
            names = install(Path(bpy.path.abspath(self.directory)), models.folder())
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, f"Added {', '.join(names)}: choose it as the regressor.")
        return {"FINISHED"}


register, unregister = classes.factory((AUMOCAP_OT_add_model,))
