"""AU Mocap's engine: from an actor's video to Action Unit curves. Knows nothing of Blender."""

from typing import Final

__version__ = "0.1.0"

DEFAULT_REGRESSOR: Final = "accurate"
"""The regressor that is used unless another one is named. Stands here since this module costs nothing to import."""
