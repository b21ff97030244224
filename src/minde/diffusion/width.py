"""The width of a score network by its number of dimensions. Without torch, for tables that name it."""

from typing import Literal


def hidden_width(dim: int, hidden: int | Literal["auto"] = "auto") -> int:
    """Return `hidden`, or the paper's width for auto: 64 up to 10 dimensions, 128 up to 50, else 256."""
    if hidden != "auto":
        return hidden
    return 64 if dim <= 10 else 128 if dim <= 50 else 256
