"""Refining one take in a thread of its own. The thread never touches Blender."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..au_mocap.errors import AuMocapError
from . import bundle
from .passes import Pass

if TYPE_CHECKING:
    from ..au_mocap.pipeline import Progress


@dataclass(frozen=True, slots=True)
class Order:
    """What to refine.

    Attributes:
        source: The take.
        output: The refined take to write.
        video: The video, where the scene knows it.
        steps: Of each frame.
        device: `auto`, `cpu` or `cuda`.
        threads: Threads for each network; 0 lets AU Mocap choose.
        runtime: Folder with an onnxruntime of the user's own, if any.
        models: Model folders of the user's own.
    """

    source: Path
    output: Path
    video: Path | None
    steps: int
    device: str
    threads: int
    runtime: Path | None
    models: tuple[Path, ...]


@dataclass(slots=True)
class Refinement(Pass):
    """A pass that refines.

    Attributes:
        order: What to refine.
        told: What came of it, in words for the user; empty until then, or where an error ended it.
        error: What went wrong, in words for the user; empty where nothing did.
    """

    thread_name = "AU Mocap refining"
    order: Order
    told: str = ""
    error: str = ""

    def run(self) -> None:
        """The whole pass, in the calling thread."""
        try:
            self.told = self._run()
        except AuMocapError as error:
            self.error = str(error)
        except ImportError as error:
            self.error = bundle.explain(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not die unseen with the thread
            self.bug = error
            self.error = f"Refining failed: {error!r}"

    def _run(self) -> str:
        # Here, since it takes a moment: the networks' runtime and OpenCV are loaded by these imports.
        from ..au_mocap import sessions
        from ..au_mocap.refine_file import Job, refine_file, told
        from ..au_mocap.registry import Registry

        order = self.order
        sessions.use_runtime(order.runtime)
        job = Job(order.source, order.output, order.video, None, order.steps, order.device, order.threads)
        return told(refine_file(job, Registry(further=order.models), self._advance))

    def _advance(self, progress: "Progress") -> bool:
        self.progress = progress
        return not self._stop.is_set()
