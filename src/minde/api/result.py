"""The result of an estimator: a number in nats with its standard error."""

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean
from typing import NamedTuple

from scipy.special import stdtrit
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
    degrees_of_freedom: float
    """The number of replicates less one if the standard error is from their spread, infinite otherwise."""

    def __new__(cls, replicates: Sequence[float], std_error: float, degrees_of_freedom: float = math.inf) -> "Estimate":
        """Return the mean of the replicates' estimates."""
        self = super().__new__(cls, fmean(replicates))
        self.std_error, self.replicates, self.degrees_of_freedom = std_error, tuple(replicates), degrees_of_freedom
        return self

    def __getnewargs__(self) -> tuple:
        """Return the arguments from which copies are made."""
        return self.replicates, self.std_error, self.degrees_of_freedom

    def __repr__(self) -> str:
        """Return the number with its error."""
        return f"{type(self).__name__}({float(self):.4f}, std_error={self.std_error:.4f})"

    def interval(self, level: float = 0.95) -> Interval:
        """Return the confidence interval of a level, such as 0.95.

        It is normal, or Student's t if the standard error is from the replicates' spread, which is wide for two or
        three. It covers the randomness of samples and trainings, but not errors that all replicates share: networks
        that have not converged, or too few samples to learn from. Raises ValueError for a level outside (0, 1).
        """
        if not 0 < level < 1:
            raise ValueError(f"level is {level}; expected a number between 0 and 1, such as 0.95")
        upper, degrees = 0.5 + level / 2, self.degrees_of_freedom
        quantile = float(stdtrit(degrees, upper)) if math.isfinite(degrees) else NormalDist().inv_cdf(upper)
        reach = quantile * self.std_error
        return Interval(float(self) - reach, float(self) + reach)


def combine(value: Tensor, std_error: Tensor, disjoint: int) -> Estimate:
    """Combine the estimates of replicates `(replicates,)` and their standard errors over test rows.

    `disjoint` of the replicates' test sets have no row in common. The variance of the mean is the larger of two: from
    the replicates' spread, `s² / R`, and from their test rows, the mean of their squared standard errors divided by
    `disjoint`, since rows that replicates share are no new evidence.
    """
    value, count = value.cpu(), len(value)
    over_rows = (std_error.square().mean() / disjoint).item()
    spread = (value.var() / count).item() if count > 1 else 0.0
    if spread > over_rows:
        return Estimate(value.tolist(), math.sqrt(spread), count - 1)
    return Estimate(value.tolist(), math.sqrt(over_rows))


def largest_share(per_point: Tensor) -> float:
    """Return the share of one test row in the variance over the test rows `(replicates, n)` of all replicates."""
    squares = (per_point - per_point.mean(dim=1, keepdim=True)).square()
    return (squares.max() / squares.sum()).item()
