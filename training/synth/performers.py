"""Who performs: random people of one topology, and what each channel does to their faces.

Everything leaves this module in the head's own axes as the project defines them (metres; x to the actor's left, y down,
z into the head; origin between the eyes), so that `x_cam = R x_head + t`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import PREDICTED_IDS
from training.anny_assets import Phenotype
from training.synth import contact, eyes, identity, manner, mouth
from training.synth.anatomy import HEAD_FROM_MAKEHUMAN, Anatomy, anatomy
from training.synth.contact import LidContact
from training.synth.eyes import Eyes

__all__ = ["HEAD_FROM_MAKEHUMAN", "Anatomy", "Performer", "anatomy", "sample"]

_INDEX: Final = {channel_id: index for index, channel_id in enumerate(PREDICTED_IDS)}
_JAW: Final = _INDEX["jaw_drop"]
_TOGETHER: Final = _INDEX["lips_together"]
_LEAST: Final = np.float32(0.4)
"""No action is held back further than to this share."""

_CLOSE: Final = np.array([_INDEX["eye_close_L"], _INDEX["eye_close_R"]])


@dataclass(frozen=True, slots=True)
class Performer:
    """One person.

    Attributes:
        phenotype: Age, sex, ethnicity, weight.
        neutral: (N, 3) float32 metres in head axes.
        deltas: (P, N, 3) float32 metres: full action of each predicted channel on this face, as a displacement that
            adds up; eyeballs, which turn, are left out, and so is what contact changes.
        ipd_m: Distance between the eyes' centres.
        eyes: Centres, radii and turns of the eyeballs.
        lid_contact: How the lids close.
        damping: (P, P) float32: how actions hold each other back (row: held back, column: by a full action of this).
        parted_m: Gap between the resting lips.
    """

    phenotype: Phenotype
    neutral: NDArray[np.float32]
    deltas: NDArray[np.float32]
    ipd_m: float
    eyes: Eyes
    lid_contact: LidContact
    damping: NDArray[np.float32]
    parted_m: float

    def pose(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """The face performing (P,) values 0..1: (N, 3) float32 metres.

        Displacements add up (FEAFA, equation 1); eyeballs turn, closing lids meet in front of them, and lips do not
        cross.
        """
        parts = anatomy()
        values = np.asarray(values, np.float32)
        weights = values * np.maximum(1.0 - self.damping @ values, _LEAST)
        weights[_TOGETHER] = min(weights[_TOGETHER], weights[_JAW])  # the vocabulary's rule
        vertices = self.neutral + (weights @ self.deltas.reshape(len(weights), -1)).reshape(-1, 3)
        contact.part_lips(parts.lips, vertices)
        self.lid_contact.meet(parts, vertices, weights[_CLOSE])
        self.lid_contact.clear(parts, vertices, self.eyes)
        vertices[parts.eyeballs] = self.eyes.vertices(parts, weights)
        return vertices


def sample(rng: np.random.Generator) -> Performer:
    """Draws a person: child to old, any sex, ethnicity and weight, every shape slider of face and head."""
    parts = anatomy()
    phenotype = identity.sample_phenotype(rng)
    neutral = identity.sample_shape(parts, phenotype, rng)
    own_eyes = eyes.own_eyes(parts, neutral, rng)
    floors = contact.rest_lids(parts, neutral, own_eyes)
    neutral[parts.eyeballs] = own_eyes.vertices(parts, np.zeros(len(PREDICTED_IDS)))
    parted_m = mouth.rest_lips(parts, neutral, rng)
    deltas = manner.own_deltas(parts, neutral, rng)
    mouth.join_lips(parts, neutral, deltas, rng)
    mouth.rest_tongue(parts, neutral, deltas, rng)
    mouth.keep_teeth_inside(parts, neutral, deltas)
    lid_contact = _lid_contact(parts, neutral, deltas, floors, rng)
    return Performer(
        phenotype=phenotype,
        neutral=neutral,
        deltas=deltas,
        ipd_m=float(np.linalg.norm(own_eyes.centres[0] - own_eyes.centres[1])),
        eyes=own_eyes,
        lid_contact=lid_contact,
        damping=manner.own_damping(rng),
        parted_m=parted_m,
    )


def _lid_contact(
    parts: Anatomy,
    neutral: NDArray[np.float32],
    deltas: NDArray[np.float32],
    floors: NDArray[np.float32],
    rng: np.random.Generator,
) -> LidContact:
    """How the lids close; puts the closed lids into the deltas of `eye_close`."""
    rise = np.clip(rng.uniform(0.05, 0.35) + rng.normal(0.0, 0.02, 2), 0.02, 0.4).astype(np.float32)
    edges = np.stack([lid.edge_ids for lid in parts.lids])
    loose = LidContact(np.stack([deltas[i][ids] for i, ids in zip(_CLOSE, edges, strict=True)]), rise, floors)
    closed = neutral + deltas[_CLOSE].sum(axis=0)
    before = closed.copy()
    loose.meet(parts, closed, np.ones(2))
    for index, lid, lashes in zip(_CLOSE, parts.lids, parts.lashes, strict=True):
        ids = np.concatenate([lid.rings.ravel(), lashes])
        deltas[index, ids] += (closed - before)[ids]
    return LidContact(np.stack([deltas[i][ids] for i, ids in zip(_CLOSE, edges, strict=True)]), rise, floors)
