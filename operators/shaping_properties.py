"""How strongly each region of a face acts, for one take; the fields are named as the engine's regions."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from typing import Any, Final

import bpy

from . import refresh

NAMES: Final = ("brows", "lids", "gaze", "nose_cheeks", "lips", "jaw", "tongue")
"""The regions in the panel's order. Written out, for the engine is not imported before it is used."""


def _factor(name: str) -> Any:  # noqa: ANN401 - Blender's deferred property
    return bpy.props.FloatProperty(
        name=name,
        description="How strongly this part of the face acts, beside what each channel's gain says",
        default=1.0,
        min=0.0,
        max=3.0,
        soft_max=2.0,
        precision=2,
        update=refresh.settings_changed,
    )


def _bend(name: str) -> Any:  # noqa: ANN401 - Blender's deferred property
    return bpy.props.FloatProperty(
        name=name,
        description="Above 0 small expressions grow, below 0 they shrink; rest and the full action stay where they are",
        default=0.0,
        min=-2.0,
        max=2.0,
        precision=2,
        update=refresh.settings_changed,
    )


class AUMOCAP_PG_intensity(bpy.types.PropertyGroup):
    """Factors by region."""

    brows: _factor("Brows")
    lids: _factor("Lids")
    gaze: _factor("Gaze")
    nose_cheeks: _factor("Nose and Cheeks")
    lips: _factor("Lips")
    jaw: _factor("Jaw")
    tongue: _factor("Tongue")


class AUMOCAP_PG_exaggeration(bpy.types.PropertyGroup):
    """Doublings of what is small, by region."""

    brows: _bend("Brows")
    lids: _bend("Lids")
    gaze: _bend("Gaze")
    nose_cheeks: _bend("Nose and Cheeks")
    lips: _bend("Lips")
    jaw: _bend("Jaw")
    tongue: _bend("Tongue")
