"""Render heads of other makers with known expressions, for evaluation only.

    python -m training.transfer --out FOLDER [--frames N] [--head NAME …]

Makes one folder for each head (see `training.transfer.album`). Frames that are there already are kept, so a run that
was stopped goes on, and a larger N adds frames.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from training.packages import PackageError
from training.transfer import album, plan
from training.transfer.backdrop import before_backdrop
from training.transfer.character import HeadError, load
from training.transfer.heads import BY_NAME, HEADS, HeadModel
from training.transfer.studio import Studio


def render(model: HeadModel, folder: Path, count: int) -> int:
    """Renders the frames of a head that are not there yet.

    Returns:
        How many were rendered.

    Raises:
        PackageError: The head cannot be fetched.
        HeadError: It is not as described.
        AlbumError: The folder holds another plan's frames.
    """
    folder.mkdir(parents=True, exist_ok=True)
    character = load(model)
    frames = plan.frames(model.name, character.held, character.ipd_m, count)
    album.write_truth(folder, frames)
    album.write_description(folder, model.terms, sorted(character.held), frames)
    missing = [frame for frame in frames if not album.picture_path(folder, frame.index).exists()]
    studio, started = Studio(character), time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        cut_out = Path(temporary) / "frame.png"
        for done, frame in enumerate(missing, 1):
            studio.photograph(frame, cut_out)
            picture = cv2.imdecode(np.fromfile(cut_out, np.uint8), cv2.IMREAD_UNCHANGED).astype(np.uint8)
            album.write_picture(folder, frame.index, before_backdrop(picture, frame.backdrop))
            pace_s = (time.monotonic() - started) / done
            sys.stderr.write(f"\r{model.name}: {done} of {len(missing)}, {pace_s:.2f} s a frame")
    sys.stderr.write("\n")
    return len(missing)


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="training.transfer", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder that gets one folder for each head")
    parser.add_argument("--frames", type=int, default=300, help="frames of each head (%(default)s)")
    parser.add_argument("--head", nargs="+", choices=sorted(BY_NAME), help="only these heads")
    options = parser.parse_args(arguments)
    try:
        for model in HEADS:
            if options.head is None or model.name in options.head:
                render(model, options.out / model.name, options.frames)
    except (PackageError, HeadError, album.AlbumError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
