"""Experiment 5: the information bottleneck on images of digits, pixels in any order (section 5.3).

An encoder makes of an image X a code Z = f(X) + standard normal noise, a classifier predicts the digit Y from Z. They
minimise the cross entropy plus beta · I(X; Z), MINE's bound, which a statistics network raises at the same time. What Z
is given X is known, so that I(X; Z) over the images has a second, almost exact estimate to judge MINE by.

Two things keep the encoder from hiding information from the statistics network, which makes the bound fall while the
information does not: the noise is not its to choose, and the network sees f(X) in place of X, with its squared distance
from Z. Since Z depends on X through f(X) only, I(f(X); Z) = I(X; Z).
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from minde.baselines.mine import Mine
from minde.experiments.networks import Draws, adam, perceptrons, split_rows, train
from minde.experiments.rows import Row, Seed
from minde.images.loader import load_labelled
from minde.progress import Progress

DIGITS = 10
PREDICTIONS = 12
"""Draws of Z that a prediction for a test image is the mean of."""


def run(
    *,
    seed: Seed,
    device: torch.device,
    replicates: int,
    images: str,
    test_share: float,
    betas: Sequence[float],
    network: dict,
    evaluation: int,
) -> list[Row]:
    """Test error, I(X; Z) by MINE and by the mixture, and I(Z; Y), each against beta (x).

    Raises:
        ValueError: `evaluation` asks for more images than are trained on.
    """
    pixels, labels = load_labelled(images)
    x, y = torch.from_numpy(pixels).flatten(1).to(device), torch.from_numpy(labels).to(device)
    orders = [np.random.Generator(np.random.PCG64(seed(r, "split"))).permutation(len(x)) for r in range(replicates)]
    order = torch.from_numpy(np.stack(orders)).to(device).repeat(len(betas), 1)
    test_rows, train_rows = split_rows(order, test_share, "experiments.bottleneck.test_share")
    if evaluation > train_rows.shape[1]:
        raise ValueError(
            f"evaluation asks for {evaluation} training images, and test_share {test_share:g} of {len(x)} {images} "
            f"leaves {train_rows.shape[1]}; set experiments.bottleneck.evaluation to as many at most"
        )
    seeds = [seed(replicate, "networks") for replicate in range(replicates)] * len(betas)
    draws, fresh = (
        Draws([seed(replicate, use) for replicate in range(replicates)], len(betas), device)
        for use in ("train", "test")
    )
    names = [f"beta {beta:g}, replicate {replicate}" for beta in betas for replicate in range(replicates)]
    weights = torch.tensor(betas, device=device).repeat_interleave(replicates)
    models = Bottlenecks(x.shape[1], seeds, weights, **network)
    progress = Progress(f"{len(seeds)} bottlenecks on {device.type}", models.steps, "steps")

    def step() -> Tensor:
        rows = train_rows.gather(1, draws.integers(train_rows.shape[1], models.batch_size))
        return models.step(x[rows], y[rows], draws)

    train(step, models.optimizers, models.learning_rate, models.steps, names, progress)
    measures = models.measure(x, y, train_rows, test_rows, fresh, evaluation)
    return [
        Row("plane", quantity, member % replicates, UNIT[quantity], value, x=betas[member // replicates])
        for quantity, values in measures.items()
        for member, value in enumerate(values.tolist())
    ]


UNIT = {"error": "error", "mine": "information", "mixture": "information", "label": "information"}
"""The quantity that each measure (series) is."""


class Bottlenecks:
    """Encoder, classifier and statistics network of every member, and how they are trained."""

    def __init__(
        self,
        pixels: int,
        seeds: Sequence[int],
        betas: Tensor,
        *,
        latent: int,
        hidden: int,
        layers: int,
        statistics: int,
        smoothing: float,
        batch_size: int,
        learning_rate: float,
        steps: int,
    ) -> None:
        """Draw the networks of members from their seeds; `betas` `(members,)` weigh the information, in 1 / nat."""
        self.betas, self.batch_size, self.learning_rate, self.steps = betas, batch_size, learning_rate, steps
        wide = [hidden] * layers
        self.encoder = perceptrons([pixels, *wide, latent], seeds, "encoder").to(betas.device)
        self.classifier = perceptrons([latent, DIGITS], seeds, "classifier").to(betas.device)
        judge = perceptrons([3 * latent, *[statistics] * layers, 1], seeds, "statistics")
        self.mine = Mine(judge, combine=with_distance, smoothing=smoothing).to(betas.device)
        groups = ([self.encoder, self.classifier], [self.mine])
        self.optimizers = [adam(networks, learning_rate) for networks in groups]

    def code(self, x: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Z of images `(members, rows, pixels)`, and its mean, each `(members, rows, latent)`."""
        mean = self.encoder(x)
        return mean + draws.normals(*mean.shape[1:]), mean

    def step(self, x: Tensor, y: Tensor, draws: Draws) -> Tensor:
        """One update of each network from images and their digits `(members, batch)`; losses `(members,)` in nats."""
        of_model, of_mine = self.optimizers
        z, mean = self.code(x, draws)
        bound = self.mine.loss(mean, z, z_marginal=z.roll(1, dims=1))  # independent samples, moved by one place
        loss = _cross_entropy(self.classifier(z), y) - self.betas * bound
        of_model.zero_grad()
        loss.sum().backward(retain_graph=True)
        of_mine.zero_grad()
        bound.sum().backward(inputs=list(self.mine.parameters()))
        of_model.step()
        of_mine.step()
        return loss.detach()

    @torch.no_grad()
    def measure(self, x: Tensor, y: Tensor, train: Tensor, test: Tensor, draws: Draws, rows: int) -> dict[str, Tensor]:
        """Numbers of every member, each `(members,)`; `train` and `test` are rows of images `(members, …)`.

        Of the test images: the share labelled wrongly by the mean prediction over draws of Z, and a lower bound on
        I(Z; Y), the entropy of the digits less the cross entropy of single draws. Of the first `rows` training images:
        I(X; Z) by MINE and as that of a mixture.
        """
        chosen = train[:, :rows]
        logits = torch.stack([self.classifier(self.code(x[test], draws)[0]) for _ in range(PREDICTIONS)])
        shares = torch.stack([y[of_one].bincount(minlength=DIGITS) for of_one in test]) / test.shape[1]
        lost = torch.stack([_cross_entropy(of_one, y[test]) for of_one in logits]).mean(dim=0)
        z, mean = self.code(x[chosen], draws)
        return {
            "error": (logits.softmax(dim=3).mean(dim=0).argmax(dim=2) != y[test]).float().mean(dim=1),
            "mine": self.mine.information(mean, z, z_marginal=z.roll(1, dims=1)),
            "mixture": mixture_information(z, mean),
            "label": torch.special.entr(shares).sum(dim=1) - lost,
        }


def with_distance(mean: Tensor, z: Tensor) -> Tensor:
    """What the statistics network sees of f(x) and z, `(…, latent)` each: both, and their squared differences."""
    return torch.cat([mean, z, (z - mean).square()], dim=-1)


def _cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Mean over a batch, `(members,)`, of logits `(members, batch, digits)` and digits `(members, batch)`."""
    return cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none").view(y.shape).mean(dim=1)


def mixture_information(z: Tensor, mean: Tensor) -> Tensor:
    """I(X; Z) in nats, `(members,)`, for X uniform on as many images as there are rows, each with one sample of its Z.

    The mean of log p(z | x) - log p(z), p(z) being the mixture of the standard normal densities about all means; both
    arguments are `(members, rows, latent)`. It is at most the logarithm of the number of images.
    """
    log_density = -0.5 * torch.cdist(z, mean).square()
    own = log_density.diagonal(dim1=1, dim2=2)
    return (own - log_density.logsumexp(dim=2)).mean(dim=1) + math.log(z.shape[1])
