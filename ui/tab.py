"""Where the panels are: the tab AU Mocap in the 3D viewport's sidebar."""


class InTab:
    """What every panel of the tab has in common."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "AU Mocap"
