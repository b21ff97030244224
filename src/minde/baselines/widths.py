"""The widths of competitors' hidden layers by the number of coordinates of x, as in the appendix of MINDE's paper.

Without torch and jax, for tables that name them.
"""

from collections.abc import Sequence


def of_critic(dim_x: int, hidden: str | Sequence[int] = "auto") -> list[int]:
    """Return `hidden`, or for `auto` the widths of the three layers of a critic of benchmark-mi."""
    if hidden != "auto":
        return list(hidden)
    first = 32 if dim_x <= 10 else 128 if dim_x <= 50 else 256
    return [first, first, 8]


def of_network(dim_x: int, hidden: int | str = "auto") -> int:
    """Return `hidden`, or for `auto` the width of each layer of DoE's networks, which MINE in torch shares."""
    if hidden != "auto":
        return hidden
    return 64 if dim_x <= 10 else 128 if dim_x <= 50 else 256
