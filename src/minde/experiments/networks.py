"""Networks of several members as one batched program: their weights, random numbers and steps.

A member is one training: of one replicate under one condition, such as a weight of the information term. Tensors are
`(members, batch, dim)`; no member reads another's numbers.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from minde.baselines.mine import Perceptrons
from minde.baselines.stacks import generator
from minde.progress import Progress


def perceptrons(
    widths: Sequence[int], seeds: Sequence[int], purpose: str, activation: str = "relu", gain: float = 1.0
) -> Perceptrons:
    """Perceptrons of members, each drawn from its seed and the purpose alone; members of one seed start alike."""
    return Perceptrons(widths, [generator(seed, purpose) for seed in seeds], activation, gain)


class Draws:
    """Random numbers of every replicate from a generator of its own, alike under each of `conditions`.

    Members are ordered by condition, then replicate: conditions differ in nothing but themselves.
    """

    def __init__(self, seeds: Sequence[int], conditions: int = 1, device: torch.device | str = "cpu") -> None:
        """Start a generator on the CPU from each replicate's seed, so that a GPU draws the same."""
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.conditions, self.device = conditions, device

    def normals(self, *shape: int) -> Tensor:
        """Standard normals `(members, *shape)`."""
        return self._each(lambda one: torch.randn(shape, generator=one))

    def integers(self, below: int, *shape: int) -> Tensor:
        """Integers from 0 up to but without `below`, `(members, *shape)`."""
        return self._each(lambda one: torch.randint(below, shape, generator=one))

    def _each(self, draw: Callable[[torch.Generator], Tensor]) -> Tensor:
        drawn = torch.stack([draw(one) for one in self.generators]).to(self.device)
        return drawn.repeat(self.conditions, *[1] * (drawn.dim() - 1))


def split_rows(order: Tensor, share: float, setting: str) -> tuple[Tensor, Tensor]:
    """Parts of rows `(members, rows)` in a random order: this share of them, and the rest.

    Raises:
        ValueError: a part is empty; the setting is named.
    """
    rows = order.shape[1]
    first = round(share * rows)
    if not 0 < first < rows:
        raise ValueError(f"{setting} is {share:g}, which makes {first} of {rows} rows; expected some, and not all")
    return order[:, :first], order[:, first:]


def adam(networks: Iterable[nn.Module], learning_rate: float, beta1: float = 0.9) -> torch.optim.Adam:
    """Adam on all members at once: its updates are element by element, so that each is the member's own."""
    parameters = [parameter for network in networks for parameter in network.parameters()]
    return torch.optim.Adam(parameters, lr=learning_rate, betas=(beta1, 0.999))


def cool(optimizers: Iterable[torch.optim.Optimizer], learning_rate: float, step: int, steps: int) -> None:
    """Set the learning rate of a step, counted from 1: half a cosine from `learning_rate` to nearly 0."""
    rate = learning_rate * (1 + math.cos(math.pi * (step - 1) / steps)) / 2
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate


def train(
    step: Callable[[], Tensor],
    optimizers: Sequence[torch.optim.Optimizer],
    learning_rate: float,
    steps: int,
    names: Sequence[str],
    progress: Progress,
) -> None:
    """Call `step`, which updates the members and returns their losses `(members,)`, while the learning rate falls.

    Raises:
        FloatingPointError: a loss is not finite, which is looked at every 100 steps; the members are named.
    """
    for done in range(1, steps + 1):
        cool(optimizers, learning_rate, done, steps)
        losses = step()
        if done % 100 == 0 or done == steps:
            check_finite(losses, names, done, "loss")
            progress.report(done, f"losses {losses.mean():.3f}")


def check_finite(losses: Tensor, names: Sequence[str], step: int, about: str) -> None:
    """Raise FloatingPointError, naming the members, where a loss `(members,)` is not finite."""
    if not losses.isfinite().all():
        lost = [name for name, fine in zip(names, losses.isfinite().tolist(), strict=True) if not fine]
        raise FloatingPointError(f"the {about} of {', '.join(lost)} is not finite at step {step}; lower learning_rate")
