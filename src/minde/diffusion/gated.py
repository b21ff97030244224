"""A network of gated linear units: it needs a fraction of the steps of the paper's network far from Gaussian data.

A score is often a product, such as the coordinates times a rotation by an angle that depends on the radius. The units
multiply two linear functions of their input, one of them passed through SiLU (Shazeer, 2020); a perceptron has to
approximate products piecewise. A group norm would remove the lengths of vectors; a soft norm only bounds them, since
repeated products could grow without limit.
"""

import torch
from torch import Tensor
from torch.nn.functional import silu

from .layers import Parameters, linear, time_embedding


def shapes(dim_in: int, dim_out: int, hidden: int, middle_blocks: int) -> dict[str, tuple[int, ...]]:
    """Return name and shape of every parameter of one replicate; matrices are `(out, in)`."""
    h, blocks = hidden, _blocks(middle_blocks)
    found = {"input.weight": (h, dim_in), "input.bias": (h,)}
    found |= {"time1.weight": (h, 2), "time1.bias": (h,), "time2.weight": (h, h), "time2.bias": (h,)}
    # The blocks' time projections read the same embedding: one matrix product serves them all.
    found |= {"time_blocks.weight": (2 * len(blocks) * h, h), "time_blocks.bias": (2 * len(blocks) * h,)}
    for name in blocks:
        found |= {f"{name}.units.weight": (2 * h, h), f"{name}.linear.weight": (h, h), f"{name}.linear.bias": (h,)}
    return found | {"output.weight": (dim_out, h), "output.bias": (dim_out,)}


def forward(p: Parameters, middle_blocks: int, variables: Tensor, times: Tensor) -> Tensor:
    """Predict the noise, `(replicates, dim_out, batch)`, from `dim_in` variables and two times."""
    blocks = _blocks(middle_blocks)
    shifts = torch.baddbmm(p["time_blocks.bias"].unsqueeze(2), p["time_blocks.weight"], time_embedding(p, times))
    hidden = linear(p, "input", variables)
    for name, shift in zip(blocks, shifts.chunk(len(blocks), dim=1), strict=True):
        gate, value = torch.baddbmm(shift, p[f"{name}.units.weight"], _soft_norm(hidden)).chunk(2, dim=1)
        hidden = hidden + linear(p, f"{name}.linear", silu(gate) * value)
    # No activation before the output: a unit could die and receive no gradient.
    return linear(p, "output", hidden)


def _blocks(middle_blocks: int) -> list[str]:
    return [*(f"middle{i}" for i in range(middle_blocks)), "last"]


def _soft_norm(x: Tensor) -> Tensor:
    """Divide by `sqrt(1 + mean square)`: small vectors hardly change, the length of large ones is bounded."""
    return x * (1 + x.square().mean(dim=1, keepdim=True)).rsqrt()
