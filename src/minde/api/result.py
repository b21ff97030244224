"""The result of an estimator: a number in nats with its standard error."""

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean, stdev
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

    replicates: tuple[float, ...]
    """Each replicate's own estimate, in nats."""
    row_error: float
    """Standard error over test rows, in nats."""
    spread_error: float
    """Standard error from the replicates' spread, in nats; 0 for a single replicate."""

    def __new__(cls, replicates: Sequence[float], row_error: float) -> "Estimate":
        """Return the mean of the replicates' estimates."""
        self = super().__new__(cls, fmean(replicates))
        self.replicates, self.row_error = tuple(replicates), row_error
        self.spread_error = stdev(replicates) / math.sqrt(len(replicates)) if len(replicates) > 1 else 0.0
        return self

    def __getnewargs__(self) -> tuple:
        """Return the arguments from which copies are made."""
        return self.replicates, self.row_error

    @property
    def std_error(self) -> float:
        """The larger of `row_error` and `spread_error`, in nats."""
        return max(self.row_error, self.spread_error)

    def __repr__(self) -> str:
        """Return the number with its error."""
        return f"{type(self).__name__}({float(self):.4f}, std_error={self.std_error:.4f})"

    def interval(self, level: float = 0.95) -> Interval:
        """Return the confidence interval of a level, such as 0.95.

        It is the wider one of two: a normal interval with the error over rows, and Student's t with the error from the
        replicates' spread, which is wide for two or three. It covers the randomness of samples and trainings, but not
        errors that all replicates share: networks that have not converged, or too few samples to learn from. Raises
        ValueError for a level outside (0, 1).
        """
        if not 0 < level < 1:
            raise ValueError(f"level is {level}; expected a number between 0 and 1, such as 0.95")
        upper, degrees = 0.5 + level / 2, len(self.replicates) - 1
        reach = NormalDist().inv_cdf(upper) * self.row_error
        if degrees:
            reach = max(reach, float(stdtrit(degrees, upper)) * self.spread_error)
        return Interval(float(self) - reach, float(self) + reach)


def combine(value: Tensor, std_error: Tensor, disjoint: int) -> Estimate:
    """Combine the estimates of replicates `(replicates,)` and their standard errors over test rows.

    `disjoint` of the replicates' test sets have no row in common. The error over rows is the root of the mean of the
    squared standard errors divided by `disjoint`, since rows that replicates share are no new evidence.
    """
    return Estimate(value.tolist(), (std_error.square().mean() / disjoint).sqrt().item())


def largest_share(per_point: Tensor) -> float:
    """Return the share of one test row in the variance over the test rows `(replicates, n)` of all replicates."""
    squares = (per_point - per_point.mean(dim=1, keepdim=True)).square()
    return (squares.max() / squares.sum()).item()
