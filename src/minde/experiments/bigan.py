"""Experiment 4: bi-directional GANs with and without MINE, on the 25 Gaussians (section 5.2).

A generator maps codes z from the prior to samples, an encoder samples x (with noise, as in ALI) to codes, and a
discriminator tells pairs (x, encoder's z) from pairs (generator's x, z). The reconstruction error of x from its code is
bounded by a divergence between the two kinds of pairs, plus the entropy of the data, minus the mutual information of x
and its code (eq. 20), which the term increases.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from minde.baselines.mine import Mine, clip_adaptively
from minde.progress import Progress

from .adversarial import BETA1, deception, discrimination
from .networks import Draws, adam, members_of, perceptrons, train
from .patterns import coverage, gaussians
from .rows import Row, Seed, points_of, rows_of

SERIES = ("bigan", "mine")


def run(
    *,
    seed: Seed,
    device: torch.device,
    replicates: int,
    sigma: float,
    beta: float,
    samples: int,
    points: int,
    quorum: float,
    bigan: dict,
) -> list[Row]:
    """Return coverage and reconstruction error of every member; samples and reconstructions (panels) of the first."""
    pattern = gaussians(sigma).to(device)
    members = members_of(seed, replicates, dict(zip(SERIES, (0.0, beta), strict=True)), device)
    draws, fresh = members.train, members.test
    models = BiGans(2, members.seeds, members.betas, **bigan)
    progress = Progress(f"{len(members.seeds)} BiGANs on {device.type}", models.steps, "steps")

    def step() -> Tensor:
        return models.step(pattern.draw(draws, models.batch_size), draws)

    train(step, models.optimizers, models.steps, members.names, progress)
    real = pattern.draw(fresh, samples)
    with torch.no_grad():
        made = models.generator(models.prior(fresh, samples))
        codes = models.encode(real, fresh)
        again = models.generator(codes)
    measures = coverage(made, pattern, quorum)._asdict() | {
        "reconstruction": (again - real).norm(dim=-1).mean(dim=1),
        "information": models.mine.information(real, codes, fresh.for_members()),
    }
    rows = rows_of("samples", measures, SERIES)
    rows += points_of("samples", "data", real[0, :points])
    for number, series in enumerate(SERIES):
        rows += points_of("samples", series, made[number * replicates, :points])
        rows += points_of("reconstructions", series, again[number * replicates, :points])
    return rows


class BiGans:
    """Generator, encoder, discriminator of pairs and statistics network of every member, and their training."""

    def __init__(
        self,
        dim: int,
        seeds: Sequence[int],
        betas: Tensor,
        *,
        latent: int,
        noise: int,
        hidden: int,
        layers: int,
        statistics: int,
        smoothing: float,
        batch_size: int,
        learning_rate: float,
        steps: int,
    ) -> None:
        """Draw the networks of members from their seeds; `betas` `(members,)` weigh the information, in 1 / nat."""
        wide = [hidden] * layers
        self.betas, self.latent, self.noise = betas, latent, noise
        self.batch_size, self.steps = batch_size, steps
        self.generator = perceptrons([latent, *wide, dim], seeds, "generator")
        self.encoder = perceptrons([dim + noise, *wide, latent], seeds, "encoder")
        self.discriminator = perceptrons([dim + latent, *wide, 1], seeds, "discriminator", "leaky_relu")
        network = perceptrons([dim + latent, *[statistics] * layers, 1], seeds, "statistics")
        self.mine = Mine(network, smoothing=smoothing)
        groups = ([self.generator, self.encoder], [self.discriminator], [self.mine])
        self.optimizers = [adam(networks, betas.device, learning_rate, BETA1) for networks in groups]

    def prior(self, draws: Draws, rows: int) -> Tensor:
        """Draw codes `(members, rows, latent)`, standard normal."""
        return draws.normals(rows, self.latent)

    def encode(self, x: Tensor, draws: Draws) -> Tensor:
        """Return codes of samples x `(members, rows, dim)`."""
        return self.encoder(torch.cat([x, draws.normals(x.shape[1], self.noise)], dim=-1))

    def step(self, real: Tensor, draws: Draws) -> Tensor:
        """Update each network once from real samples `(members, batch, dim)`; return the losses' sum, `(members,)`."""
        model_adam, discriminator_adam, mine_adam = self.optimizers
        codes, prior = self.encode(real, draws), self.prior(draws, real.shape[1])
        fake = self.generator(prior)
        encoded, generated = torch.cat([real, codes], dim=-1), torch.cat([fake, prior], dim=-1)
        discriminated = discrimination(self.discriminator(encoded.detach()), self.discriminator(generated.detach()))
        discriminator_adam.zero_grad()
        discriminated.sum().backward()
        discriminator_adam.step()

        generator, encoder = list(self.generator.parameters()), list(self.encoder.parameters())
        deceived = deception(-self.discriminator(encoded)) + deception(self.discriminator(generated))
        adversarial = torch.autograd.grad(deceived.sum(), [*generator, *encoder], retain_graph=True)
        of_generator, of_encoder = adversarial[: len(generator)], adversarial[len(generator) :]
        # Independent samples, rolled by one place, are samples of the marginals.
        bound = self.mine.loss(real, codes, z_marginal=codes.roll(1, dims=1))
        mine_adam.zero_grad()
        model_adam.zero_grad()
        bound.sum().backward()
        clipped = clip_adaptively(of_encoder, [parameter.grad for parameter in encoder], stacked=True)
        for parameter, main in zip(generator, of_generator, strict=True):
            parameter.grad = main
        for parameter, main, term in zip(encoder, of_encoder, clipped, strict=True):
            parameter.grad = main + self.betas[:, None, None] * term
        model_adam.step()
        mine_adam.step()
        return (discriminated + deceived + bound).detach()
