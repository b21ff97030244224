"""Experiment 5: the information bottleneck on digits, permutation-invariant (section 5.3).

An encoder maps an image X to a code Z = f(X) + standard normal noise, and a classifier predicts the digit Y from Z.
They minimize the cross entropy plus beta · I(X; Z), MINE's bound, which a statistics network maximizes at the same
time. The distribution of Z given X is known, so that I(X; Z) over the images has a second, almost exact estimate to
judge MINE by.

An encoder could hide information from the statistics network, so that the bound falls and the information does not.
Two things prevent that: the noise is fixed, and the network sees f(X) instead of X, and its squared distance from Z.
Since Z depends on X only through f(X), I(f(X); Z) = I(X; Z).
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from minde.baselines.mine import Mine
from minde.images.loader import load
from minde.progress import Progress

from .networks import Draws, adam, mean_cross_entropy, members_of, perceptrons, split_rows, train
from .rows import Row, Seed

DIGITS = 10
PREDICTIONS = 12
"""Draws of Z over which the prediction for a test image is averaged."""
QUANTITIES = {"error": "error", "mine": "information", "mixture": "information", "label": "information"}
"""The quantity that each measure (series) is."""


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
    """Return the test error, I(X; Z) by MINE and by the mixture, and I(Z; Y), each against beta (x).

    I(X; Z) is that of the first `evaluation` images that are trained on.
    """
    pixels, labels = load(images)
    x, y = torch.from_numpy(pixels).flatten(1).to(device), torch.from_numpy(labels).to(device)
    generators = [np.random.default_rng(seed(replicate, "split")) for replicate in range(replicates)]
    parts = split_rows(generators, len(x), test_share, device)
    test_rows, train_rows = (rows.repeat(len(betas), 1) for rows in parts)
    members = members_of(seed, replicates, {f"beta {beta}": beta for beta in betas}, device)
    models = Bottlenecks(x.shape[1], members.seeds, members.betas, **network)
    progress = Progress(f"{len(members.seeds)} bottlenecks on {device.type}", models.steps, "steps")

    def step() -> Tensor:
        rows = train_rows.gather(1, members.train.integers(train_rows.shape[1], models.batch_size))
        return models.step(x[rows], y[rows], members.train)

    train(step, models.optimizers, models.steps, members.names, progress)
    measures = models.measure(x, y, train_rows, test_rows, members.test, evaluation)
    return [
        Row("plane", series, member % replicates, QUANTITIES[series], value, x=betas[member // replicates])
        for series, values in measures.items()
        for member, value in enumerate(values.tolist())
    ]


class Bottlenecks:
    """Encoder, classifier and statistics network of every member, and their training."""

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
        self.betas, self.batch_size, self.steps = betas, batch_size, steps
        wide = [hidden] * layers
        self.encoder = perceptrons([pixels, *wide, latent], seeds, "encoder")
        self.classifier = perceptrons([latent, DIGITS], seeds, "classifier")
        network = perceptrons([3 * latent, *[statistics] * layers, 1], seeds, "statistics")
        self.mine = Mine(network, combine=with_distance, smoothing=smoothing)
        groups = ([self.encoder, self.classifier], [self.mine])
        self.optimizers = [adam(networks, betas.device, learning_rate) for networks in groups]

    def code(self, x: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Return Z of images `(members, rows, pixels)`, and its mean, each `(members, rows, latent)`."""
        mean = self.encoder(x)
        return mean + draws.normals(*mean.shape[1:]), mean

    def step(self, x: Tensor, y: Tensor, draws: Draws) -> Tensor:
        """Update each network once from images and digits `(members, batch)`; return losses `(members,)` in nats."""
        model_adam, mine_adam = self.optimizers
        z, mean = self.code(x, draws)
        bound = self.mine.loss(mean, z, z_marginal=z.roll(1, dims=1))  # independent samples, rolled by one place
        loss = mean_cross_entropy(self.classifier(z), y) - self.betas * bound
        model_adam.zero_grad()
        loss.sum().backward(retain_graph=True)
        mine_adam.zero_grad()
        bound.sum().backward(inputs=list(self.mine.parameters()))
        model_adam.step()
        mine_adam.step()
        return loss.detach()

    @torch.no_grad()
    def measure(self, x: Tensor, y: Tensor, train: Tensor, test: Tensor, draws: Draws, rows: int) -> dict[str, Tensor]:
        """Return numbers of every member, each `(members,)`; `train` and `test` are rows of images `(members, …)`.

        For the test images: the error of the mean prediction over draws of Z, and a lower bound on I(Z; Y), the entropy
        of the digits minus the cross entropy of single draws. For the first `rows` training images: I(X; Z) by MINE and
        by the mixture.
        """
        chosen = train[:, :rows]
        logits = torch.stack([self.classifier(self.code(x[test], draws)[0]) for _ in range(PREDICTIONS)])
        shares = torch.stack([y[member].bincount(minlength=DIGITS) for member in test]) / test.shape[1]
        lost = torch.stack([mean_cross_entropy(draw, y[test]) for draw in logits]).mean(dim=0)
        z, mean = self.code(x[chosen], draws)
        return {
            "error": (logits.softmax(dim=3).mean(dim=0).argmax(dim=2) != y[test]).float().mean(dim=1),
            "mine": self.mine.information(mean, z, draws.for_members()),
            "mixture": mixture_information(z, mean),
            "label": torch.special.entr(shares).sum(dim=1) - lost,
        }


def with_distance(mean: Tensor, z: Tensor) -> Tensor:
    """Return the input of the statistics network: f(x) and z, `(…, latent)` each, and their squared differences."""
    return torch.cat([mean, z, (z - mean).square()], dim=-1)


def mixture_information(z: Tensor, mean: Tensor) -> Tensor:
    """Return I(X; Z) in nats, `(members,)`, for X uniform over images, from the mean and one sample of each Z.

    The mean of log p(z | x) - log p(z), where p(z) is the mixture of standard normal densities about all means; both
    arguments are `(members, images, latent)`. It is at most the logarithm of the number of images.
    """
    log_density = -0.5 * torch.cdist(z, mean).square()
    own = log_density.diagonal(dim1=1, dim2=2)
    return (own - log_density.logsumexp(dim=2)).mean(dim=1) + math.log(z.shape[1])
