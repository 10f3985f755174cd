"""Settings of the sender: whether live faces also go to another program on this machine. Never what is running."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from typing import Final

import bpy

FORMS: Final = (
    ("live-link-face", "Live Link Face", "What Epic's app sends: 52 shapes, head and eyes, with frame numbers", 0),
    ("ifacialmocap", "iFacialMocap", "The text that iFacialMocap sends, with the head's place", 1),
)
ADDRESSES: Final = (
    ("127.0.0.1", "127.0.0.1", "This machine", 0),
    ("::1", "::1 (IPv6)", "This machine, for receivers that listen on IPv6 alone", 1),
)
_PORTS: Final = {"live-link-face": 11111, "ifacialmocap": 49983}


def _form_changed(self: "AUMOCAP_PG_sender", _context: bpy.types.Context) -> None:
    """A port that was the usual one of another form becomes the usual one of this form."""
    if self.port in _PORTS.values():
        self.port = _PORTS[self.form]


class AUMOCAP_PG_sender(bpy.types.PropertyGroup):
    """Whom live faces go to."""

    use: bpy.props.BoolProperty(
        name="Send",
        description="Send what live or preview shows to another program on this machine, over UDP; nothing leaves it",
        default=False,
    )
    form: bpy.props.EnumProperty(
        name="Form", description="What the other program understands", items=FORMS, update=_form_changed
    )
    address: bpy.props.EnumProperty(
        name="Address", description="Only this machine: nothing is ever sent to another one", items=ADDRESSES
    )
    port: bpy.props.IntProperty(
        name="Port", description="Where the other program listens", default=_PORTS["live-link-face"], min=0, max=65535
    )
    subject: bpy.props.StringProperty(
        name="Subject", description="Under this name the face appears in the other program", default="AUMocap"
    )


def register() -> None:
    """Register the settings, one set for each scene."""
    bpy.utils.register_class(AUMOCAP_PG_sender)
    bpy.types.Scene.aumocap_sender = bpy.props.PointerProperty(  # pyright: ignore[reportAttributeAccessIssue]
        type=AUMOCAP_PG_sender, name="AU Mocap Sender", description="Whom live faces go to"
    )


def unregister() -> None:
    """Undo `register`."""
    del bpy.types.Scene.aumocap_sender  # pyright: ignore[reportAttributeAccessIssue]
    bpy.utils.unregister_class(AUMOCAP_PG_sender)
