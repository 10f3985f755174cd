"""What the extension adds to Blender's start: importing and registering it, in fresh processes."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests import environments

from . import Row, at_most, skipped

LIMIT_MS: Final = 50.0
HEAVY: Final = ("numpy", "cv2", "onnxruntime")
ONCE: Final = Path(__file__).with_name("start_once.py")
RUNS: Final = 5
BLENDERS: Final = ("4.2", "5.0")
"""4.2 starts without numpy, so that whatever needs it pays for it; in 4.5 and 5.0 Blender's own add-ons load it."""


def measure(python: Path, runs: int = RUNS) -> dict[str, Any]:
    """The quickest of several starts, since the first ones read the disk and compile.

    Args:
        python: A Python that has bpy.
        runs: How many.

    Returns:
        `seconds` and `brought`, the packages that registering loaded.
    """
    own = {key: value for key, value in os.environ.items() if not key.startswith("BLENDER_")}
    own.pop("PYTHONDONTWRITEBYTECODE", None)
    found = []
    with tempfile.TemporaryDirectory() as cache:
        own["PYTHONPYCACHEPREFIX"] = cache  # Blender keeps compiled modules as Python does, here they leave no trace
        for _ in range(runs):
            done = subprocess.run([str(python), str(ONCE)], capture_output=True, text=True, check=True, env=own)
            line = next(line for line in done.stdout.splitlines() if line.startswith("FOUND "))
            found.append(json.loads(line.removeprefix("FOUND ")))
    return min(found, key=lambda one: one["seconds"])


def rows() -> Iterator[Row]:
    """One figure for a Blender without numpy, one for a Blender that has it already."""
    for version in BLENDERS:
        key = f"register_in_{version}"
        try:
            python = environments.python_of(f"blender{version.replace('.', '')}")
        except environments.MissingEnvironmentError as error:
            yield skipped(key, str(error))
            continue
        best = measure(python)
        heavy = ", ".join(name for name in HEAVY if name in best["brought"])
        yield at_most(key, best["seconds"] * 1000, "ms", LIMIT_MS, note=f"loads {heavy}" if heavy else "")
