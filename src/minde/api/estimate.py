"""The result of an estimator: a number in nats with its standard error."""

from collections.abc import Sequence
from statistics import NormalDist, fmean
from typing import NamedTuple

import torch
from torch import Tensor


class Interval(NamedTuple):
    """A confidence interval, in nats."""

    low: float
    high: float


class Estimate(float):
    """A number in nats, the mean over replicates, with its standard error.

    Otherwise it is a float: arithmetic with it gives plain floats.
    """

    std_error: float
    """Standard error, in nats."""
    replicates: tuple[float, ...]
    """Each replicate's own estimate, in nats."""

    def __new__(cls, replicates: Sequence[float], std_error: float) -> "Estimate":
        """Return the mean of the replicates' estimates."""
        self = super().__new__(cls, fmean(replicates))
        self.std_error, self.replicates = std_error, tuple(replicates)
        return self

    def __getnewargs__(self) -> tuple:
        """Return the arguments from which copies are made."""
        return self.replicates, self.std_error

    def __repr__(self) -> str:
        """Return the number with its error."""
        return f"{type(self).__name__}({float(self):.4f}, std_error={self.std_error:.4f})"

    def interval(self, level: float = 0.95) -> Interval:
        """Return the normal confidence interval of a level, such as 0.95.

        It covers the randomness of samples and trainings, but not errors that all replicates share: networks that
        have not converged, or too few samples to learn from. Raises ValueError for a level outside (0, 1).
        """
        if not 0 < level < 1:
            raise ValueError(f"level is {level}; expected a number between 0 and 1, such as 0.95")
        reach = NormalDist().inv_cdf(0.5 + level / 2) * self.std_error
        return Interval(float(self) - reach, float(self) + reach)


def combine(value: Tensor, std_error: Tensor, disjoint: int) -> Estimate:
    """Combine the estimates of replicates ``(replicates,)`` and their standard errors over test rows.

    ``disjoint`` of the replicates' test sets have no row in common. The variance of the mean is the larger of two: from
    the replicates' spread, ``s² / R``, and from their test rows, the mean of their squared standard errors divided by
    ``disjoint``, since rows that replicates share are no new evidence.
    """
    value, std_error = value.cpu(), std_error.cpu()
    variance = std_error.square().mean() / disjoint
    if len(value) > 1:
        variance = torch.maximum(variance, value.var() / len(value))
    return Estimate(value.tolist(), variance.sqrt().item())


def largest_share(per_point: Tensor) -> float:
    """Return the share of one test row in the variance over the test rows ``(replicates, n)`` of all replicates."""
    squares = (per_point - per_point.mean(dim=1, keepdim=True)).square()
    return (squares.max() / squares.sum()).item()
