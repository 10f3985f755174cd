"""Long work on many takes, in steps: each is a generator that Blender's own thread advances while a panel waits.

What takes long runs in threads; between two steps the window draws, and the run can be stopped.
"""

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import bpy

from ..au_mocap.errors import AuMocapError, LibraryError
from . import bundle, library_state, take_list
from .analysis import Analysis, Order

if TYPE_CHECKING:
    from ..au_mocap.batch import Result
    from ..au_mocap.profile import Profile

Steps = Generator[None, None, None]
State = Literal["done", "skipped", "failed", "cancelled"]

_SUFFIX: Final = ".take.npz"


@dataclass(slots=True)
class Run:
    """A list that is worked through.

    Attributes:
        title: What is done.
        total: How many there are; 0 until that is known.
        name: The one at hand.
        share: 0..1, how far that one is.
        results: How those before it ended.
        stopped: Whether the rest is to be left.
        on_stop: What else a stop has to tell, while a pass is running.
    """

    title: str
    total: int = 0
    name: str = ""
    share: float = 0.0
    results: "list[Result]" = field(default_factory=list)
    stopped: bool = False
    on_stop: Callable[[], None] | None = None

    def stop(self) -> None:
        """Leave the rest, and the one at hand as soon as that can be."""
        self.stopped = True
        if self.on_stop is not None:
            self.on_stop()

    def end(self, name: str, state: State, detail: str = "") -> None:
        """Note how one ended."""
        from ..au_mocap.batch import Result

        self.results.append(Result(name, state, detail))
        self.share = 0.0

    @property
    def factor(self) -> float:
        """0..1, how far all of it is."""
        return min(1.0, (len(self.results) + self.share) / self.total) if self.total else 0.0


def each(run: Run, items: Sequence[Any], name_of: Callable[[Any], str], work: Callable[[Any], Steps]) -> Steps:
    """Work through a list; one that fails does not stop the others.

    Args:
        run: Where it is told how far it is.
        items: The list.
        name_of: What one is called.
        work: The steps of one, which returns in `run.end` how it ended or raises an AuMocapError.
    """
    run.total = len(items)
    for item in items:
        run.name = name_of(item)
        if run.stopped:
            run.end(run.name, "cancelled")
            continue
        yield
        try:
            with bundle.needed():
                yield from work(item)
        except AuMocapError as error:
            run.end(run.name, "failed", str(error))


def threaded(work: Callable[[], Any]) -> Generator[None, None, Any]:
    """Steps that wait for a function in a thread, and return what it returned; what it raises is raised here."""
    outcome: list[Any] = []
    raised: list[BaseException] = []

    def call() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again below, in Blender's own thread
            raised.append(error)

    thread = threading.Thread(target=call, name="AU Mocap list", daemon=True)
    thread.start()
    while thread.is_alive():
        yield
        thread.join(0.002)
    if raised:
        raise raised[0]
    return outcome[0]


@dataclass(frozen=True, slots=True)
class AnalyseOrder:
    """Which videos are analysed, and how.

    Attributes:
        folder: Where the videos are.
        output: Where the takes go.
        how: All but the video and its take.
        scene: Name of the scene whose list takes are added to; empty for none.
        smoothing: What they start with there.
    """

    folder: Path
    output: Path
    how: Order
    scene: str
    smoothing: str


def analyse(run: Run, order: AnalyseOrder, watch: "Callable[[Analysis | None], None]") -> Steps:
    """Make takes of the videos of a folder; those that have one already are skipped.

    Args:
        run: Where it is told how far it is.
        order: What to analyse.
        watch: Told of each pass when it begins, and None when it has ended.
    """
    from ..au_mocap import batch

    videos = yield from threaded(lambda: batch.videos_of(order.folder, lambda: not run.stopped))
    if not videos:
        message = f"There are no videos in {order.folder}: choose a folder that holds some."
        raise LibraryError(message)
    outputs = batch.outputs_for(videos, order.output)

    def work(video: Path) -> Steps:
        output = outputs[video]
        if batch.is_done(output, video, order.how.regressor):
            run.end(run.name, "skipped", output.name)
            return
        if output.exists():  # of another video or regressor, or partial: it stays
            output = take_list.free_path(order.output, Path(output.name.removesuffix(_SUFFIX) + video.suffix))
        yield from _pass(run, replace(order.how, video=video, output=output), watch)
        if run.results[-1].state == "done" and order.scene in bpy.data.scenes:
            take_list.add(bpy.data.scenes[order.scene], output, order.smoothing)

    yield from each(run, videos, lambda video: video.name, work)


