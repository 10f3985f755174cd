"""Curves of a stored take. The networks' runtime is imported only here, and only when it is needed."""

from pathlib import Path
from typing import TYPE_CHECKING

from ..au_mocap import take
from ..au_mocap.errors import ModelError, TakeError
from ..au_mocap.registry import Registry
from . import bundle

if TYPE_CHECKING:
    from ..au_mocap.calibration import Curves, Settings


def curves_of(path: Path, settings: "Settings | None" = None) -> "Curves":
    """Open a take and apply settings to it with its own regressor.

    Args:
        path: The .take.npz file.
        settings: What to apply; by default the automatic neutral and light smoothing.

    Raises:
        TakeError: The file is no take, or does not say what made it.
        ModelError: Its regressor, or the runtime that regressors need, is missing.
    """
    stored = take.load(path)
    try:
        from ..au_mocap import calibration
        from ..au_mocap.regressors import open_regressor
    except ImportError as error:
        raise ModelError(bundle.explain(error)) from error
    name = stored.meta.get("regressor", {}).get("name")
    if not isinstance(name, str):
        message = f"{path} does not say which regressor made it: analyse the video again."
        raise TakeError(message)
    regressor = open_regressor(Registry(), name, device="cpu")
    return calibration.curves(stored, settings or calibration.Settings(), regressor)
