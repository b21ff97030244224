"""Networks of several members as one batched program: their weights, random numbers and steps.

A member is the training of one replicate under one condition, such as a weight of the information term. Tensors are
`(members, batch, dim)`; members are independent.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import LambdaLR

from minde.baselines.perceptrons import Perceptrons
from minde.baselines.stacks import generators
from minde.progress import Progress

from .rows import Seed


def perceptrons(
    widths: Sequence[int], seeds: Sequence[int], purpose: str, activation: str = "relu", gain: float = 1.0
) -> Perceptrons:
    """Return perceptrons of members, each drawn from its seed and the purpose; members with equal seeds start equal."""
    return Perceptrons(widths, generators(seeds, purpose), activation, gain)


class Draws:
    """Random numbers from a generator for each replicate, the same under each of `conditions`.

    Members are ordered by condition, then replicate.
    """

    def __init__(self, seeds: Sequence[int], conditions: int = 1, device: torch.device | str = "cpu") -> None:
        """Seed a generator for each replicate, on the CPU so that random numbers are the same for a GPU."""
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.conditions, self.device = conditions, device

    def normals(self, *shape: int) -> Tensor:
        """Draw standard normals `(members, *shape)`."""
        return self._each(lambda one: torch.randn(shape, generator=one))

    def integers(self, below: int, *shape: int) -> Tensor:
        """Draw integers from 0 to `below` - 1, `(members, *shape)`."""
        return self._each(lambda one: torch.randint(below, shape, generator=one))

    def for_members(self) -> list[torch.Generator]:
        """Return a new generator for each member."""
        seeds = [int(torch.randint(2**62, (), generator=one)) for one in self.generators]
        return [torch.Generator().manual_seed(seed) for seed in seeds * self.conditions]

    def _each(self, draw: Callable[[torch.Generator], Tensor]) -> Tensor:
        drawn = torch.stack([draw(one) for one in self.generators]).to(self.device)
        return drawn.repeat(self.conditions, *[1] * (drawn.dim() - 1))


@dataclass(frozen=True)
class Members:
    """Names, seeds, weights and random numbers of the members of an experiment, ordered as in `Draws`."""

    names: list[str]
    seeds: list[int]
    """Of the networks; the same under each condition."""
    betas: Tensor
    """Weights of the information term `(members,)`, in 1 / nat: what conditions differ in."""
    train: Draws
    test: Draws


def members_of(
    seed: Seed, replicates: int, betas: dict[str, float], device: torch.device | str, suffix: str = ""
) -> Members:
    """Return the members of an experiment, from the weight `betas` of each condition.

    `suffix` is added to every purpose.
    """
    networks, train, test = (
        [seed(replicate, purpose + suffix) for replicate in range(replicates)]
        for purpose in ("networks", "train", "test")
    )
    return Members(
        names=[f"{condition}, replicate {replicate}" for condition in betas for replicate in range(replicates)],
        seeds=networks * len(betas),
        betas=torch.tensor(list(betas.values()), device=device).repeat_interleave(replicates),
        train=Draws(train, len(betas), device),
        test=Draws(test, len(betas), device),
    )


def split_rows(
    generators: Sequence[np.random.Generator], rows: int, share: float, device: torch.device | str
) -> tuple[Tensor, Tensor]:
    """Return a random share of the row numbers and the rest, each `(generators, …)`, in an order from each generator.

    That neither is empty is checked with the config.
    """
    order = torch.from_numpy(np.stack([one.permutation(rows) for one in generators])).to(device)
    first = round(share * rows)
    return order[:, :first], order[:, first:]


def mean_cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Return the mean over a batch, `(members,)`.

    `logits` are `(members, batch, classes)`, classes `y` are `(members, batch)`.
    """
    return cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none").view(y.shape).mean(dim=1)


def adam(
    networks: Iterable[nn.Module], device: torch.device, learning_rate: float, beta1: float = 0.9
) -> torch.optim.Adam:
    """Move networks to a device; return Adam on all members together: its updates are elementwise, so independent."""
    parameters = [parameter for network in networks for parameter in network.to(device).parameters()]
    return torch.optim.Adam(parameters, lr=learning_rate, betas=(beta1, 0.999))


def train(
    step: Callable[[], Tensor],
    optimizers: Sequence[torch.optim.Optimizer],
    steps: int,
    names: Sequence[str],
    progress: Progress,
) -> None:
    """Call `step`, which updates the members and returns their losses `(members,)`.

    The learning rates fall as half a cosine, from those of the optimizers to nearly 0. Raises FloatingPointError,
    naming the members, if a loss is not finite, which is checked every 100 steps.
    """
    falling = [LambdaLR(one, lambda done: (1 + math.cos(math.pi * done / steps)) / 2) for one in optimizers]
    for done in range(1, steps + 1):
        losses = step()
        for one in falling:
            one.step()
        if done % 100 == 0 or done == steps:
            check_finite(losses, names, done)
            progress.report(done, f"losses {losses.mean():.3f}")


def check_finite(losses: Tensor, names: Sequence[str], step: int) -> None:
    """Raise FloatingPointError, naming the members, if a loss `(members,)` is not finite."""
    if not losses.isfinite().all():
        lost = [name for name, fine in zip(names, losses.isfinite().tolist(), strict=True) if not fine]
        raise FloatingPointError(f"the loss of {', '.join(lost)} is not finite at step {step}; lower learning_rate")
