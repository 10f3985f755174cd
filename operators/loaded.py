"""Takes that were opened in this Blender, kept so that a change of settings costs milliseconds."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..au_mocap.errors import TakeError
from . import bundle, models

if TYPE_CHECKING:
    from ..au_mocap.calibration import Calibrator
    from ..au_mocap.regressors import Regressor
    from ..au_mocap.take import Take

_MOST_TAKES: Final = 4

_regressors: "dict[tuple[str, models.Stamp], Regressor]" = {}
_calibrators: "dict[tuple[Path, int], Calibrator]" = {}
_last: "dict[tuple[Path, int], Take]" = {}


def calibrator(path: Path) -> "Calibrator":
    """The take under a path, with its own regressor, ready for any settings.

    Raises:
        TakeError: The file is no take, or does not say what made it.
        ModelError: Its regressor, or the runtime that regressors need, is missing.
    """
    with bundle.needed():
        from ..au_mocap.calibration import Calibrator
        from ..au_mocap.imported import ImportedValues
    key = _key(path)
    known = _calibrators.get(key)
    if known is None:
        read = take(path)
        name = read.meta.get("regressor", {}).get("name")
        if not isinstance(name, str):
            message = f"{path} does not say which regressor made it: analyse the video again."
            raise TakeError(message)
        known = Calibrator(read, ImportedValues() if read.is_imported else _regressor(name))
        kept = list(_calibrators)
        for old in [each for each in kept if each[0] == key[0]] or kept[: 1 - _MOST_TAKES]:
            _calibrators.pop(old, None)  # a list that is worked through reads takes in a thread of its own
        _calibrators[key] = known
        _last.clear()
    return known


def take(path: Path) -> "Take":
    """The take under a path. The one that was read last is kept until its calibrator is made: it is read once.

    Raises:
        TakeError: The file is no take.
    """
    key = _key(path)
    opened = _calibrators.get(key)
    known = opened.take if opened is not None else _last.get(key)
    if known is None:
        from ..au_mocap.take import load

        known = load(path)
        _last.clear()
        _last[key] = known
    return known


def _key(path: Path) -> tuple[Path, int]:
    try:
        return path.resolve(), path.stat().st_mtime_ns
    except OSError:
        from ..au_mocap.take import load

        load(path)  # says what is wrong
        raise


def _regressor(name: str) -> "Regressor":
    key = name, models.stamp()
    if key not in _regressors:
        from ..au_mocap.regressors import open_regressor

        _regressors[key] = open_regressor(models.registry(), name, device="cpu")
    return _regressors[key]


def forget() -> None:
    """Drop everything that was opened."""
    _calibrators.clear()
    _last.clear()
    _regressors.clear()
