"""Settings of the machine: where takes lie, what inference runs on, what new scenes start with."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from dataclasses import dataclass
from pathlib import Path

import bpy

from ..au_mocap import DEFAULT_REGRESSOR
from ..au_mocap.errors import OutputError
from . import check_devices, choices, classes, package

DEVICES = (
    ("auto", "Automatic", "The fastest that starts on this machine, the processor otherwise"),
    ("cpu", "CPU", "The processor: always there"),
    ("cuda", "CUDA", "An NVIDIA card, through onnxruntime-gpu"),
)
SMOOTHING = (
    ("off", "Off", "The measured values as they are"),
    ("light", "Light", "Takes the flicker of the measurement out and leaves blinks as they are (35 ms)"),
    ("medium", "Medium", "For calm dialogue (70 ms)"),
    ("strong", "Strong", "For slow, soft motion (140 ms)"),
)


class AUMOCAP_AP_preferences(bpy.types.AddonPreferences):
    """The extension's page in Blender's preferences."""

    bl_idname = package.ID

    takes_folder: bpy.props.StringProperty(
        name="Takes Folder",
        description="Where analysed takes are stored; empty for the extension's own folder",
        subtype="DIR_PATH",
    )
    regressor: bpy.props.EnumProperty(
        name="Regressor",
        description="What new scenes analyse with",
        items=choices.regressor_items,
        default=choices.number_of(DEFAULT_REGRESSOR),
    )
    device: bpy.props.EnumProperty(name="Device", description="What new scenes run the networks on", items=DEVICES)
    smoothing: bpy.props.EnumProperty(
        name="Smoothing", description="What new takes are smoothed with", items=SMOOTHING, default="light"
    )
    threads: bpy.props.IntProperty(
        name="Threads", description="Processor threads for each network; 0 chooses by itself", default=0, min=0, max=64
    )
    runtime_folder: bpy.props.StringProperty(
        name="Own onnxruntime",
        description="Folder that holds an onnxruntime of your own, such as onnxruntime-gpu: made with "
        "'pip install --target FOLDER onnxruntime-gpu'. Networks then run in a process of their own. Empty for the "
        "bundled one",
        subtype="DIR_PATH",
    )

    def draw(self, _context: bpy.types.Context) -> None:
        """The page."""
        column = self.layout.column()
        column.use_property_split = True
        column.prop(self, "takes_folder")
        column.separator()
        for name in ("regressor", "smoothing", "device", "threads", "runtime_folder"):
            column.prop(self, name)
        self.layout.operator("aumocap.add_model", icon="IMPORT")
        self.layout.operator("aumocap.check_devices", icon="FILE_REFRESH")
        box = self.layout.column(align=True)
        for line in check_devices.lines():
            box.label(text=line.text, icon=line.icon, translate=False)


@dataclass(frozen=True, slots=True)
class _Defaults:
    """The page's defaults, for a script that enabled the extension without storing that in the preferences."""

    takes_folder: str = ""
    regressor: str = DEFAULT_REGRESSOR
    device: str = "auto"
    smoothing: str = "light"
    threads: int = 0
    runtime_folder: str = ""


def get(context: bpy.types.Context) -> "AUMOCAP_AP_preferences | _Defaults":
    """The extension's preferences."""
    addon = context.preferences.addons.get(package.ID)
    return addon.preferences if addon else _Defaults()  # pyright: ignore[reportReturnType]


def takes_folder(context: bpy.types.Context) -> Path:
    """Where takes are stored.

    Raises:
        OutputError: The folder cannot be made or written to.
    """
    chosen = get(context).takes_folder
    try:
        folder = Path(bpy.path.abspath(chosen)) if chosen else package.user_folder("takes")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = (
            f"Takes cannot be stored in {chosen or 'the extension folder'} ({error.strerror}): choose another "
            "folder in Edit > Preferences > Add-ons > AU Mocap."
        )
        raise OutputError(message) from error
    return folder


register, unregister = classes.factory((AUMOCAP_AP_preferences,))
