"""The engine: from an actor's video to Action Unit curves. Knows nothing of Blender."""

__version__ = "0.1.0"
