"""Why a video file cannot be opened, read from its first bytes and its boxes, in words that help."""

from pathlib import Path
from typing import BinaryIO, Final

_ISO_BOXES: Final = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_AUDIO_MARKS: Final = (b"ID3", b"fLaC", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xf1", b"\xff\xf9", b"#!AMR")
_VIDEO_MARKS: Final = (
    b"\x1aE\xdf\xa3",  # Matroska, WebM
    b"OggS",
    b"FLV",
    b"GIF8",
    b"\x30\x26\xb2\x75",  # ASF, WMV
    b"\x00\x00\x01\xba",  # MPEG program stream
    b"\x06\x0e\x2b\x34",  # MXF
)
_TS_PACKET_BYTES: Final = 188
_HEAD_BYTES: Final = 2 * _TS_PACKET_BYTES
CONVERT_HINT: Final = (
    "Convert it to H.264 with a video converter (HandBrake, or: ffmpeg -i INPUT -c:v libx264 -crf 16 OUTPUT.mp4)"
)


def why_unreadable(path: Path) -> str:
    """Say why a file that OpenCV refused holds no readable video, and what to do about it.

    Args:
        path: An existing, non-empty file.

    Returns:
        A sentence or two, starting after the file's name: "X <text>".
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
        if head[4:8] in _ISO_BOXES:
            return _why_unreadable_iso(stream, path.stat().st_size)
    is_wave = head.startswith(b"RIFF") and head[8:12] == b"WAVE"
    if is_wave or head.startswith(_AUDIO_MARKS):
        return "holds sound but no picture. Choose the video that it belongs to."
    if head.startswith((*_VIDEO_MARKS, b"RIFF")) or _looks_like_ts(head):
        return f"holds no video stream that can be decoded here (sound only, or an unknown codec). {CONVERT_HINT}."
    return "is not a video, whatever its name says. Choose a video file, or record or export it again."


def counts_frames(path: Path) -> bool:
    """Whether a file's format states its number of frames (MP4, MOV, AVI) rather than a duration to guess it from."""
    with path.open("rb") as stream:
        head = stream.read(12)
    return head[4:8] in _ISO_BOXES or (head.startswith(b"RIFF") and head[8:12] == b"AVI ")


def _why_unreadable_iso(stream: BinaryIO, size_bytes: int) -> str:
    """The same for MP4 and MOV, whose index (the moov box) may be missing or hold no video track."""
    index = _read_box(stream, b"moov", size_bytes)
    if index is None:
        return (
            "was cut off while it was recorded or copied: its index (the moov box) is missing, and nothing can be "
            "decoded without it. Copy it again, or repair it with a tool for unfinished recordings such as untrunc."
        )
    if b"vide" not in index:
        return "holds sound but no picture. Choose the video that it belongs to."
    return f"holds a video stream that cannot be decoded here. {CONVERT_HINT}."


def _read_box(stream: BinaryIO, wanted: bytes, size_bytes: int) -> bytes | None:
    """Return the content of a top-level ISO box, or None where the file ends before it or inside it."""
    position = 0
    while position + 8 <= size_bytes:
        stream.seek(position)
        header = stream.read(16)
        length, kind, header_length = int.from_bytes(header[:4], "big"), header[4:8], 8
        if length == 1:  # the length does not fit 32 bits and follows
            length, header_length = int.from_bytes(header[8:16], "big"), 16
        elif length == 0:  # to the end of the file
            length = size_bytes - position
        if length < header_length or (kind == wanted and position + length > size_bytes):
            return None
        if kind == wanted:
            stream.seek(position + header_length)
            return stream.read(length - header_length)
        position += length
    return None


def _looks_like_ts(head: bytes) -> bool:
    return len(head) > _TS_PACKET_BYTES and head[0] == head[_TS_PACKET_BYTES] == 0x47
