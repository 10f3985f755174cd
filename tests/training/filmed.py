"""Films made of the rendered clip: what `training.synth.film` would have filmed, in a second."""

import csv
from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np

from au_mocap.channels import PREDICTED_IDS
from au_mocap.crops import crop_image
from au_mocap.landmark_model import INPUT_PX
from au_mocap.registry import Registry
from au_mocap.tracking import open_tracker, track_frames
from au_mocap.video import open_video
from training.synth.film import FRAMES_PER_PERFORMER, Frames

CLIP = Path(__file__).parents[1] / "data" / "rendered_performance.mp4"


def film_clip(folder: Path, people: dict[str, int]) -> dict[str, list[Path]]:
    """Writes a shard for each cast, `people` performers each; every performer is another part of the clip."""
    with CLIP.with_suffix(".csv").open(newline="") as stream:
        truth = [[float(row[name]) for name in PREDICTED_IDS] for row in csv.DictReader(stream)]
    tracker = open_tracker("onnx", Registry(), "cpu")
    tracker.reset()
    count = sum(people.values()) * FRAMES_PER_PERFORMER
    with open_video(CLIP) as video:
        tracked = list(track_frames(video.frames(0, count), tracker))
    paths: dict[str, list[Path]] = {}
    start = 0
    for cast, size in people.items():
        rows = range(start, start + size * FRAMES_PER_PERFORMER)
        start += len(rows)
        path = folder / cast / "0000.npz"
        path.parent.mkdir(parents=True)
        faces = [tracked[row][1] for row in rows]
        assert None not in faces
        tiles = [
            cv2.imencode(".png", crop_image(tracked[row][0].image, face.crop, INPUT_PX))[1].ravel()
            for row, face in zip(rows, faces, strict=True)
            if face is not None
        ]
        nothing = np.zeros(len(rows), np.float32)
        frames = Frames(
            values=np.array([truth[row] for row in rows], np.float32),
            rotation=np.tile(np.eye(3, dtype=np.float32), (len(rows), 1, 1)),
            performer=np.repeat(np.arange(size, dtype=np.int32), FRAMES_PER_PERFORMER),
            moving=np.ones(len(rows), np.bool_),
            true_landmarks=np.stack([face.landmarks for face in faces if face is not None]),
            landmarks=np.stack([face.landmarks for face in faces if face is not None]),
            presence=nothing + 1,
            focal_px=nothing + 500,
            translation=np.zeros((len(rows), 3), np.float32),
        )
        columns = {field.name: getattr(frames, field.name) for field in fields(Frames)}
        np.savez(path, tiles=np.concatenate(tiles), tile_ends=np.cumsum([len(tile) for tile in tiles]), **columns)
        paths[cast] = [path]
    return paths
