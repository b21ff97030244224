"""Generative adversarial networks with a term of mutual information (MINE, section 5.1), all members as one program.

The generator sees noise and a code of one or more parts, each a one-hot vector. It minimizes

    E softplus(-D(G(noise, code))) - beta · I(G(noise, code); code),

where the first term is the non-saturating loss, and the second is MINE's bound, whose gradient is clipped to the norm
of the first one's. A member with beta = 0 is a GAN with the same inputs, networks and random numbers.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, softplus

from minde.baselines.mine import Mine, clip_adaptively

from .networks import Draws, Perceptrons, adam, perceptrons

HE = 6**0.5  # gain of weights that preserves the variance through ReLU layers
BETA1 = 0.5  # of Adam: the usual choice in adversarial training, whose losses are not stationary


class Gans:
    """Generator, discriminator and statistics network of every member, and how they are trained."""

    def __init__(
        self,
        dim: int,
        seeds: Sequence[int],
        betas: Tensor,
        *,
        noise: int,
        codes: Sequence[int],
        hidden: int,
        layers: int,
        statistics: int,
        smoothing: float,
        batch_size: int,
        learning_rate: float,
        steps: int,
        images: bool = False,
    ) -> None:
        """Draw the networks of members from their seeds; `betas` `(members,)` weigh the information, in 1 / nat.

        The noise has `noise` coordinates; `codes` are the numbers of values of the parts of the code, such as [25].
        Generator and discriminator have `layers` layers of `hidden` units, the statistics network as many of
        `statistics` units.

        With `images`, samples are pixels from 0 to 1, the statistics network is `CodeScores`, and the generator starts
        with larger weights: from pixels that hardly differ, a plain network learns nothing about the code for long.
        """
        self.betas, self.noise, self.code_sizes = betas, noise, codes
        self.batch_size, self.steps = batch_size, steps
        self.output = torch.sigmoid if images else nn.Identity()
        width, wide = sum(codes), [hidden] * layers
        self.generator = perceptrons([noise + width, *wide, dim], seeds, "generator", gain=HE if images else 1.0)
        self.discriminator = perceptrons([dim, *wide, 1], seeds, "discriminator", "leaky_relu")
        dim_in, dim_out = (dim, width) if images else (dim + width, 1)
        network = perceptrons([dim_in, *[statistics] * layers, dim_out], seeds, "statistics")
        self.mine = Mine(CodeScores(network, dim) if images else network, smoothing=smoothing)
        modules = (self.generator, self.discriminator, self.mine)
        self.optimizers = [adam([module], betas.device, learning_rate, BETA1) for module in modules]

    def inputs(self, draws: Draws, rows: int) -> tuple[Tensor, Tensor]:
        """Draw noise with codes `(members, rows, noise + codes)`; return it, and the codes alone."""
        codes = self.codes(draws, rows)
        return torch.cat([draws.normals(rows, self.noise), codes], dim=-1), codes

    def codes(self, draws: Draws, rows: int) -> Tensor:
        """Draw codes `(members, rows, codes)`, every part uniform over its values."""
        parts = [one_hot(draws.integers(values, rows), values) for values in self.code_sizes]
        return torch.cat(parts, dim=-1).float()

    def step(self, real: Tensor, draws: Draws) -> Tensor:
        """Update each network once from real samples `(members, batch, dim)`; return the losses' sum, `(members,)`."""
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
        """Return generated samples `(members, rows, dim)` and their codes."""
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
        """Return T of samples with their codes, `(members, batch, dim + codes)`: `(members, batch, 1)`."""
        x, codes = pairs[..., : self.dim], pairs[..., self.dim :]
        return (self.scores(x) * codes).sum(dim=-1, keepdim=True)


def discrimination(real: Tensor, fake: Tensor) -> Tensor:
    """Return the discriminator's loss, `(members,)`, from its logits `(members, batch, 1)`: cross entropy, in nats."""
    return (softplus(-real) + softplus(fake)).mean(dim=(1, 2))


def deception(fake: Tensor) -> Tensor:
    """Return the generator's non-saturating loss, `(members,)`, from logits `(members, batch, 1)`, in nats."""
    return softplus(-fake).mean(dim=(1, 2))
