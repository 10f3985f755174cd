"""GE-Net as one of the papers' systems: what `make.py train papers genet` makes and measures."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from au_mocap import metrics
from au_mocap.channels import PREDICTED_IDS
from au_mocap.refiners.fitting import STEPS
from au_mocap.refiners.refiner import Refiner, open_refiner
from au_mocap.registry import BUNDLED, Registry
from training.all_or_nothing import all_or_nothing
from training.outcome import FEAFA
from training.papers.data import Cast
from training.papers.genet import examples, product, training, tuning
from training.papers.genet import study as comparisons
from training.papers.genet.playing import Played, clips, play
from training.papers.places import folder
from training.papers.saying import say
from training.papers.system import Order, Words

TUNED_ON: Final = 4
MEASURED_ON: Final = 12
"""Performers of the validation and of the test cast: every frame of theirs costs hundreds of renderings."""

_WORDS: Final = Words(
    label="GE-Net",
    description="Renders the face and corrects values until rendering and film agree: a second pass over a take",
    paper="GE-Net, intensity of Action Units by differentiable optimisation (sections 3 and A of its text)",
    structure=(
        "A generator of eight transposed convolutions (kernel 4, stride 2) with instance normalisation and ReLU after "
        "each but the last, from pose (yaw and pitch), AU and identity parameters in 0 to 1; content loss (L1) and "
        "perceptual loss; pictures aligned to a base face by five points; a face segmentation network whose first four "
        "maps, weighed with the probabilities of the parts of the face, are what is compared (equations 5 and 6); "
        "gradient descent for 30 steps, parameters clipped to 0 to 1, a rate for each that is the inverse of the share "
        "of pixels whose class it changes; identity within the subspace of the singular vectors of the training "
        "faces' covariance (equations 8 to 10)"
    ),
    departures=(
        "Justice Face cannot be had: the generator learns from this project's synthetic performers as they were "
        "filmed, in changing light, so that the colours of cheeks, forehead and chin are parameters too, read off the "
        f"picture instead of fitted; identity is the aligned neutral landmarks. {examples.SIZE_PX} pixels a side: the "
        "transposed convolutions that these need no doubling of have stride 1 and kernel 3. Alignment is a similarity. "
        "Brows, lids and lips weigh more in the content loss, and a third loss asks that the segmentation network find "
        "the parts of the rendered face where they are. EfficientNet-Lite0 takes VGG-16's place in the perceptual "
        "loss. The segmentation network is a small residual one instead of ResNet-50, without ImageNet's "
        "weights, trained on classes painted from the performers' true landmarks instead of Helen; the probabilities "
        "themselves are compared as well. Both networks are trained with Adam. Fitting starts from the values of the "
        "take, not from zero, with a prior to stay near them and one that neighbouring frames agree, both solved for "
        "exactly in each step; identity is solved once, from calm frames. All rates share a factor that is chosen on "
        "the validation cast, as the priors are; AUs whose values fitting makes worse there, and those that change "
        "hardly any pixel's class, are not fitted"
    ),
    reported=(
        "ICC 0.68 and MAE 0.42 on FERA 2015, ICC 0.64 and MAE 0.32 on DISFA, means over their AUs on a scale of 0 to "
        "5; without attention ICC 0.66 and 0.59"
    ),
    licence="GPL-3.0-or-later",
)


class Genet:
    """The generator, the extractor and the refiner that they make."""

    name = "genet"
    words = _WORDS

    def __init__(self, steps: int = STEPS) -> None:
        """A system whose figures are those of fitting in some steps."""
        self._steps = steps

    def make(self, order: Order, out: Path) -> None:
        """Trains both networks and writes a refiner into a folder of models, in the place of an earlier one.

        Raises:
            RuntimeError: Something is missing; the message says what to do.
        """
        shown = examples.gather(order.casts["training"], order.checkpoints.parent / "genet-examples")
        layout = examples.basis_of(shown)
        extractor, first = training.train_extractor(order, shown, layout, order.checkpoints / "genet-extractor.pt")
        generator, second = training.train_generator(
            order, shown, layout, order.checkpoints / "genet-generator.pt", extractor
        )
        rates = tuning.rates(generator, extractor, layout, len(PREDICTED_IDS))
        networks = product.Networks(generator, extractor, replace(layout, rates=rates))
        notes = tuple(filter(None, (first, second)))
        with all_or_nothing([out / name for name in (*product.files(self.name).values(), "registry.toml")]):
            self._publish(networks, order, out, (len(shown), notes))

    def study(self, order: Order) -> str:
        """Stability, robustness and accuracy of the refiner in the folder of models."""
        return comparisons.study(open_refiner(Registry((folder(), BUNDLED)), self.name, "cpu"), order, self._steps)

    def _publish(
        self, networks: product.Networks, order: Order, out: Path, trained: tuple[int, tuple[str, ...]]
    ) -> None:
        difference = product.write_graphs(networks, self.name, out)
        facts = product.Facts(self.words, trained[0], 0, {}, trained[1])
        refiner = self._written(networks.layout, facts, out)
        tuned, said = tuning.tune(
            refiner,
            clips(refiner, order.casts["validation"], _some(order.casts["validation"], TUNED_ON)),
            order.deadline_s,
            self._steps,
        )
        refiner = self._written(tuned, facts, out)
        people = _some(order.casts["test"], MEASURED_ON)
        played = play(refiner, clips(refiner, order.casts["test"], people), self._steps)
        measured = figures(played)
        facts = replace(facts, performers=len(people), figures=measured, notes=(*facts.notes, said))
        product.register(facts, self.name, out)
        product.write_card(facts, self.name, out, difference)
        say(f"{self.name}: ONNX against PyTorch {difference:.1g}")
        say(f"{self.name}: " + ", ".join(f"{key} {value:.4f}" for key, value in measured.items()))
        for note in facts.notes:
            say(f"{self.name}: {note}")

    def _written(self, layout: product.Basis, facts: product.Facts, out: Path) -> Refiner:
        """The refiner with some rates and priors, written and opened again: what is measured is what is stored."""
        product.write_basis(layout, self.name, out)
        product.register(facts, self.name, out)
        return open_refiner(Registry((out, BUNDLED)), self.name, "cpu")


def figures(played: Played) -> dict[str, float]:
    """What the registry says: ICC and MAE over FEAFA's 24, before and after, and how much of the difference is left."""
    return {
        "icc_feafa24_start": float(metrics.icc(played.start, played.truth)[FEAFA].mean()),
        "icc_feafa24": float(metrics.icc(played.refined, played.truth)[FEAFA].mean()),
        "mae_feafa24_start": float(metrics.mae(played.start, played.truth)[FEAFA].mean()),
        "mae_feafa24": float(metrics.mae(played.refined, played.truth)[FEAFA].mean()),
        "difference_left": float(played.after.mean() / max(float(played.before.mean()), 1e-12)),
    }


def _some(cast: Cast, most: int) -> np.ndarray:
    """Places of some performers, spread over the cast."""
    return np.unique(np.linspace(0, cast.performers - 1, min(most, cast.performers)).astype(np.int64))
