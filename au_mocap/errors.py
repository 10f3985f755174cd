"""Errors whose message tells the user what to do.

Everything that a user can cause (a wrong path, a broken file, a full disk) is raised as a subclass of `AuMocapError`;
callers show its text as it is. Anything else that is raised is a bug.
"""


class AuMocapError(Exception):
    """Base of all errors that are meant for the user's eyes."""


class VideoError(AuMocapError):
    """A video or image sequence cannot be opened or decoded."""


class TrackerError(AuMocapError):
    """A face tracker cannot be set up or was given an image that it cannot read."""


class ModelError(AuMocapError):
    """A model file or a registry entry is missing, damaged or does not fit."""


class TakeError(AuMocapError):
    """A take cannot be read, or holds too little for what was asked of it."""


class ExchangeError(AuMocapError):
    """A file of another program cannot be read, or holds something else than its form promises."""


class AnnotationError(AuMocapError):
    """A folder of labels cannot be read, or its labels do not fit the clip, the channels or each other."""


class MappingError(AuMocapError):
    """A mapping table is malformed or names what does not exist."""


class SettingsError(AuMocapError):
    """A setting is out of its range or contradicts another."""


class OutputError(AuMocapError):
    """A result cannot be written, or would overwrite an earlier one."""


class ProfileError(AuMocapError):
    """An actor's profile cannot be read, or does not fit the take."""


class LibraryError(AuMocapError):
    """A folder of takes, or what is noted about a take, cannot be read or does not fit."""


class LiveError(AuMocapError):
    """A camera or another live source cannot be used, or a live session was asked for what it cannot do now."""
