"""The score network of the paper (appendix C), stacked: the networks of all replicates are one batched program.

All parameters of a stack live in one tensor ``(replicates, flat_size)``, so that Adam, EMA and checkpoints are single
operations; the layers see named views of it. Between layers, activations are ``(replicates, features, batch)``: a group
norm then reduces over an outer dimension, which vectorises over the batch.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import gelu, silu

from . import random

GROUPS = 8  # of every group norm
EPSILON = 1e-5  # added to the variances of group norms, as torch does
ALIGNMENT = 64  # floats; keeps every replicate at the same place in vector instructions, so that a stack of any size
# gives it the same rounding


def hidden_width(dim: int, hidden: int | Literal["auto"] = "auto") -> int:
    """Return the width asked for, or for auto the paper's: 64 up to 10 dimensions, 128 up to 50, else 256."""
    if hidden != "auto":
        return hidden
    return 64 if dim <= 10 else 128 if dim <= 50 else 256


@dataclass(frozen=True, kw_only=True)
class Network:
    """The shape of a score network: ``dim_in`` coordinates and two times in, ``dim_out`` noise predictions out."""

    dim_in: int
    dim_out: int
    hidden: int
    """Width H, a multiple of 8."""
    middle_blocks: int = 2
    """Residual blocks H → H: two in the paper, one in the authors' later clean-up."""

    def __post_init__(self) -> None:
        """Refuse widths that the group norm cannot divide."""
        if self.hidden % GROUPS:
            raise ValueError(f"Network: hidden must be a multiple of {GROUPS}, found {self.hidden}.")

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every parameter of one replicate; matrices are ``(out, in)``."""
        h = self.hidden
        blocks = {f"middle{i}": h for i in range(self.middle_blocks)} | {"merge": 2 * h}
        shapes = {"input.weight": (h, self.dim_in), "input.bias": (h,)}
        shapes |= {"time1.weight": (h, 2), "time1.bias": (h,), "time2.weight": (h, h), "time2.bias": (h,)}
        # The blocks' time projections read the same embedding: one matrix product serves them all.
        shapes |= {"time_blocks.weight": (len(blocks) * h, h), "time_blocks.bias": (len(blocks) * h,)}
        for name, width in blocks.items():
            shapes |= {f"{name}.norm1.weight": (width,), f"{name}.norm1.bias": (width,)}
            shapes |= {f"{name}.linear1.weight": (h, width), f"{name}.linear1.bias": (h,)}
            shapes |= {f"{name}.norm2.weight": (h,), f"{name}.norm2.bias": (h,)}
            shapes |= {f"{name}.linear2.weight": (h, h), f"{name}.linear2.bias": (h,)}
        shapes |= {"merge.skip.weight": (h, 2 * h), "merge.skip.bias": (h,)}
        shapes |= {"output.norm.weight": (h,), "output.norm.bias": (h,)}
        return shapes | {"output.weight": (self.dim_out, h), "output.bias": (self.dim_out,)}

    @property
    def n_parameters(self) -> int:
        """Number of parameters of one replicate."""
        return sum(map(math.prod, self.shapes.values()))

    @property
    def flat_size(self) -> int:
        """Length of one replicate's row in the stack: its parameters, then unused numbers up to the alignment."""
        return math.ceil(self.n_parameters / ALIGNMENT) * ALIGNMENT

    def unflatten(self, flat: Tensor) -> dict[str, Tensor]:
        """View a stack ``(replicates, flat_size)`` as named parameters, each ``(replicates, *shape)``."""
        sizes = [math.prod(shape) for shape in self.shapes.values()]
        *parts, _ = flat.split([*sizes, self.flat_size - self.n_parameters], dim=1)
        return {name: part.unflatten(1, shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}

    def initialise(self, seeds: Sequence[int], device: torch.device) -> Tensor:
        """Draw initial parameters ``(replicates, flat_size)``, row r from ``seeds[r]`` alone.

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

    def __call__(self, parameters: dict[str, Tensor], variables: Tensor, times: Tensor) -> Tensor:
        """Predict the noise, ``(replicates, batch, dim_out)``.

        ``variables`` has shape ``(replicates, batch, dim_in)``, ``times`` has shape ``(replicates, batch, 2)``.
        """
        p, blocks = parameters, [*(f"middle{i}" for i in range(self.middle_blocks)), "merge"]
        first = _linear(p, "input", variables.mT)
        embedding = silu(_linear(p, "time2", gelu(_linear(p, "time1", times.mT))))
        # What the blocks add to their first layers' products: that layer's bias and the projected time.
        bias = p["time_blocks.bias"] + torch.cat([p[f"{name}.linear1.bias"] for name in blocks], dim=1)
        shifts = torch.baddbmm(bias.unsqueeze(2), p["time_blocks.weight"], embedding).chunk(len(blocks), dim=1)
        hidden = first
        for name, shift in zip(blocks[:-1], shifts, strict=False):
            hidden = hidden + _block(p, name, hidden, shift)
        merged = torch.cat([hidden, first], dim=1)
        hidden = _linear(p, "merge.skip", merged) + _block(p, "merge", merged, shifts[-1])
        return _linear(p, "output", _norm_silu(p, "output.norm", hidden)).mT


def _linear(p: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    weight, bias = p[f"{name}.weight"], p[f"{name}.bias"].unsqueeze(2)
    if weight.shape[1] == 1:
        # A matrix product with one row rounds differently for a lone replicate than in a stack; a sum does not.
        return (weight.mT * x).sum(dim=1, keepdim=True) + bias
    return torch.baddbmm(bias, weight, x)


def _norm_silu(p: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    return NormSilu.apply(x, p[f"{name}.weight"], p[f"{name}.bias"])


def _block(p: dict[str, Tensor], name: str, x: Tensor, shift: Tensor) -> Tensor:
    hidden = torch.baddbmm(shift, p[f"{name}.linear1.weight"], _norm_silu(p, f"{name}.norm1", x))
    return _linear(p, f"{name}.linear2", _norm_silu(p, f"{name}.norm2", hidden))


class NormSilu(Function):
    """Group norm with its affine part, then SiLU, of ``(replicates, features, batch)``, with a backward in few passes.

    Weight and bias are ``(replicates, features)``. Autograd through the same operations keeps and reads each of their
    intermediate results.
    """

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Return ``silu(weight * norm(x) + bias)``."""
        grouped = x.unflatten(1, (GROUPS, -1))
        centred = grouped - grouped.mean(dim=2, keepdim=True)
        scale = centred.square().mean(dim=2, keepdim=True).add_(EPSILON).rsqrt_()
        normalised = centred.mul_(scale).flatten(1, 2)
        affine = torch.addcmul(bias.unsqueeze(2), normalised, weight.unsqueeze(2))
        ctx.save_for_backward(normalised, scale, affine, weight)
        return silu(affine)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients of x, weight and bias."""
        normalised, scale, affine, weight = ctx.saved_tensors
        gradient = torch.ops.aten.silu_backward(gradient, affine)
        product = gradient * normalised
        of_weight, of_bias = product.sum(dim=2), gradient.sum(dim=2)
        # The normalised values have mean 0 and variance 1: take out what would change them.
        slope = gradient.mul_(weight.unsqueeze(2)).unflatten(1, (GROUPS, -1))
        along = product.mul_(weight.unsqueeze(2)).unflatten(1, (GROUPS, -1)).mean(dim=2, keepdim=True)
        of_x = slope - slope.mean(dim=2, keepdim=True)
        of_x = of_x.addcmul_(normalised.unflatten(1, (GROUPS, -1)), along, value=-1).mul_(scale)
        return of_x.flatten(1, 2), of_weight, of_bias
