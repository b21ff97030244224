"""Perceptrons of several members as one batched program.

A member is one training: of one replicate under one condition, such as a weight of the information term. Tensors are
`(members, batch, dim)`; no member reads another's numbers.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu, tanh

from minde.baselines.stacks import generator

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": relu,
    "leaky_relu": lambda x: leaky_relu(x, 0.2),
    "tanh": tanh,
}


class Perceptrons(nn.Module):
    """A perceptron per member, all of the same widths; the activation stands between layers, not after the last.

    `widths` are those of input, hidden layers and output. Weights and biases start uniform within ±1/sqrt(fan_in), as
    torch's linear layers do, times `gain`, those of a member from its seed and the network's purpose alone. A gain of
    √6 (He et al. 2015) keeps the variance from ReLU layer to layer.
    """

    def __init__(
        self, widths: Sequence[int], seeds: Sequence[int], purpose: str, activation: str = "relu", gain: float = 1.0
    ) -> None:
        """Draw the weights of as many members as there are seeds; members of one seed start alike."""
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        generators = [generator(seed, purpose) for seed in seeds]
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for fan_in, fan_out in pairwise(widths):
            bound = gain / math.sqrt(fan_in)
            for parameters, shape in ((self.weights, (fan_in, fan_out)), (self.biases, (1, fan_out))):
                drawn = [(2 * torch.rand(shape, generator=one) - 1) * bound for one in generators]
                parameters.append(nn.Parameter(torch.stack(drawn)))

    def forward(self, x: Tensor) -> Tensor:
        """Outputs `(members, batch, dim_out)` of inputs `(members, batch, dim_in)`."""
        return self.layers(x)[-1]

    def layers(self, x: Tensor) -> list[Tensor]:
        """What every layer passes on, in order; of the last one, the output."""
        passed, last = [], len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias, x, weight)
            if layer < last:
                x = self.activation(x)
            passed.append(x)
        return passed


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

    def uniforms(self, *shape: int) -> Tensor:
        """Uniforms on [0, 1), `(members, *shape)`."""
        return self._each(lambda one: torch.rand(shape, generator=one))

    def integers(self, below: int, *shape: int) -> Tensor:
        """Integers from 0 up to but without `below`, `(members, *shape)`."""
        return self._each(lambda one: torch.randint(below, shape, generator=one))

    def permutations(self, size: int) -> Tensor:
        """Orders of `range(size)`, `(members, size)`."""
        return self._each(lambda one: torch.randperm(size, generator=one))

    def _each(self, draw: Callable[[torch.Generator], Tensor]) -> Tensor:
        drawn = torch.stack([draw(one) for one in self.generators]).to(self.device)
        return drawn.repeat(self.conditions, *[1] * (drawn.dim() - 1))


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


def check_finite(losses: Tensor, names: Sequence[str], step: int, about: str) -> None:
    """Raise FloatingPointError, naming the members, where a loss `(members,)` is not finite."""
    if not losses.isfinite().all():
        lost = [name for name, fine in zip(names, losses.isfinite().tolist(), strict=True) if not fine]
        raise FloatingPointError(f"the {about} of {', '.join(lost)} is not finite at step {step}; lower learning_rate")