def _pass(run: Run, order: Order, watch: "Callable[[Analysis | None], None]") -> Steps:
    """One pass over a video; a stop leaves no take of it."""
    analysis = Analysis(order)
    run.on_stop = analysis.stop
    watch(analysis)
    try:
        analysis.start()
        while analysis.running:
            progress = analysis.progress
            run.share = progress.done / progress.total if progress is not None and progress.total else 0.0
            yield
            analysis.join(0.002)
    finally:
        run.on_stop = None
        watch(None)
    if analysis.bug is not None:
        import traceback

        traceback.print_exception(analysis.bug)
    outcome = analysis.outcome
    assert outcome is not None
    if outcome.error:
        raise LibraryError(outcome.error)
    if not outcome.complete:
        if outcome.output is not None:
            outcome.output.unlink(missing_ok=True)
        run.end(run.name, "cancelled")
        return
    run.end(run.name, "done", f"{outcome.frames} frames, a face in {outcome.faces}")


def scene_of(name: str) -> bpy.types.Scene:
    """A scene by name, looked up after each step, for undo replaces all data; raises LibraryError where it is gone."""
    found = bpy.data.scenes.get(name)
    if found is None:
        message = f"The scene '{name}' is gone, or has another name: begin again."
        raise LibraryError(message)
    return found


def listed(stage: bpy.types.Scene, path: Path) -> int:
    """Which of the scene's takes a file is, -1 where it is in no list."""
    wanted = path.resolve()
    for number, item in enumerate(stage.aumocap.takes):
        if Path(bpy.path.abspath(item.filepath)).resolve() == wanted:
            return number
    return -1


def load(stage: bpy.types.Scene, path: Path, smoothing: str) -> int:
    """Put a take into the scene's list unless it is there; returns its number.

    Raises:
        TakeError: The file is no take.
    """
    number = listed(stage, path)
    if number >= 0:
        return number
    take_list.add(stage, path, smoothing)
    return len(stage.aumocap.takes) - 1


@contextmanager
def _chosen_stays(stage: bpy.types.Scene) -> Generator[None]:
    """The scene's chosen take is the same afterwards."""
    from . import refresh

    before = stage.aumocap.active_take
    try:
        with refresh.held():
            yield
    finally:
        if 0 <= before < len(stage.aumocap.takes):
            with refresh.held():
                stage.aumocap.active_take = before


def _opened(path: Path) -> Generator[None, None, None]:
    """Read a take in a thread, so that using it afterwards costs little."""
    from . import loaded

    yield from threaded(lambda: loaded.calibrator(path))


def calibrate(run: Run, stage_name: str, paths: Sequence[Path], profile: "Profile | None", smoothing: str) -> Steps:
    """Give takes an actor's profile, or the settings of the scene's chosen take; those not in the list are added.

    Args:
        run: Where it is told how far it is.
        stage_name: The scene.
        paths: The takes.
        profile: The profile; None for the chosen take's settings.
        smoothing: What takes that are added start with.
    """
    from . import actor_settings

    source = bpy.data.scenes[stage_name].aumocap.active_take
    pattern = listed_path(bpy.data.scenes[stage_name], source)

    def work(path: Path) -> Steps:
        yield from _opened(path)
        stage = scene_of(stage_name)
        with _chosen_stays(stage):
            item = stage.aumocap.takes[load(stage, path, smoothing)]
            if profile is None and listed_path(stage, source) != pattern:
                message = "The take whose settings were to be given has left the list: choose one, and begin again."
                raise LibraryError(message)
            if profile is not None:
                actor_settings.apply(profile, item)
                run.end(run.name, "done", f"profile of {profile.name}")
            elif path.resolve() == pattern:
                run.end(run.name, "skipped", "these are its settings")
            else:
                copy_settings(stage.aumocap.takes[source], item)
                run.end(run.name, "done", f"settings of {stage.aumocap.takes[source].name}")

    yield from each(run, paths, _name, work)


