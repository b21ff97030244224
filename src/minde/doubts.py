"""What speaks against believing an estimate, in words for warnings and logs."""

from collections.abc import Iterator, Sequence
from statistics import fmean

import numpy as np

FEW = 100  # different values of a column that are too few for a density, where each comes twice or more in the mean

# How much larger inside may be than gap: in nats, as a share of gap, and in standard errors of gap, the larger one.
APART, APART_OF_GAP, APART_BY_CHANCE = 0.1, 0.25, 3.0
RESOLVED = 4.0  # nats per column of the narrower variable: see Times.weight


def of_few_values(variable: str, label, column: np.ndarray) -> str | None:
    """Whether a column ``(rows,)`` of x or y, the variable, has too few different values for a density."""
    different = len(np.unique(column))
    if different > min(FEW, len(column) / 2):
        return None
    return (
        f"{variable}: column {label} has {different} different values in {len(column)} rows. The estimator learns the "
        f"scores of {variable}'s density, which discrete data lack. If they are rounded measurements, add noise of the "
        "rounding's size; a discrete one can be y with variant c, which needs no density of y (categories without an "
        "order as a column of 0 and 1 for each)"
    )


def of_formulas(inside: Sequence[float], gap: Sequence[float], std_error: Sequence[float]) -> str | None:
    """Whether replicates' estimates are apart: what the scores' errors add to inside, they take off gap."""
    by_chance = _error_of_mean(std_error)
    if fmean(inside) - fmean(gap) <= max(APART, APART_OF_GAP * fmean(gap), APART_BY_CHANCE * by_chance):
        return None
    return (
        f"inside says {fmean(inside):.2f} nats and gap {fmean(gap):.2f}: the networks' errors are not small beside the "
        "estimate. Take more samples; or, where the two drift apart along training, fewer steps or a larger "
        "weight_decay; or else more steps"
    )


def of_bounds(inside: Sequence[float], std_error: Sequence[float], x: np.ndarray, y: np.ndarray) -> Iterator[str]:
    """Whether replicates' estimates come near what can be found, or are above the entropy of a discrete variable.

    ``x`` and ``y`` are test rows ``(n, dim)``, ``std_error`` is that of gap.
    """
    estimate, narrower = fmean(inside), min(x.shape[1], y.shape[1])
    if estimate > RESOLVED * narrower:
        yield (
            f"{estimate:.2f} nats between {x.shape[1]} and {y.shape[1]} columns: estimates end at about 5 nats per "
            "column of the narrower variable, since diffusion hides what is finer than a hundredth of a column's "
            "spread. Take this one for a lower bound; where one variable is a function of the other, no number is right"
        )
    for name, rows in (("x", x), ("y", y)):
        if any(len(np.unique(column)) > FEW for column in rows.T):
            continue
        shares = np.unique(rows, axis=0, return_counts=True)[1] / len(rows)
        bound = -float(shares @ np.log(shares))
        # Rows that hardly repeat do not tell their entropy, be they continuous or of many discrete columns.
        if len(shares) <= len(rows) / 2 and estimate - 2 * _error_of_mean(std_error) > bound:
            yield (
                f"{estimate:.2f} nats, and {name} has {len(shares)} different rows, of an entropy of {bound:.2f} nats, "
                "which mutual information never exceeds: the scores are not learnt. Take more steps; or, where the "
                "estimate grows along the training, more samples"
            )


def _error_of_mean(std_error: Sequence[float]) -> float:
    """Return the standard error of the mean of independent estimates with such standard errors."""
    return sum(error**2 for error in std_error) ** 0.5 / len(std_error)
