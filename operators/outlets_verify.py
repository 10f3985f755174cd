"""A file that was exported, read again and compared with what the scene plays."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np

from ..au_mocap.arrays import Floats
from ..au_mocap.errors import OutputError
from .outlets_files import Form
from .outlets_reader import Samples

SHAPE: Final = 1e-3
"""By how much a shape key's value may differ."""
TURN_DEG: Final = 0.1
PLACE_M: Final = 1e-3
BENT_DEG: Final = 3.0
"""For bones that are stretched, and those below: seen from it they are sheared, which neither format can hold."""

_LIMITS: Final = {"key": SHAPE, "turn": TURN_DEG, "bent": BENT_DEG, "place": PLACE_M}
_STRETCHED: Final = 1e-3
_START_S: Final = 120.0
_FRAME_S: Final = 2.0
"""Generous: a rig with hundreds of bones on a busy machine."""
_STILL: Final = 1e-6
_MOST: Final = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """The largest one of a kind.

    Attributes:
        amount: In the unit of a shape key, degrees or metres.
        what: Whose it is, for people.
        frame: Scene frame.
    """

    amount: float
    what: str
    frame: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a file compares with the scene.

    Attributes:
        compared: Number of curves that were compared, at every frame.
        moving: How many of them move.
        worst: The largest difference by kind: `key`, `turn` in degrees, `bent` the same for stretched bones and those
            below, `place` in metres.
        missing: What moves in the scene and is not in the file.
        at_rest: What does not move and is not in the file.
    """

    compared: int
    moving: int
    worst: dict[str, Difference]
    missing: tuple[str, ...]
    at_rest: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether the file shows what the scene shows."""
        return not self.missing and all(each.amount <= _LIMITS[kind] for kind, each in self.worst.items())

    @property
    def text(self) -> str:
        """One line for the user."""
        units = {
            "key": ("shape keys", ""),
            "turn": ("turns", "°"),
            "bent": ("turns of stretched bones", "°"),
            "place": ("places", " m"),
        }
        parts = []
        for kind, (name, unit) in units.items():
            if kind in self.worst:
                one = self.worst[kind]
                parts.append(f"{name} {one.amount:.2g}{unit} ({one.what}, frame {one.frame:g})")
        text = f"{self.compared} curves compared, largest differences: {', '.join(parts) or 'none'}"
        if self.missing:
            more = f" and {len(self.missing) - _MOST} more" if len(self.missing) > _MOST else ""
            text += f"; missing in the file: {', '.join(self.missing[:_MOST])}{more}"
        return text


@dataclass(frozen=True, slots=True)
class Reading:
    """What to read of a file.

    Attributes:
        path: The file.
        form: Its format.
        times_s: (T,) times in the file.
        fps: Whole frames a second to count in.
        bare: Armatures that deform no mesh, see `outlets_reader.sample`.
    """

    path: Path
    form: Form
    times_s: Sequence[float]
    fps: int
    bare: Sequence[str] = ()


def read_back(reading: Reading) -> tuple[Samples, dict[str, str]]:
    """What a file does at some times, read by a second Blender; this one and its file stay untouched.

    Returns:
        The samples, and names of meshes by the names of their objects.

    Raises:
        OutputError: It cannot be read again.
    """
    with tempfile.TemporaryDirectory(prefix="au mocap ") as folder:
        job, output = Path(folder) / "job.json", Path(folder) / "samples.npz"
        wanted = asdict(reading) | {"path": str(reading.path), "output": str(output)}
        job.write_text(json.dumps(wanted), encoding="utf-8")
        _run(job, _START_S + _FRAME_S * len(reading.times_s))
        with np.load(output, allow_pickle=False) as stored:
            told = json.loads(str(stored["names"]))
            return {tuple(name): stored[str(at)] for at, name in enumerate(told["names"])}, told["meshes"]


def _run(job: Path, timeout_s: float) -> None:
    reader = str(Path(__file__).with_name("outlets_reader.py"))
    blender = bpy.app.binary_path
    # Blender as a module has no program of its own.
    command = (
        [blender, "--background", "--factory-startup", "--python", reader, "--"]
        if blender
        else [sys.executable, reader]
    )
    flags = {"creationflags": subprocess.CREATE_NO_WINDOW} if sys.platform == "win32" else {}
    try:
        done = subprocess.run(
            [*command, str(job)],
            env=_environment(job.parent),
            capture_output=True,
            timeout=timeout_s,
            check=False,
            stdin=subprocess.DEVNULL,
            **flags,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"The file could not be read again ({error}), so it was not kept: export without verification."
        raise OutputError(message) from error
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines() or ["no reason was given"]
        message = f"The file cannot be read again ({lines[-1][:200]}), so it was not kept."
        raise OutputError(message)


def _environment(folder: Path) -> dict[str, str]:
    """What the second Blender knows of this one: nothing.

    One that starts without the user's add-ons clears away the packages of all extensions that it finds not enabled,
    this one's as well: it gets a user folder of its own.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("BLENDER_USER_")}
    return own | {"BLENDER_USER_RESOURCES": str(folder / "user")}


def compare(wanted: Samples, found: Samples, meshes: dict[str, str], frames: Floats, unit_m: float) -> Verdict:
    """Compare samples of the scene with those of the file.

    Args:
        wanted: The scene's.
        found: The file's.
        meshes: Names of meshes by names of objects: importers may rename an object, since a mesh has its name.
        frames: (T,) scene frames.
        unit_m: Metres in the scene's unit.
    """
    by_mesh = {(kind, meshes[owner], part): name for name in found for kind, owner, part in [name] if owner in meshes}
    own_meshes = {each.name: each.data.name for each in bpy.data.objects if each.type == "MESH"}
    worst: dict[str, Difference] = {}
    missing, at_rest, moving, compared = [], [], 0, 0
    for (kind, owner, part), rows in wanted.items():
        if kind == "stretch":
            continue
        name: Any = (kind, owner, part)
        if name not in found:
            name = by_mesh.get((kind, own_meshes.get(owner, ""), part))
        moves = float(np.ptp(rows, axis=0).max()) > _STILL
        title = f"'{part}' of '{owner}'" if part else f"'{owner}'"
        if name is None:
            if kind != "turn":  # a bone is named once, by its place
                (missing if moves else at_rest).append(title)
            continue
        compared += 1
        moving += moves
        off = _off(kind, rows, found[name], unit_m)
        at = int(np.argmax(off))
        if kind == "turn" and float(wanted.get(("stretch", owner, part), np.zeros(1)).max()) > _STRETCHED:
            kind = "bent"
        if kind not in worst or off[at] > worst[kind].amount:
            worst[kind] = Difference(float(off[at]), title, float(frames[at]))
    return Verdict(compared, moving, worst, tuple(dict.fromkeys(missing)), tuple(dict.fromkeys(at_rest)))


def _off(kind: str, wanted: Floats, found: Floats, unit_m: float) -> Floats:
    """(T,) how far apart, in the kind's unit."""
    if kind == "turn":
        chord = np.minimum(np.linalg.norm(wanted - found, axis=1), np.linalg.norm(wanted + found, axis=1))
        return np.degrees(4.0 * np.arcsin(np.clip(chord / 2.0, 0.0, 1.0)))
    off = np.linalg.norm(wanted - found, axis=1)
    return off * unit_m if kind == "place" else off
