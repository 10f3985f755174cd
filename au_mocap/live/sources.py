"""Where the pictures of a live session come from: one door to all kinds of sources."""

from .camera import CameraInfo, CameraSource, cameras
from .files import FileSource, FolderSource
from .frames import Source, SourceFrame

__all__ = ["CameraInfo", "CameraSource", "FileSource", "FolderSource", "Source", "SourceFrame", "cameras"]
