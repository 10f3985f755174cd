"""Operators, properties and preferences, and what they share: reading characters, writing keys.

Modules that are imported here import neither numpy nor the engine: both would add to Blender's start. What needs them
is imported inside the functions that use it.
"""

from . import (
    actor,
    actor_profile,
    add_demo_head,
    add_model,
    analyse,
    annotate,
    annotate_compare,
    annotate_fixes,
    annotate_operators,
    annotate_properties,
    bake,
    calibrate_ranges,
    capture_properties,
    character_properties,
    check_devices,
    cli,
    corrections,
    edit_table,
    edits,
    exchange_files,
    library,
    library_batch,
    library_properties,
    live,
    live_operators,
    live_properties,
    looking,
    outlets_export,
    outlets_sender,
    preferences,
    preview,
    refine,
    report,
    restore_drivers,
    review,
    scene_properties,
    stage,
    takes,
)

_MODULES = (
    add_model,
    check_devices,
    preferences,
    capture_properties,
    character_properties,
    library_properties,
    live_properties,
    outlets_sender,
    scene_properties,
    annotate_properties,
    add_demo_head,
    analyse,
    takes,
    exchange_files,
    refine,
    report,
    library,
    library_batch,
    actor,
    actor_profile,
    calibrate_ranges,
    edit_table,
    edits,
    looking,
    preview,
    live,
    live_operators,
    annotate,
    annotate_operators,
    annotate_compare,
    annotate_fixes,
    bake,
    corrections,
    outlets_export,
    restore_drivers,
    review,
    stage,
    cli,
)


def register() -> None:
    """Register preferences and properties, then the operators that read them."""
    for module in _MODULES:
        module.register()


def unregister() -> None:
    """Undo `register`, and drop what was opened meanwhile."""
    from . import closing

    closing.forget_all()
    for module in reversed(_MODULES):
        module.unregister()