def listed_path(stage: bpy.types.Scene, number: int) -> Path | None:
    """File of one of the scene's takes."""
    takes = stage.aumocap.takes
    return Path(bpy.path.abspath(takes[number].filepath)).resolve() if 0 <= number < len(takes) else None


def copy_settings(source: "bpy.types.PropertyGroup", target: "bpy.types.PropertyGroup") -> None:
    """Give a take another one's settings; frames of its neutral are its own, so a neutral by frames is not copied."""
    from . import actor_settings, refresh

    with refresh.held():
        for name in ("smoothing", "gaps", "mirror", "contact"):
            setattr(target, name, getattr(source, name))
        actor_settings.copy(source, target)
        if source.neutral != "frames":
            target.neutral = source.neutral


@dataclass(frozen=True, slots=True)
class BakeOrder:
    """How a list is baked.

    Attributes:
        scene: Name of the scene.
        destination: `new` for Actions, `nla` for strips.
        in_a_row: Whether each take begins where the one before ended, rather than all at the start frame.
        gap: Scene frames between them.
        smoothing: What takes that are added to the scene start with.
    """

    scene: str
    destination: str
    in_a_row: bool
    gap: int
    smoothing: str


def bake(run: Run, paths: Sequence[Path], order: BakeOrder) -> Steps:
    """Bake takes onto the scene's character, each under its own name.

    A take that is stopped while it is read leaves no keys; one that is being written is finished.
    """
    from . import loaded

    first = bpy.data.scenes[order.scene].aumocap.bake.start_frame
    places = [first]

    def work(path: Path) -> Steps:
        yield from _opened(path)
        stage = scene_of(order.scene)
        with _chosen_stays(stage):
            number = load(stage, path, order.smoothing)
            from . import settings

            chosen = settings.of_take(stage.aumocap.takes[number])
        run.share = 0.3
        curves = loaded.calibrator(path).curves
        yield from threaded(lambda: curves(chosen))
        if run.stopped:
            run.end(run.name, "cancelled")
            return
        run.share = 0.6
        yield
        detail, last = _bake_one(scene_of(order.scene), number, places[0], order)
        run.end(run.name, "done", detail)
        if order.in_a_row:
            places[0] = float(int(last) + 1 + order.gap)

    yield from each(run, paths, _name, work)


def _bake_one(stage: bpy.types.Scene, number: int, start: float, order: BakeOrder) -> tuple[str, float]:
    """Bake one take of the list; returns what was done and its last scene frame."""
    from . import performing, preview

    preview.make_way(stage)  # its poses are not to be taken for the character's own
    own = stage.aumocap
    kept = (own.bake.destination, own.bake.start_frame)
    with _chosen_stays(stage):
        try:
            own.active_take = number
            own.bake.destination, own.bake.start_frame = order.destination, start
            report = performing.bake_scene(stage)
        finally:
            own.bake.destination, own.bake.start_frame = kept
    for action in report.actions:
        action.use_fake_user = True  # the character plays the last one only
    names = ", ".join(action.name for action in report.actions)
    skipped = f", {len(report.skipped)} left out" if report.skipped else ""
    return f"{names}{skipped}", report.frame_range[1]


def relink(run: Run, folder: Path, entries: "Sequence[Any]") -> Steps:
    """Look for the videos of takes below a folder, and note where they are."""
    from ..au_mocap.library import relinking

    run.total, run.name = 1, str(folder)
    result = yield from threaded(lambda: relinking.find(entries, [folder], lambda: not run.stopped))
    relinking.note(result)
    for take, video in result.found.items():
        for stage in bpy.data.scenes:
            number = listed(stage, take)
            if number >= 0:
                stage.aumocap.takes[number].video = take_list.kept(str(video))
    run.total = len(result.found) + len(result.missing)
    for take, video in result.found.items():
        run.end(_name(take), "done", str(video))
    for take in result.missing:
        told = next((problem for problem in result.problems if problem.startswith(f"{take.name}:")), "")
        run.end(_name(take), "cancelled" if run.stopped else "failed", told or "its video is not there")
    library_state.renew(list(result.found))


def _name(path: Path) -> str:
    return library_state.text_of(path.name.removesuffix(_SUFFIX))
