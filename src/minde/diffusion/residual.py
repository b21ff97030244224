"""The score network of the paper: residual blocks with group norms."""

import torch
from torch import Tensor

from .layers import Parameters, linear, norm_silu, time_embedding


def shapes(dim_in: int, dim_out: int, hidden: int, middle_blocks: int) -> dict[str, tuple[int, ...]]:
    """Return name and shape of every parameter of one replicate; matrices are `(out, in)`."""
    h, blocks = hidden, _blocks(middle_blocks)
    found = {"input.weight": (h, dim_in), "input.bias": (h,)}
    found |= {"time1.weight": (h, 2), "time1.bias": (h,), "time2.weight": (h, h), "time2.bias": (h,)}
    # The blocks' time projections read the same embedding: one matrix product serves them all.
    found |= {"time_blocks.weight": (len(blocks) * h, h), "time_blocks.bias": (len(blocks) * h,)}
    for name in blocks:
        width = 2 * h if name == "merge" else h
        found |= {f"{name}.norm1.weight": (width,), f"{name}.norm1.bias": (width,)}
        found |= {f"{name}.linear1.weight": (h, width), f"{name}.linear1.bias": (h,)}
        found |= {f"{name}.norm2.weight": (h,), f"{name}.norm2.bias": (h,)}
        found |= {f"{name}.linear2.weight": (h, h), f"{name}.linear2.bias": (h,)}
    found |= {"merge.skip.weight": (h, 2 * h), "merge.skip.bias": (h,)}
    found |= {"output.norm.weight": (h,), "output.norm.bias": (h,)}
    return found | {"output.weight": (dim_out, h), "output.bias": (dim_out,)}


def forward(p: Parameters, middle_blocks: int, variables: Tensor, times: Tensor) -> Tensor:
    """Predict the noise, `(replicates, dim_out, batch)`, from `dim_in` variables and two times."""
    blocks = _blocks(middle_blocks)
    first = linear(p, "input", variables)
    # Added to the product in each block's first layer: that layer's bias and the projected time.
    bias = p["time_blocks.bias"] + torch.cat([p[f"{name}.linear1.bias"] for name in blocks], dim=1)
    shifts = torch.baddbmm(bias.unsqueeze(2), p["time_blocks.weight"], time_embedding(p, times))
    *middle_shifts, merge_shift = shifts.chunk(len(blocks), dim=1)
    hidden = first
    for name, shift in zip(blocks[:-1], middle_shifts, strict=True):
        hidden = hidden + _block(p, name, hidden, shift)
    merged = torch.cat([hidden, first], dim=1)
    hidden = linear(p, "merge.skip", merged) + _block(p, "merge", merged, merge_shift)
    return linear(p, "output", norm_silu(p, "output.norm", hidden))


def _blocks(middle_blocks: int) -> list[str]:
    return [*(f"middle{i}" for i in range(middle_blocks)), "merge"]


def _block(p: Parameters, name: str, x: Tensor, shift: Tensor) -> Tensor:
    hidden = torch.baddbmm(shift, p[f"{name}.linear1.weight"], norm_silu(p, f"{name}.norm1", x))
    return linear(p, f"{name}.linear2", norm_silu(p, f"{name}.norm2", hidden))
