"""One pass over a video in a thread of its own. The thread never touches Blender."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..au_mocap.errors import AuMocapError
from . import bundle
from .passes import Pass

if TYPE_CHECKING:
    from ..au_mocap.meter import Meter
    from ..au_mocap.pipeline import Progress
    from ..au_mocap.regressors import Regressor
    from ..au_mocap.take import Take
    from ..au_mocap.tracking import FaceTracker


@dataclass(frozen=True, slots=True)
class Order:
    """What to analyse.

    Attributes:
        video: The video, or what names an image sequence.
        output: The take to write.
        regressor: Name in the registry.
        device: `auto`, `cpu` or `cuda`.
        first: First video frame.
        stop: Frame before which to end; None for all.
        fov_deg: Vertical field of view of the camera in degrees.
        threads: Threads for each network; 0 lets AU Mocap choose.
        runtime: Folder with an onnxruntime of the user's own, if any.
        models: Model folders of the user's own.
        all_actors: Make a take of everybody in the shot; their files are named after `output`.
    """

    video: Path
    output: Path
    regressor: str
    device: str
    first: int = 0
    stop: int | None = None
    fov_deg: float = 63.0
    threads: int = 0
    runtime: Path | None = None
    models: tuple[Path, ...] = ()
    all_actors: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended.

    Attributes:
        output: The take, where one was written.
        frames: Frames in it.
        faces: Frames with a face.
        complete: Whether the video was read to its end, or to the end of the chosen range.
        seconds: How long it took.
        providers: What the regressor really ran on.
        warnings: What the user should know.
        error: What went wrong, in words for the user; empty where nothing did.
        further: The takes of the other actors, where everybody was followed.
    """

    output: Path | None = None
    frames: int = 0
    faces: int = 0
    complete: bool = True
    seconds: float = 0.0
    providers: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str = ""
    further: tuple[Path, ...] = ()


@dataclass(slots=True)
class Analysis(Pass):
    """A pass that measures.

    Attributes:
        order: What to analyse.
        at_terminal: Whether somebody waits at a terminal, who is shown progress there.
        outcome: How it ended; None until then.
    """

    thread_name = "AU Mocap analysis"
    order: Order
    at_terminal: bool = False
    outcome: Outcome | None = None
    _meter: "Meter | None" = None

    def run(self) -> None:
        """The whole pass, in the calling thread."""
        try:
            self.outcome = self._run()
        except AuMocapError as error:
            self.outcome = Outcome(error=str(error), complete=False)
        except ImportError as error:
            self.outcome = Outcome(error=bundle.explain(error), complete=False)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not die unseen with the thread
            self.bug = error
            self.outcome = Outcome(error=f"Analysis failed: {error!r}", complete=False)

    def _run(self) -> Outcome:
        # Here, since it takes a moment: the networks' runtime and OpenCV are loaded by these imports.
        from ..au_mocap import sessions, take
        from ..au_mocap.meter import Meter
        from ..au_mocap.registry import Registry
        from ..au_mocap.regressors import open_regressor
        from ..au_mocap.tracking import open_tracker

        order = self.order
        sessions.use_runtime(order.runtime)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", sessions.ProviderWarning)
            registry = Registry(further=order.models)
            tracker = open_tracker("onnx", registry, order.device, order.threads)
            regressor = open_regressor(registry, order.regressor, order.device, order.threads)
        notes = [str(each.message) for each in caught if issubclass(each.category, sessions.ProviderWarning)]
        self._meter = Meter(order.video.name) if self.at_terminal else None
        try:
            made, told = self._measure(tracker, regressor)
        except AuMocapError:
            if self._stop.is_set() and self.progress is None:  # stopped before the first frame: nothing was lost
                return Outcome(complete=False)
            raise
        finally:
            if self._meter is not None:
                self._meter.finish()
        complete = not self._stop.is_set()
        outputs = [order.output] if not order.all_actors else _paths(order.output, len(made))
        for each, path in zip(made, outputs, strict=True):
            each.meta["partial"] = not complete
            take.save(each, path)
        return Outcome(
            output=outputs[0],
            further=tuple(outputs[1:]),
            frames=len(made[0]),
            faces=self.progress.faces if self.progress else 0,
            complete=complete,
            seconds=self.progress.elapsed_s if self.progress else 0.0,
            providers=regressor.providers,
            warnings=(*notes, *told),
        )

    def _measure(self, tracker: "FaceTracker", regressor: "Regressor") -> "tuple[list[Take], list[str]]":
        """The take, or that of everybody, and what to tell of the video."""
        from ..au_mocap import actors, pipeline
        from ..au_mocap.cast import MOST_ACTORS

        order = self.order
        options = pipeline.Extraction(pipeline.Range(order.first, order.stop), order.fov_deg, MOST_ACTORS)
        if order.all_actors:
            return actors.analyse_all(order.video, tracker, regressor, options, self._advance)
        made, told = pipeline.extract(order.video, tracker, regressor, options, self._advance)
        return [made], told

    def _advance(self, progress: "Progress") -> bool:
        self.progress = progress
        if self._meter is not None:
            self._meter(progress)
        return not self._stop.is_set()


def _paths(output: Path, count: int) -> list[Path]:
    """Files of several actors, that of a single take with a number before its ending; none of them exists."""
    from ..au_mocap.take import SUFFIX
    from . import take_list

    stem = output.name.removesuffix(SUFFIX)
    return [take_list.free_path(output.parent, Path(f"{stem}.actor{number}.take")) for number in range(1, count + 1)]
