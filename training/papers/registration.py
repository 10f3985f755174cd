"""The third paper without its generator: registered faces, balanced levels, the actor's own face taken away."""

from typing import Final

from torch import nn

from au_mocap.channels import PREDICTED_IDS
from training.papers.imagenet import BACKBONES
from training.papers.registration_network import EMBEDDING, Head
from training.papers.registration_study import study
from training.papers.registration_training import BACKBONE, NAME, Variant, fit, freed, kept, trunk_of
from training.papers.system import Order, Trained, Words

_WORDS: Final = Words(
    label="3D registration (balanced)",
    description="The face turned to the front by its mesh, six levels of intensity: for comparison",
    paper="the paper on 3D registration and balanced synthetic expressions (sections 3 and 4 of its text)",
    structure=(
        "The face's mesh takes its texture from the frame, is turned to the front and rasterised to 224x224 pixels, "
        "hidden parts black; a network trained for ImageNet whose last maps are read place by place by full layers "
        "with dropout of 0.5; six levels for each AU (not present, A to E) by softmax and cross entropy; as many "
        "pictures of each level of each AU, rare ones again and again, common ones in part; Adam; differences from a "
        "neutral frame (AU0) or from the person's mean"
    ),
    departures=(
        "PRNet's weights are in no package registry: the mesh is the one that this project's tracker finds. VGG-16's "
        "are not either: EfficientNet-Lite0 takes its place, up to its last maps of 7x7 (192 of them, narrowed to 64), "
        "frozen unless asked for. FERA 2017 and DISFA are given to licence holders only: trained on this project's "
        "synthetic performers, on the pictures themselves without the paper's generator, so that rare levels are shown "
        "again instead of made anew. One network reads all 54 channels in place of one for each AU; a picture counts "
        "for an AU as often as it was drawn for that AU. As many pictures are drawn as there are, anew in each pass, "
        "instead of 5000 of each level once. The value is the levels' mean by their probabilities instead of the "
        "likeliest. AU0 and mean are taken away from what the last full layer says instead of from pixels, since a "
        "neutral may be chosen after the pictures were seen; one part of the network reads both differences"
    ),
    reported=(
        "Mean ICC on FERA 2017's test part, frontal, seven AUs: 2D real 0.506, 2D synthetic 0.494, 3D real 0.489, 3D "
        "synthetic 0.525; 0.521 with AU0 and 0.570 with the mean taken away"
    ),
    licence="GPL-3.0-or-later AND Apache-2.0",  # the ImageNet weights are Apache-2.0
    neutral=(
        "the actor's own (AU0) is taken away as far as it is trusted; `--neutral mean` takes the person's mean away, "
        "`--neutral none` nothing. Live it is the calibrated face, nothing before; a recorded take can be read with "
        "the mean afterwards"
    ),
)


class Registered:
    """The estimator as the paper found it best: 3D registration, balanced levels."""

    name = NAME
    words = _WORDS

    def train(self, order: Order) -> Trained:
        """Trains the new layers on the maps of a frozen network, then, where asked for, everything together."""
        variant, trunk = Variant(), trunk_of(order)
        shown, missing = kept(order, trunk, variant).shown(order.casts["training"], "training")
        reader, shortened = fit(order, shown, variant)
        told = filter(None, [missing, shortened, freed(order, trunk, reader, variant)])
        return Trained(
            name=self.name,
            look=variant.look,
            clip_statistics="",
            stage=nn.Sequential(trunk, reader.full).eval(),
            head=Head(reader).eval(),
            embedding=EMBEDDING,
            channels=PREDICTED_IDS,
            words=self.words,
            trained_on=int(shown.truth.usable.sum()),
            beside=f"; maps of {BACKBONES[BACKBONE].label}, trained on ImageNet",
            shortened=tuple(told),
        )

    def study(self, order: Order) -> str:
        """The paper's comparisons; see `registration_study`."""
        return study(order)
