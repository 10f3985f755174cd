"""What a scene keeps of its library, and what the window shows of it: rows, search, the chosen take's notes.

Rows belong to the window manager: they are made anew from the folder and are never stored in a file.
"""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from typing import Final

import bpy

VIEWS: Final = (
    ("LIST", "List", "A row for each take", "LONGDISPLAY", 0),
    ("GRID", "Pictures", "A picture of each take", "IMGDISPLAY", 1),
)
SOURCES: Final = (
    ("PROFILE", "Actor's Profile", "Neutral, ranges and intensity of an actor's profile"),
    ("ACTIVE", "Chosen Take", "All settings of the take that is chosen in the Capture panel"),
)
BAKES: Final = (
    ("new", "Actions", "An Action for each take; the character plays the last one, the others are kept"),
    ("nla", "NLA Strips", "A strip for each take on a track of its own"),
)
PLACES: Final = (
    ("SAME", "At the Same Frame", "Every take begins at the start frame of the Bake panel"),
    ("ROW", "One After Another", "Each take begins where the one before has ended"),
)


def _searched(_owner: object, _context: bpy.types.Context) -> None:
    from . import library_state

    library_state.refill()


def _folder_chosen(_owner: object, _context: bpy.types.Context) -> None:
    from . import library_state

    library_state.folder_chosen()


def _chosen(_owner: object, _context: bpy.types.Context) -> None:
    from . import library_state

    library_state.choose()


def _noted(field: str) -> "object":
    def update(_owner: object, _context: bpy.types.Context) -> None:
        from . import library_state

        library_state.note(field)

    return update


class AUMOCAP_PG_library(bpy.types.PropertyGroup):
    """The library of one scene."""

    folder: bpy.props.StringProperty(
        name="Folder",
        description="Folder of takes, with all that is below it; empty for the takes folder of the preferences",
        subtype="DIR_PATH",
        update=_folder_chosen,
    )
    source: bpy.props.EnumProperty(name="Settings", description="What all takes are given", items=SOURCES)
    profile: bpy.props.StringProperty(name="Profile", description="The actor's profile that all takes are given")
    bake_to: bpy.props.EnumProperty(name="Bake Into", description="What becomes of each take", items=BAKES)
    place: bpy.props.EnumProperty(name="Place", description="Where each take begins", items=PLACES)
    gap: bpy.props.IntProperty(
        name="Gap", description="Scene frames between one take and the next", default=10, min=0, max=10000
    )


class AUMOCAP_PG_library_row(bpy.types.PropertyGroup):
    """One take that fits the search; its name is the file's."""

    number: bpy.props.IntProperty(name="Number", description="Which take of the folder", options={"SKIP_SAVE"})
    marked: bpy.props.BoolProperty(
        name="Mark", description="Work on this take together with others that are marked", options={"SKIP_SAVE"}
    )


class AUMOCAP_PG_library_window(bpy.types.PropertyGroup):
    """What the panel shows of a library."""

    rows: bpy.props.CollectionProperty(type=AUMOCAP_PG_library_row, options={"SKIP_SAVE"})
    active: bpy.props.IntProperty(
        name="Take", description="The take that is shown below", default=0, update=_chosen, options={"SKIP_SAVE"}
    )
    search: bpy.props.StringProperty(
        name="Search",
        description="Words that takes must have; actor:anna, tag:smile, note:, clip:, regressor:, name:, is:missing, "
        "is:broken and is:partial look in one place, -word leaves takes out",
        update=_searched,
        options={"SKIP_SAVE", "TEXTEDIT_UPDATE"},
    )
    view: bpy.props.EnumProperty(name="View", description="How takes are shown", items=VIEWS)
    page: bpy.props.IntProperty(name="Page", description="Which takes are shown", min=0, options={"SKIP_SAVE"})
    actor: bpy.props.StringProperty(
        name="Actor", description="Who acts in this take", update=_noted("actor"), options={"SKIP_SAVE"}
    )
    tags: bpy.props.StringProperty(
        name="Tags",
        description="Words to find the take by, with commas between",
        update=_noted("tags"),
        options={"SKIP_SAVE"},
    )
    notes: bpy.props.StringProperty(
        name="Notes", description="What is worth knowing about the take", update=_noted("notes"), options={"SKIP_SAVE"}
    )


CLASSES = (AUMOCAP_PG_library, AUMOCAP_PG_library_row, AUMOCAP_PG_library_window)


def register() -> None:
    """Register the groups, the scene's and the window's."""
    for each in CLASSES:
        bpy.utils.register_class(each)
    bpy.types.Scene.aumocap_library = bpy.props.PointerProperty(type=AUMOCAP_PG_library)
    bpy.types.WindowManager.aumocap_library = bpy.props.PointerProperty(type=AUMOCAP_PG_library_window)


def unregister() -> None:
    """Undo `register`."""
    del bpy.types.WindowManager.aumocap_library
    del bpy.types.Scene.aumocap_library
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
