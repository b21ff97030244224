"""Warnings of estimates that are not to be believed: by scores that are not learnt, or finer than noise can show."""

from collections.abc import Sequence
from statistics import fmean

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .inputs import FEW
from .surroundings import warn

# How much larger inside may be than gap: in nats, as a share of gap, and in standard errors of gap, the larger one.
APART, APART_OF_GAP, APART_BY_CHANCE = 0.1, 0.25, 3.0
RESOLVED = 4.0  # nats per column of the narrower variable: see Times.weight


def warn_where_apart(inside: Sequence[float], gap: Sequence[float], std_error: Sequence[float]) -> None:
    """Warn where replicates' estimates are apart: what the scores' errors add to inside, they take off gap."""
    by_chance = _error_of_mean(std_error)
    if fmean(inside) - fmean(gap) > max(APART, APART_OF_GAP * fmean(gap), APART_BY_CHANCE * by_chance):
        warn(
            f"inside says {fmean(inside):.2f} nats and gap {fmean(gap):.2f}: the networks' errors are not small beside "
            "the estimate. Take more samples; or, where the two drift apart along training, fewer steps or a larger "
            "weight_decay; or else more steps",
            ConvergenceWarning,
        )


def warn_where_above_entropy(estimate: float, std_error: Sequence[float], name: str, rows: np.ndarray) -> None:
    """Warn where an estimate in nats is above the entropy of a variable ``(n, dim)`` that is discrete: its bound."""
    shares = np.unique(rows, axis=0, return_counts=True)[1] / len(rows)
    # Rows that hardly repeat do not tell their entropy, whether they are continuous or of many discrete columns.
    if len(shares) > len(rows) / 2 or any(len(np.unique(column)) > FEW for column in rows.T):
        return
    bound = -float(shares @ np.log(shares))
    if estimate - 2 * _error_of_mean(std_error) > bound:
        warn(
            f"{estimate:.2f} nats, and {name} has {len(shares)} different rows, of an entropy of {bound:.2f} nats, "
            "which mutual information never exceeds: the scores are not learnt. Take more steps; or, where curve_ "
            "grows along the training, more samples"
        )


def _error_of_mean(std_error: Sequence[float]) -> float:
    """Return the standard error of the mean of independent estimates with such standard errors."""
    return sum(error**2 for error in std_error) ** 0.5 / len(std_error)


def warn_where_saturated(estimate: float, dims: tuple[int, int]) -> None:
    """Warn where an estimate in nats comes near the most that can be found between variables of these columns."""
    if estimate > RESOLVED * min(dims):
        warn(
            f"{estimate:.2f} nats between {dims[0]} and {dims[1]} columns: estimates end at about 5 nats per column of "
            "the narrower variable, since diffusion hides what is finer than a hundredth of a column's spread. Take "
            "this one for a lower bound; where one variable is a function of the other, no number is right"
        )
