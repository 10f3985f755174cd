"""One coder's work on one clip: the folder, the clip's clock, and every change on its way to the disk.

Imported at first use: it needs the engine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np
from numpy.typing import NDArray

from ..au_mocap import annotation, channels
from ..au_mocap.annotation import Annotation, ClipFacts, Labels, TakeFacts, sides
from ..au_mocap.annotation import folder as folders
from ..au_mocap.annotation.editing import Editing, Row, Rows
from ..au_mocap.annotation.journal import Journal
from ..au_mocap.datasets import annotated
from ..au_mocap.errors import AnnotationError, OutputError
from ..au_mocap.files import is_file
from ..au_mocap.video import file_sha256, open_video
from . import loaded, performing, settings

if TYPE_CHECKING:
    from ..au_mocap.annotation.agreement import Agreement
    from ..au_mocap.take import Take
    from .capture_properties import AUMOCAP_PG_take


@dataclass(frozen=True, slots=True)
class Source:
    """What is labelled: a video, and the take of it where there is one."""

    video: Path
    take: "Take | None"
    item: "AUMOCAP_PG_take | None"


class Session:
    """Labels in the making.

    Attributes:
        scene: Name of the scene whose timeline shows the clip.
        folder: Where the labels are.
        coder: Whose they are.
        video: The clip.
        clip: What the folder says of it.
        editing: The labels.
        problem: Why the last change could not be shown or stored; empty where it was.
        agreement: What comparing the coders said last.
        coders: Everybody who has labels here.
        is_stored: Whether the coder's table holds all changes; the journal holds them in any case.
    """

    def __init__(self, stage: bpy.types.Scene, stored: Annotation, folder: Path, source: Source, coder: str) -> None:
        """Begins or goes on; what a journal of an earlier session holds is put into the table at once."""
        self.scene, self.folder, self.coder, self.video = stage.name, folder, coder, source.video
        self.clip, self.channels = stored.clip, stored.channels
        self.problem = ""
        self.agreement: Agreement | None = None
        self.coders = tuple(dict.fromkeys([*stored.coders, coder]))
        time_s = clock(stored.clip, source.take)
        self.editing = Editing(stored.coders.get(coder, Labels.empty()), time_s, stage.aumocap_annotation.step)
        self._journal = Journal(folders.coder_file(folder, coder), self.channels)
        self._face: tuple[tuple[int, int], NDArray[np.float32]] | None = None
        self.is_stored = False
        self.store()

    @property
    def is_beside_video(self) -> bool:
        """Whether the labels are where they are kept unless another folder is chosen."""
        return self.folder == folder_beside(self.video)

    def shown(self, frame: int) -> NDArray[np.float32]:
        """(58,) the face at a frame, the nearest of the clip; looked up while neither frame nor labels change."""
        at = self.editing.step, min(max(frame, 0), self.clip.frames - 1)
        if self._face is None or self._face[0] != at:
            self._face = at, self.editing.shown(at[1])
        return self._face[1]

    def change(self, rows: Rows) -> None:
        """Writes what has changed into the journal; raises OutputError where that fails."""
        if rows:
            self.is_stored = False
            self.problem = ""
            self._journal.add(rows, [float(self.editing.time_s[frame]) for frame in rows])

    def store(self) -> None:
        """Writes the coder's table, which takes the journal's place; raises OutputError."""
        if not self.is_stored:
            annotation.save_coder(self.folder, self.coder, self.editing.labels, self.channels)
            self.is_stored = True

    def set_value(self, stage: bpy.types.Scene, frame: int, channel_ids: Sequence[str], value: float) -> Rows:
        """Labels channels of a frame; a frame without labels begins as the scene says.

        Raises:
            AuMocapError: The frame lies outside the clip, or the take cannot be read.
        """
        columns = [channels.INDEX[channel_id] for channel_id in channel_ids]
        if self.editing.row(frame) is not None:
            return self.editing.set_value(frame, columns, value)
        begun = sides.with_value(self._beginning(stage, frame), columns, value)
        return self.editing.put({frame: Row(begun, key=True)})

    def measured(self, stage: bpy.types.Scene) -> tuple[list[int], NDArray[np.float32]]:
        """Frames of the clip that the scene's take measured, and (N, 58) what its regressor says of them.

        Raises:
            AuMocapError: There is no take, or it is of another video.
        """
        item = performing.active_take(stage)
        take = loaded.calibrator(settings.path_of(item)).take
        check_take(self.clip, take)
        values = performing.curves_of(item).values.astype(np.float32)
        values[~take.found] = np.nan
        frames = [frame for frame in range(take.first_frame, take.first_frame + len(take)) if frame < self.clip.frames]
        return frames, values[: len(frames)]

    def _beginning(self, stage: bpy.types.Scene, frame: int) -> NDArray[np.float32]:
        nothing = np.full(len(channels.IDS), np.nan, np.float32)
        begin = stage.aumocap_annotation.begin
        if begin == "SHOWN" and 0 <= frame < self.clip.frames:
            return annotation.rounded(self.editing.blended(frame))
        if begin == "REGRESSOR" and len(stage.aumocap.takes):
            frames, values = self.measured(stage)
            return annotation.rounded(values[frames.index(frame)]) if frame in frames else nothing
        return nothing


def opened(stage: bpy.types.Scene, folder: str, coder: str) -> Session:
    """Begins to label the scene's clip, or goes on.

    Args:
        stage: The scene, whose chosen take, or else whose video, is labelled.
        folder: Where; empty for beside the video.
        coder: Who.

    Raises:
        AuMocapError: There is no clip, the folder is of another clip or damaged, or cannot be written.
    """
    coder = annotation.check_coder(coder)
    given = Path(bpy.path.abspath(folder)) if folder else None
    if given is not None and is_file(given / folders.DESCRIPTION):
        stored = annotation.load(given)
        source = _source(stage) or Source(annotated.clip_path(given, stored), None, None)
        _check_clip(stored.clip, source)
        place = given
    else:
        source = _source(stage)
        if source is None:
            message = "Choose the video to label in the Capture panel first, or the folder of labels to go on with."
            raise AnnotationError(message)
        place = folder_beside(source.video)
        if given is not None:
            place = given if given.name.endswith(annotation.SUFFIX) else given / place.name
        if is_file(place / folders.DESCRIPTION):
            stored = annotation.load(place)
            _check_clip(stored.clip, source)
        else:
            stored = _new(source)
            annotation.save(stored, place)
    annotation.check_coder(coder, stored.coders)
    return Session(stage, stored, place, source, coder)


def folder_beside(video: Path) -> Path:
    """Where the labels of a video are kept unless another folder is chosen."""
    name = video.stem if video.is_file() else video.name
    return video.parent / f"{name}{annotation.SUFFIX}"


def clock(clip: ClipFacts, take: "Take | None") -> NDArray[np.float64]:
    """(frames,) times of a clip's frames: the take's own where it has them, the nominal rate's elsewhere."""
    nominal = np.arange(clip.frames) / clip.rate_hz
    if take is None or take.first_frame >= clip.frames:
        return nominal
    first = take.first_frame
    known = take.time_s[: clip.frames - first]
    before = np.linspace(0.0, known[0], first, endpoint=False)
    after = known[-1] + np.arange(1, clip.frames - first - len(known) + 1) / clip.rate_hz
    found = np.concatenate([before, known, after])
    return found if (np.diff(found) > 0).all() else nominal


