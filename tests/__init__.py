"""Tests: `core` (no Blender), `blender` (Blender as a module) and `bench`."""
