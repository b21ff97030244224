"""Generative adversarial networks with a term of mutual information (MINE, section 5.1), all members as one program.

The generator sees noise and a code of one or more parts, each a one-hot vector. It minimises

    E softplus(-D(G(noise, code))) - beta · I(G(noise, code); code),

where the first term is the non-saturating loss, and the second is MINE's bound, whose gradient is clipped to the norm
of the first one's. A member with beta = 0 is a GAN with the same inputs, networks and random numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, softplus

from minde.baselines.mine import Mine, clip_adaptively
from minde.experiments import networks
from minde.experiments.networks import Draws, Perceptrons, adam, perceptrons
from minde.progress import Progress

HE = 6**0.5  # gain of weights that preserves the variance through ReLU layers
BETA1 = 0.5  # of Adam: the usual choice in adversarial training, whose losses are not stationary


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The networks of a GAN and their training."""

    noise: int
    """Coordinates of standard normal noise."""
    codes: list[int]
    """Number of values of each part of the code, such as [25]."""
    hidden: int
    """Units of each layer of generator and discriminator."""
    layers: int
    """Hidden layers of generator, discriminator and statistics network."""
    statistics: int
    """Units of each layer of the statistics network."""
    smoothing: float
    """Weight of the newest batch in MINE's running mean."""
    batch_size: int
    """Samples per step and member."""
    learning_rate: float
    """Of Adam, at the first step; a half cosine takes it to 0."""
    steps: int
    """Updates of each network."""


class Gans:
    """Generator, discriminator and statistics network of every member, and how they are trained."""

    def __init__(
        self,
        dim: int,
        seeds: Sequence[int],
        betas: Tensor,
        settings: Settings,
        *,
        images: bool = False,
    ) -> None:
        """Draw the networks of members from their seeds; `betas` `(members,)` weigh the information, in 1 / nat.

        With `images`, samples are pixels from 0 to 1, the statistics network is `CodeScores`, and the generator starts
        with larger weights: from pixels that hardly differ, a plain network learns nothing about the code for long.
        """
        width, wide = sum(settings.codes), [settings.hidden] * settings.layers
        self.settings, self.betas = settings, betas
        self.output = torch.sigmoid if images else nn.Identity()
        self.generator = perceptrons(
            [settings.noise + width, *wide, dim], seeds, "generator", gain=HE if images else 1.0
        )
        self.discriminator = perceptrons([dim, *wide, 1], seeds, "discriminator", "leaky_relu")
        ends = (dim, width) if images else (dim + width, 1)
        inner = [settings.statistics] * settings.layers
        statistics = perceptrons([ends[0], *inner, ends[1]], seeds, "statistics")
        self.mine = Mine(CodeScores(statistics, dim) if images else statistics, smoothing=settings.smoothing)
        self.networks = [self.generator, self.discriminator, self.mine]
        for network in self.networks:
            network.to(betas.device)
        self.optimizers = [adam([network], settings.learning_rate, BETA1) for network in self.networks]

    def inputs(self, draws: Draws, rows: int) -> tuple[Tensor, Tensor]:
        """Noise with codes `(members, rows, noise + codes)`, and the codes alone."""
        codes = self.codes(draws, rows)
        return torch.cat([draws.normals(rows, self.settings.noise), codes], dim=-1), codes

    def codes(self, draws: Draws, rows: int) -> Tensor:
        """Codes `(members, rows, codes)`, every part uniform over its values."""
        parts = [one_hot(draws.integers(values, rows), values) for values in self.settings.codes]
        return torch.cat(parts, dim=-1).float()

    def step(self, real: Tensor, draws: Draws) -> Tensor:
        """One update of each network from real samples `(members, batch, dim)`; the losses' sum, `(members,)`."""
        inputs, codes = self.inputs(draws, real.shape[1])
        fake = self.output(self.generator(inputs))
        generator_adam, discriminator_adam, mine_adam = self.optimizers
        discriminated = discrimination(self.discriminator(real), self.discriminator(fake.detach()))
        discriminator_adam.zero_grad()
        discriminated.sum().backward()
        discriminator_adam.step()

        seen = fake.detach().requires_grad_()
        deceived = deception(self.discriminator(seen))
        (adversarial,) = torch.autograd.grad(deceived.sum(), seen)
        # The distribution of codes is known: fresh codes are better samples of the marginal than shuffled ones.
        bound = self.mine.loss(seen, codes, z_marginal=self.codes(draws, real.shape[1]))
        mine_adam.zero_grad()
        bound.sum().backward()
        parameters = list(self.generator.parameters())
        adversarial = torch.autograd.grad(fake, parameters, adversarial, retain_graph=True)
        information = torch.autograd.grad(fake, parameters, seen.grad)
        for parameter, main, term in zip(
            parameters, adversarial, clip_adaptively(adversarial, information, stacked=True), strict=True
        ):
            parameter.grad = main + self.betas[:, None, None] * term
        generator_adam.step()
        mine_adam.step()
        return (discriminated + deceived + bound).detach()

    @torch.no_grad()
    def sample(self, draws: Draws, rows: int) -> tuple[Tensor, Tensor]:
        """Generated samples `(members, rows, dim)` and their codes."""
        inputs, codes = self.inputs(draws, rows)
        return self.output(self.generator(inputs)), codes


class CodeScores(nn.Module):
    """A statistics network that gives every value of the code a score that depends on the sample: T(x, c) = h(x) · c.

    If the parts of the code are independent given x, the optimal T, log p(c | x) up to a constant, has this form. It
    needs far fewer steps than a perceptron of x and c concatenated.
    """

    def __init__(self, scores: Perceptrons, dim: int) -> None:
        """Take h, which maps samples of `dim` coordinates to a score for each element of the code."""
        super().__init__()
        self.scores, self.dim = scores, dim

    def forward(self, pairs: Tensor) -> Tensor:
        """T of samples with their codes, `(members, batch, dim + codes)`: `(members, batch, 1)`."""
        x, codes = pairs[..., : self.dim], pairs[..., self.dim :]
        return (self.scores(x) * codes).sum(dim=-1, keepdim=True)


def discrimination(real: Tensor, fake: Tensor) -> Tensor:
    """Loss of the discriminator, `(members,)`, from its logits `(members, batch, 1)`: cross entropy, in nats."""
    return (softplus(-real) + softplus(fake)).mean(dim=(1, 2))


def deception(fake: Tensor) -> Tensor:
    """The generator's non-saturating loss, `(members,)`, from logits `(members, batch, 1)`, in nats."""
    return softplus(-fake).mean(dim=(1, 2))


def train(gans: Gans, real: Callable[[int], Tensor], draws: Draws, names: Sequence[str], progress: Progress) -> None:
    """Train in place on batches `(members, rows, dim)` that `real(rows)` draws.

    Raises:
        FloatingPointError: see `networks.train`.
    """
    settings = gans.settings

    def step() -> Tensor:
        return gans.step(real(settings.batch_size), draws)

    networks.train(step, gans.optimizers, settings.learning_rate, settings.steps, names, progress)
