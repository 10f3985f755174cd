"""The renderer's shaders: GLSL 3.30 files of the folder `glsl`, with their includes put in.

Camera axes are OpenCV's (x right, y down, z forward, metres). "Rest" is the base figure in MakeHuman's axes: what is
painted by rest position stays on the skin while a face moves. Colours are linear until `finish`.
"""

import re
from functools import cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "glsl"
_VERSION: Final = "#version 330\n"
_INCLUDE: Final = re.compile(r'^#include "([\w.]+)"$', re.MULTILINE)


def source(name: str, *defines: str) -> str:
    """A shader, such as "skin.frag", with names defined for its preprocessor."""
    return _VERSION + "".join(f"#define {each}\n" for each in defines) + _text(name)


@cache
def _text(name: str) -> str:
    return _INCLUDE.sub(lambda found: _text(found[1]), (_FOLDER / name).read_text(encoding="utf-8"))
