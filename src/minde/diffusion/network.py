"""Score networks, stacked: the networks of all replicates are one batched program.

All parameters of a stack live in one tensor `(replicates, flat_size)`, so that Adam, EMA and checkpoints are single
operations; the layers see named views of it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from . import gated, random, residual
from .layers import GROUPS, Parameters

# In floats; every replicate starts at the same offset in vector instructions, so that its rounding does not depend on
# the size of the stack.
ALIGNMENT = 64


ARCHITECTURES = {"residual": residual, "gated": gated}
"""Modules with two functions: `shapes(dim_in, dim_out, hidden, middle_blocks)` gives name and shape of every parameter;
`forward(parameters, middle_blocks, variables, times)` the outputs, with features before the batch in all tensors."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """The shape of a score network: `dim_in` variables and two times in, `dim_out` numbers out."""

    dim_in: int
    dim_out: int
    hidden: int
    """Width H, a multiple of 8."""
    middle_blocks: int
    """Blocks H → H before the last one: two in the paper, one in the authors' later clean-up."""
    architecture: str
    """One of `ARCHITECTURES`; residual is the paper's."""

    def __post_init__(self) -> None:
        """Refuse widths that a group norm cannot divide, and unknown architectures."""
        if self.hidden % GROUPS:
            raise ValueError(f"Network: hidden must be a multiple of {GROUPS}, found {self.hidden}.")
        if self.architecture not in ARCHITECTURES:
            expected = ", ".join(ARCHITECTURES)
            raise ValueError(f"Network: unknown architecture {self.architecture!r}; expected one of {expected}.")

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every parameter of one replicate; matrices are `(out, in)`."""
        return ARCHITECTURES[self.architecture].shapes(self.dim_in, self.dim_out, self.hidden, self.middle_blocks)

    @property
    def n_parameters(self) -> int:
        """Number of parameters of one replicate."""
        return sum(map(math.prod, self.shapes.values()))

    @property
    def flat_size(self) -> int:
        """Length of one replicate's row in the stack: its parameters, then padding up to the alignment."""
        return math.ceil(self.n_parameters / ALIGNMENT) * ALIGNMENT

    def unflatten(self, flat: Tensor) -> dict[str, Tensor]:
        """View a stack `(replicates, flat_size)` as named parameters, each `(replicates, *shape)`."""
        sizes = [math.prod(shape) for shape in self.shapes.values()]
        *parts, _ = flat.split([*sizes, self.flat_size - self.n_parameters], dim=1)
        return {name: part.unflatten(1, shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}

    def initialize(self, seeds: Sequence[int], device: torch.device) -> Tensor:
        """Draw initial parameters `(replicates, flat_size)`, row r from `seeds[r]` alone.

        Linear layers start as torch's do (uniform within ±1/sqrt(fan_in)); norms at one and zero; the output at zero.
        """
        flat = random.uniforms((self.flat_size,), seeds, "initialise", device=device).mul_(2).sub_(1)
        parameters = self.unflatten(flat)
        for name in self.shapes:
            layer = name.rsplit(".", 1)[0]
            if name.startswith("output.") and "norm" not in name:
                parameters[name].zero_()
            elif "norm" in layer:
                parameters[name].fill_(float(name.endswith("weight")))
            else:
                fan_in = self.shapes[f"{layer}.weight"][1]
                parameters[name].mul_(1 / math.sqrt(fan_in))
        return flat

    def __call__(self, parameters: Parameters, variables: Tensor, times: Tensor) -> Tensor:
        """Return the outputs, `(replicates, batch, dim_out)`.

        `variables` has shape `(replicates, batch, dim_in)`, `times` has shape `(replicates, batch, 2)`.
        """
        forward = ARCHITECTURES[self.architecture].forward
        return forward(parameters, self.middle_blocks, variables.mT, times.mT).mT
