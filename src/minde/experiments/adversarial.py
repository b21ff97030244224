"""Generative adversarial networks with a term of mutual information (MINE, section 5.1), all members as one program.

The generator sees noise and a code of one or more parts, each one of several values, one-hot. It minimises

    E softplus(-D(G(noise, code))) - beta · I(G(noise, code); code),

the first term being the non-saturating loss, the second MINE's bound with its gradient clipped to the first one's. A
member of beta = 0 is a GAN with the same inputs, networks and random numbers.
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

HE = 6**0.5  # gain of weights that keeps the variance from one ReLU layer to the next
BETA1 = 0.5  # of Adam: the usual choice in adversarial training, where the loss moves


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a GAN is made of and how it is trained."""

    noise: int
    """Coordinates of standard normal noise."""
    codes: list[int]
    """Values of each part of the code, such as [25]."""
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
    """Of Adam, at the first step; it falls to 0 as half a cosine."""
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
        with larger weights: of few pixels that differ little a plain network learns nothing about the code for long.
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
        """Codes `(members, rows, codes)`, every part uniform on its values."""
        parts = [one_hot(draws.integers(values, rows), values) for values in self.settings.codes]
        return torch.cat(parts, dim=-1).float()

    def step(self, real: Tensor, draws: Draws) -> Tensor:
        """One update of each network from real samples `(members, batch, dim)`; the losses' sum, `(members,)`."""
        inputs, codes = self.inputs(draws, real.shape[1])
        fake = self.output(self.generator(inputs))
        of_generator, of_discriminator, of_mine = self.optimizers
        told_apart = discrimination(self.discriminator(real), self.discriminator(fake.detach()))
        of_discriminator.zero_grad()
        told_apart.sum().backward()
        of_discriminator.step()

        seen = fake.detach().requires_grad_()
        fooled = deception(self.discriminator(seen))
        (adversarial,) = torch.autograd.grad(fooled.sum(), seen)
        # The code's own distribution is known: fresh codes are better samples of the marginal than shuffled ones.
        bound = self.mine.loss(seen, codes, z_marginal=self.codes(draws, real.shape[1]))
        of_mine.zero_grad()
        bound.sum().backward()
        parameters = list(self.generator.parameters())
        adversarial = torch.autograd.grad(fake, parameters, adversarial, retain_graph=True)
        information = torch.autograd.grad(fake, parameters, seen.grad)
        for parameter, main, term in zip(
            parameters, adversarial, clip_adaptively(adversarial, information, stacked=True), strict=True
        ):
            parameter.grad = main + self.betas[:, None, None] * term
        of_generator.step()
        of_mine.step()
        return (told_apart + fooled + bound).detach()

    @torch.no_grad()
    def sample(self, draws: Draws, rows: int) -> tuple[Tensor, Tensor]:
        """Generated samples `(members, rows, dim)` and their codes."""
        inputs, codes = self.inputs(draws, rows)
        return self.output(self.generator(inputs)), codes


class CodeScores(nn.Module):
    """A statistics network that scores every value of the code by the sample: T(x, c) = h(x) · c.

    The best T is of this form, log p(c | x) but for what does not depend on x and c, where the parts of the code are
    independent given x. It learns in far fewer steps than a perceptron of x and c side by side.
    """

    def __init__(self, scores: Perceptrons, dim: int) -> None:
        """Take h, which maps samples of `dim` coordinates to as many scores as the code is wide."""
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
