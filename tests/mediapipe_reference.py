"""Landmarks of frames by the mediapipe package in IMAGE mode, for comparison.

Runs inside the environment that holds the mediapipe package, never inside the project's own:
`python tests/mediapipe_reference.py face_landmarker.task FRAMES.npz OUT.npz`. FRAMES.npz holds `images` (T, H, W, 3)
uint8 BGR; OUT.npz gets `landmarks` (T, 478, 3) float32 in pixels (NaN where no face was found), `blendshapes` (T, 52)
with their `names`, and the package's `version`.
"""

import argparse
from pathlib import Path

import mediapipe as mp
import numpy as np
from mediapipe.tasks import python as tasks
from mediapipe.tasks.python import vision


def main() -> int:
    """Reads the frames, detects, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("task", "frames", "out"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    images = np.load(arguments.frames)["images"]
    options = vision.FaceLandmarkerOptions(
        base_options=tasks.BaseOptions(model_asset_path=str(arguments.task)),
        running_mode=vision.RunningMode.IMAGE,
        num_faces=1,
        output_face_blendshapes=True,
    )
    landmarks = np.full((len(images), 478, 3), np.nan, np.float32)
    blendshapes = np.full((len(images), 52), np.nan, np.float32)
    names: list[str] = []
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        for index, image in enumerate(images):
            rgb = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(image[:, :, ::-1]))
            result = landmarker.detect(rgb)
            if result.face_landmarks:
                height, width = image.shape[:2]
                points = [(point.x, point.y, point.z) for point in result.face_landmarks[0]]
                landmarks[index] = np.array(points) * (width, height, width)
                blendshapes[index] = [item.score for item in result.face_blendshapes[0]]
                names = [item.category_name for item in result.face_blendshapes[0]]
    np.savez(arguments.out, landmarks=landmarks, blendshapes=blendshapes, names=names, version=mp.__version__)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
