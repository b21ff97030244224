"""Warnings of estimates that are not to be believed: by scores that are not learnt, or finer than noise can show."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .training import Curve

# How much larger inside may be than gap: in nats, as a share of gap, and in standard errors of gap, the larger one.
APART, APART_OF_GAP, APART_BY_CHANCE = 0.1, 0.25, 3.0
RESOLVED = 4.0  # nats per column of the narrower variable: see Times.weight


def warn_where_apart(curve: Curve) -> None:
    """Warn where the formulas are apart at the end: what the scores' errors add to inside, they take off gap."""
    inside, gap = (np.array(curve.points[-1][name]) for name in ("inside", "gap"))
    by_chance = np.square(curve.std_error).sum() ** 0.5 / len(curve.std_error)
    if inside.mean() - gap.mean() > max(APART, APART_OF_GAP * gap.mean(), APART_BY_CHANCE * by_chance):
        warnings.warn(
            f"inside says {inside.mean():.2f} nats and gap {gap.mean():.2f}: the networks' errors are not small "
            "beside the estimate. Take more samples; or, where the two drift apart along curve_, fewer steps or a "
            "larger weight_decay; or else more steps",
            ConvergenceWarning,
            stacklevel=4,
        )


def warn_where_saturated(estimate: float, dims: tuple[int, int]) -> None:
    """Warn where an estimate in nats comes near the most that can be found between variables of these columns."""
    if estimate > RESOLVED * min(dims):
        warnings.warn(
            f"{estimate:.2f} nats between {dims[0]} and {dims[1]} columns: estimates end at about 5 nats per column of "
            "the narrower variable, since diffusion hides what is finer than a hundredth of a column's spread. Take "
            "this one for a lower bound; where one variable is a function of the other, no number is right",
            UserWarning,
            stacklevel=4,
        )
