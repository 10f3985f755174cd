"""Registers the extension once in a Blender as a module, and prints what that took. Run in a process of its own.

The time is the processor's, which other programs on a busy machine do not lengthen.
"""

import json
import os
import sys
import time
from pathlib import Path

import bpy  # noqa: F401 - Blender starts, with the add-ons it always has

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from training import extension

before = set(sys.modules)
start = time.process_time()
root = extension.load()
root.register()
seconds = time.process_time() - start
brought = sorted({name.split(".")[0] for name in set(sys.modules) - before})
root.unregister()
sys.stdout.write(f"\nFOUND {json.dumps({'seconds': seconds, 'brought': brought})}\n")
sys.stdout.flush()
# Blender 4.2 as a module crashes at the end once a property with a callback was registered; the program does not.
os._exit(0)
