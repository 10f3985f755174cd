"""AUNet: features of the frozen landmark graph, a label VAE in training, and differences to the moments beside."""

from typing import Final

import torch

from au_mocap.channels import PREDICTED_IDS
from training.outcome import amplitude
from training.papers import aunet_study
from training.papers.aunet_data import WINDOW_S
from training.papers.aunet_features import GRID, OFFSETS
from training.papers.aunet_fitting import fit, judge
from training.papers.aunet_labels import LATENT
from training.papers.aunet_network import EMBEDDING, VARIANTS, ExportedHead, ExportedStage
from training.papers.data import Maps
from training.papers.system import Order, Trained, Words

_WORDS: Final = Words(
    label="AUNet",
    description="Features of the face tracker's network, and how they change around each frame: for comparison",
    paper='AUNet ("Towards Robust Facial Action Units Detection", sections IV.A to IV.C of its text)',
    structure=(
        "Features between the layers of a frozen face alignment network: low-level ones as they are, deeper ones "
        "weighted by an attention map, all heat maps of the landmarks in one plane; multi-scale residual blocks and "
        "max-pooling; a classifier of one hidden layer; cross-entropy weighted by how rare each AU is. A variational "
        "auto-encoder of labels, trained on labels with noise of up to 0.2 and then frozen, draws predictions towards "
        "the truth in its latent space; it is not part of the regressor. A temporal difference module adds what pooled "
        f"differences to the features {WINDOW_S:g} s before and after say, aligned by five points"
    ),
    departures=(
        "The alignment network is this project's tracker, whose landmark graph is no hourglass and gives no heat maps: "
        "the attention is a Gaussian around each of 68 landmarks, at each place the strongest. Every frame is laid "
        f"over one template of {GRID}x{GRID} cells by its own five points instead of over the middle frame's. The "
        f"image stage goes on to {EMBEDDING} numbers, 8 in each of 8x8 cells, which a take can keep; differences are "
        "taken of these. Cells are read one by one instead of being averaged, since channels have sides. BP4D, DISFA "
        "and AffWild2 cannot be passed on: trained on synthetic performers, whose exact values between 0 "
        f"and 1 take the place of labels. The auto-encoder has {LATENT} latent numbers for 54 channels, learns from "
        "performances alone, in which AUs come together as people show them, and acts on performances alone; its "
        "distance is a mean over the latent numbers. Values are scaled to the truth's spread on the validation cast. "
        "Where the face is not seen, and at a clip's ends, the nearest frame stands for those beyond; live the frame "
        "itself stands for those after it, as it did in a quarter of the training"
    ),
    reported=(
        "F1 0.655 on BP4D (without label VAE and differences 0.627), 0.700 on DISFA (0.667) and 0.441 on AffWild2 "
        "(0.367), trained on all three"
    ),
)


class AuNet:
    """The paper's system with both of its modules."""

    name = "aunet"
    words = _WORDS

    def train(self, order: Order) -> Trained:
        """Trains from random weights; where the comparisons were trained before, takes AUNet from them."""
        (variant,) = (each for each in VARIANTS if each.labels and each.motion)
        networks, shortened = fit([variant], order)
        network = networks[variant.name]
        outcome = judge(networks, order.casts["validation"])[variant.name].outcome
        gains = torch.from_numpy(amplitude(outcome)).float()
        network = network.cpu()
        return Trained(
            name=self.name,
            look=Maps(("landmarks", *OFFSETS)),
            clip_statistics="",
            stage=ExportedStage(network.stage),
            head=ExportedHead(network.head, gains),
            embedding=EMBEDDING,
            channels=PREDICTED_IDS,
            words=self.words,
            trained_on=int(order.casts["training"].usable.sum()),
            shortened=tuple(filter(None, [shortened])),
            window_s=WINDOW_S,
        )

    def study(self, order: Order) -> str:
        """The ablation, with the measures of Table X."""
        return aunet_study.study(order)
