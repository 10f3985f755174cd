"""A regressor whose image stage reads whole clips."""

from pathlib import Path

from au_mocap.registry import BUNDLED, Registry
from au_mocap.regressors import Regressor, open_regressor

FOLDER = Path(__file__).parents[1] / "data" / "two_stage"


def of_clips(folder: Path, statistics: str = "deviation") -> Regressor:
    """The mean colour of the crop, over the clip's deviation where that is asked for."""
    for name in ("image.onnx", "head.onnx"):
        (folder / name).write_bytes((FOLDER / name).read_bytes())
    text = (FOLDER / "registry.toml").read_text(encoding="utf-8")
    added = f', clip_statistics = "{statistics}"' if statistics else ""
    text = text.replace("size_px = 32,", f"size_px = 32{added},")
    (folder / "registry.toml").write_text(text, encoding="utf-8")
    return open_regressor(Registry((BUNDLED, folder)), "two_stage", "cpu")
