"""Results of MediaPipe's Face Landmarker as JSON, one object for each frame.

A list of results, or one that holds it under `frames`; each with `faceBlendshapes` (a list of faces, each
`{"categories": [{"categoryName", "score"}]}` as the web API returns it, a list of such categories as in Python, or
plain `{name: score}`), `facialTransformationMatrixes` and a time (`timestamp_ms`, `timestamp`, `time_s`). Names with
underscores in place of capitals (`face_blendshapes`, `category_name`) mean the same
(ai.google.dev/edge/mediapipe/solutions/vision/face_landmarker). The first face of a frame is read.

The matrix turns the head's axes into the camera's, both with x right, y up and z towards the camera, in centimetres;
the web API writes its columns one after another. Its origin is taken for the point between the eyes: it lies elsewhere
in the head by a constant.
"""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .. import rotations
from ..blendshapes import SCORES
from ..calibration import Curves
from ..errors import ExchangeError
from ..files import replacing
from ..take import Take
from . import arkit, json_data
from .recording import Recording
from .timing import Clock

_AXES: Final = np.diag([1.0, -1.0, -1.0])
_CM: Final = 100.0
_TIMES: Final = {"time_s": 1.0, "timestamp_s": 1.0, "timestamp_ms": 0.001, "timestampMs": 0.001, "time_ms": 0.001}
_EITHER: Final = ("timestamp", "time")
_SHAPES: Final = ("faceBlendshapes", "face_blendshapes", "blendshapes")
_MATRICES: Final = ("facialTransformationMatrixes", "facial_transformation_matrixes")


def fits_text(text: str) -> bool:
    """Whether the beginning of a file looks like one."""
    return any(f'"{name}"' in text for name in _SHAPES)


def read(path: Path, rate_hz: float | None) -> Recording:
    """Reads results.

    Args:
        path: The file.
        rate_hz: Frames a second where they hold no times.

    Raises:
        ExchangeError: It holds no such results.
    """
    frames = _frames(json_data.read(path))
    if not frames:
        message = f"{path} holds no results of the Face Landmarker: a list of objects with faceBlendshapes."
        raise ExchangeError(message)
    scores = [_scores(_first(frame, _SHAPES)) for frame in frames]
    shapes = tuple(shape for shape in arkit.SHAPES if any(shape in each for each in scores))
    if not shapes:
        message = f"{path} holds no blendshapes: let the Face Landmarker output them (outputFaceBlendshapes)."
        raise ExchangeError(message)
    weights = np.array([[each.get(shape, np.nan) for shape in shapes] for each in scores], np.float32)
    told, values = arkit.to_channels(shapes, weights)
    matrices = np.stack([_matrix(_first(frame, _MATRICES)) for frame in frames])
    times, notes = _times(frames, rate_hz)
    turns = _AXES @ matrices[:, :3, :3] @ _AXES
    return Recording(
        time_s=times,
        channels=told,
        values=values,
        found=np.array([bool(each) for each in scores]),
        rotation=rotations.to_quaternions(turns),
        position=matrices[:, :3, 3] @ _AXES / _CM,
        notes=tuple(notes),
    )


def _frames(content: object) -> list[dict[str, Any]]:
    fields = json_data.as_dict(content)
    given = json_data.as_list(content if fields is None else fields.get("frames", fields.get("results", [content])))
    frames = [found for each in given or [] if (found := json_data.as_dict(each)) is not None]
    return frames if any(name in frame for frame in frames for name in _SHAPES) else []


def _first(frame: dict[str, Any], names: tuple[str, ...]) -> object:
    """What the first face of a frame has under the first of these names that there is."""
    found = next((frame[name] for name in names if name in frame), None)
    faces = json_data.as_list(found)
    if faces is None:
        return found
    # Categories without a list of faces around them, or a matrix's rows.
    bare = faces and (json_data.as_dict(faces[0]) or {}).keys() & {"categoryName", "category_name"}
    return faces if bare else (faces[0] if faces else None)


