"""Measures the mediapipe package's Face Landmarker in VIDEO mode on one clip; prints one JSON object.

Runs inside the environment that holds the mediapipe package (`python make.py env mediapipe`), never inside the
project's own: `python tests/bench/mediapipe_video.py face_landmarker.task CLIP [--blendshapes] [--frames N]`. Decoding
by OpenCV is part of the time, as it is for this project's own `extract`.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import cv2
import mediapipe as mp
from mediapipe.tasks import python as tasks
from mediapipe.tasks.python import vision


def measure(task: Path, clip: Path, blendshapes: bool, frames: int | None) -> dict[str, float | int | bool]:
    """Tracks a clip from its first frame to its last and times it.

    Args:
        task: The official `face_landmarker.task` bundle.
        clip: A video file.
        blendshapes: Whether the 52 scores are computed as well.
        frames: Stop after so many frames, None for all.

    Returns:
        Frames decoded, frames with a face, wall time of the whole run, of loading the graphs, and frames per second
        (loading not counted).
    """
    start = time.perf_counter()
    options = vision.FaceLandmarkerOptions(
        base_options=tasks.BaseOptions(model_asset_path=str(task)),
        running_mode=vision.RunningMode.VIDEO,
        num_faces=1,
        output_face_blendshapes=blendshapes,
    )
    count = found = 0
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        ready = time.perf_counter()
        capture = cv2.VideoCapture(str(clip))
        while frames is None or count < frames:
            ok, image = capture.read()
            if not ok:
                break
            time_ms = round(capture.get(cv2.CAP_PROP_POS_MSEC))
            rgb = mp.Image(image_format=mp.ImageFormat.SRGB, data=cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
            found += bool(landmarker.detect_for_video(rgb, time_ms).face_landmarks)
            count += 1
        capture.release()
        end = time.perf_counter()
    return {
        "frames": count,
        "found": found,
        "blendshapes": blendshapes,
        "load_s": ready - start,
        "track_s": end - ready,
        "frames_per_s": count / (end - ready),
    }


def main() -> int:
    """Reads the command line, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", type=Path)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--blendshapes", action="store_true")
    parser.add_argument("--frames", type=int)
    arguments = parser.parse_args()
    result = measure(arguments.task, arguments.clip, arguments.blendshapes, arguments.frames)
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
