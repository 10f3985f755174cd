"""Folders of takes for tests of the library."""

from pathlib import Path

from au_mocap.library import notes, scanning
from au_mocap.library.entry import Entry
from au_mocap.take import save
from au_mocap.video import file_sha256
from tests.core.takes import made_take


def put(folder: Path, name: str, video: Path | None = None, **meta: object) -> Path:
    """A take of six frames, made of a video where one is named."""
    source: dict[str, object] = {"name": "actor.mp4", "rate_hz": 25.0}
    if video is not None:
        source |= {"name": video.name, "path": str(video), "size_bytes": video.stat().st_size}
        source |= {"sha256": file_sha256(video)}
    path = folder / f"{name}.take.npz"
    described = {"source": source, "first_frame": 0, "regressor": {"name": "geometry", "version": "1"}, **meta}
    save(made_take(meta=described), path)
    return path


def shoot(folder: Path) -> Path:
    """Four takes in two folders, with actors and tags."""
    notes.edit(put(folder, "opening"), actor="Änna", add_tags=["smile", "hero take"])
    notes.edit(put(folder / "day 2", "opening"), actor="Bo", add_tags=["smile"], note="light leak\nbehind her")
    notes.edit(put(folder / "day 2", "é moji 😀"), actor="anna", add_tags=["frown"])
    put(folder / "day 2", "untold")
    return folder


def entries(folder: Path, cache: Path | None = None) -> dict[str, Entry]:
    """Entries by folder and name."""
    return {f"{each.folder}/{each.name}".lstrip("/"): each for each in scanning.scan(folder, cache).entries}