def _scores(face: object) -> dict[str, float]:
    """Weights by shape; empty where there is no face."""
    fields = json_data.as_dict(face)
    categories = json_data.as_list(face if fields is None else fields.get("categories"))
    if categories is None:
        pairs = [(name, value) for name, value in (fields or {}).items()]
    else:
        known = [found for each in categories if (found := json_data.as_dict(each)) is not None]
        pairs = [(str(each.get("categoryName", each.get("category_name"))), each.get("score")) for each in known]
    found = {arkit.shape_of(name): json_data.as_number(value) for name, value in pairs}
    return {shape: value for shape, value in found.items() if shape is not None}


def _matrix(given: object) -> NDArray[np.float64]:
    """(4, 4), NaN where there is none."""
    fields = json_data.as_dict(given)
    cells = json_data.as_list(given if fields is None else fields.get("data", fields.get("packedData"))) or []
    flat = [cell for row in cells for cell in (json_data.as_list(row) or [row])]
    numbers = np.array([json_data.as_number(cell) for cell in flat])
    if numbers.shape != (16,) or not np.isfinite(numbers).all():
        return np.full((4, 4), np.nan)
    matrix = numbers.reshape(4, 4)
    # The last row is 0, 0, 0, 1, which tells rows from columns.
    matrix = matrix if np.allclose(matrix[3, :3], 0.0) and not np.allclose(matrix[:3, 3], 0.0) else matrix.T
    u, _, vt = np.linalg.svd(matrix[:3, :3])  # without the scale that fits the face
    turn = u @ vt
    if np.linalg.det(turn) < 0.5:
        return np.full((4, 4), np.nan)
    result = np.eye(4)
    result[:3, :3], result[:3, 3] = turn, matrix[:3, 3]
    return result


def _times(frames: list[dict[str, Any]], rate_hz: float | None) -> tuple[NDArray[np.float64], list[str]]:
    units = {**_TIMES, **dict.fromkeys(_EITHER, -1.0)}
    name = next((each for each in units if each in frames[0]), None)
    if name is None:
        return Clock((), 0.0).seconds(np.zeros((len(frames), 0)), rate_hz)
    cells = np.array([[json_data.as_number(frame.get(name))] for frame in frames])
    return Clock((0,), units[name]).seconds(cells, rate_hz)


def write(take: Take, curves: Curves, path: Path, _rate_hz: float | None) -> None:
    """Writes a list of results as the web API returns them, with `timestamp_ms`; empty lists without a face.

    Raises:
        OutputError: The file cannot be written.
    """
    del take
    weights = arkit.to_shapes(curves.values, SCORES[1:])
    matrices = np.tile(np.eye(4), (len(weights), 1, 1))
    matrices[:, :3, :3] = _AXES @ rotations.to_matrices(curves.head_rotation) @ _AXES
    matrices[:, :3, 3] = np.nan_to_num(curves.head_position) @ _AXES * _CM
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for place, (time_s, row, matrix) in enumerate(zip(curves.time_s, weights, matrices, strict=True)):
            file.write("[\n" if not place else ",\n")
            json.dump({"timestamp_ms": round(1000.0 * float(time_s), 3), **_result(row, matrix)}, file, allow_nan=False)
        file.write("\n]\n")


def _result(row: NDArray[np.float64], matrix: NDArray[np.float64]) -> dict[str, Any]:
    shapes: list[dict[str, Any]] = []
    if np.isfinite(row).all():
        scores = zip(SCORES, (1.0 - row.max(), *row), strict=True)
        listed = [
            {"index": index, "score": round(float(score), 6), "categoryName": name, "displayName": ""}
            for index, (name, score) in enumerate(scores)
        ]
        shapes = [{"categories": listed, "headIndex": -1, "headName": ""}]
    turned: list[dict[str, Any]] = []
    if shapes and np.isfinite(matrix).all():
        turned = [{"rows": 4, "columns": 4, "data": [round(float(each), 6) for each in matrix.T.ravel()]}]
    return {"faceBlendshapes": shapes, "facialTransformationMatrixes": turned}