def check_take(clip: ClipFacts, take: "Take") -> None:
    """Raises AnnotationError where a take is of another video than the labels."""
    wanted = take.meta.get("source", {}).get("sha256")
    if wanted and clip.sha256 and wanted != clip.sha256:
        name = take.meta["source"].get("name", "another video")
        message = f"The labels are of {clip.name}, the chosen take is of {name}: choose a take of the same video."
        raise AnnotationError(message)


def _source(stage: bpy.types.Scene) -> Source | None:
    own = stage.aumocap
    if 0 <= own.active_take < len(own.takes):
        item = own.takes[own.active_take]
        if item.video:
            return Source(Path(bpy.path.abspath(item.video)), loaded.calibrator(settings.path_of(item)).take, item)
    video = own.capture.filepath
    return Source(Path(bpy.path.abspath(video)), None, None) if video else None


def _new(source: Source) -> Annotation:
    with open_video(source.video) as video:
        info = video.info
    take = source.take
    measured = take.first_frame + len(take) if take is not None else 0
    frames = max(info.frame_count or 0, measured)
    if not frames:
        message = f"{source.video.name} does not say how many frames it has: analyse it first, then label the take."
        raise AnnotationError(message)
    is_one_file = is_file(info.path)
    clip = ClipFacts(
        name=info.name,
        path=str(info.path.resolve()),
        size_bytes=info.path.stat().st_size if is_one_file else None,
        sha256=file_sha256(info.path) if is_one_file else None,
        frames=frames,
        rate_hz=info.rate_hz,
    )
    began = TakeFacts()
    if take is not None and source.item is not None:
        check_take(clip, take)
        regressor = take.meta.get("regressor", {}).get("name")
        began = TakeFacts(str(settings.path_of(source.item)), regressor if isinstance(regressor, str) else None)
    return Annotation(clip, channels.IDS, {}, began)


def _check_clip(clip: ClipFacts, source: Source) -> None:
    """Raises AnnotationError where a folder is of another clip."""
    if source.take is not None:
        check_take(clip, source.take)
    elif clip.sha256 is not None and is_file(source.video) and file_sha256(source.video) != clip.sha256:
        message = f"This folder labels {clip.name}, not {source.video.name}: choose another folder, or its video."
        raise AnnotationError(message)


def stored_or_problem(session: Session) -> None:
    """Stores what there is; a problem is kept for the panel."""
    try:
        session.store()
    except OutputError as error:
        session.problem = str(error)
