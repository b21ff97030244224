"""Stacked perceptrons, one per replicate, as one batched program. Imports only torch."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": nn.functional.relu,
    "elu": nn.functional.elu,
    "leaky_relu": partial(nn.functional.leaky_relu, negative_slope=0.2),
    "tanh": torch.tanh,
}


class Perceptrons(nn.Module):
    """A stack of perceptrons of the same widths: `(replicates, batch, dim_in)` to `(replicates, batch, dim_out)`.

    `widths` are those of input, hidden layers and output; the activation, a key of ACTIVATIONS, is applied between
    layers. Each replicate's weights are drawn from its own generator, uniform within ±1/sqrt(fan_in) as in torch's
    linear layers, times `gain`: √6 preserves the variance through ReLU layers (He et al. 2015). Raises ValueError for
    an unknown activation.
    """

    def __init__(
        self,
        widths: Sequence[int],
        generators: Sequence[torch.Generator],
        activation: str = "relu",
        gain: float = 1.0,
    ) -> None:
        """Draw the weights of one replicate from each generator."""
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ValueError(f"unknown activation {activation!r}; expected {', '.join(ACTIVATIONS)}")
        self.activation = ACTIVATIONS[activation]
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for fan_in, fan_out in pairwise(widths):
            bound = gain / math.sqrt(fan_in)
            for parameters, shape in ((self.weights, (fan_in, fan_out)), (self.biases, (1, fan_out))):
                drawn = [torch.rand(shape, generator=one, device=one.device) for one in generators]
                parameters.append(nn.Parameter((2 * torch.stack(drawn) - 1) * bound))

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs."""
        return self.layers(x)[-1]

    def layers(self, x: Tensor) -> list[Tensor]:
        """Return the activations of the hidden layers, in order, and the output."""
        passed, last = [], len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias, x, weight)
            if layer < last:
                x = self.activation(x)
            passed.append(x)
        return passed
