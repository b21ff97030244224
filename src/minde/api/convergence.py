"""A warning where the formulas say that the networks have not learnt the scores."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .training import Curve

# How much larger inside may be than gap: in nats, as a share of gap, and in standard errors of gap, the larger one.
APART, APART_OF_GAP, APART_BY_CHANCE = 0.1, 0.25, 3.0


def warn_where_apart(curve: Curve) -> None:
    """Warn where the formulas are apart at the end: what the scores' errors add to inside, they take off gap."""
    inside, gap = (np.array(curve.points[-1][name]) for name in ("inside", "gap"))
    by_chance = np.square(curve.std_error).sum() ** 0.5 / len(curve.std_error)
    if inside.mean() - gap.mean() > max(APART, APART_OF_GAP * gap.mean(), APART_BY_CHANCE * by_chance):
        warnings.warn(
            f"inside says {inside.mean():.2f} nats and gap {gap.mean():.2f}: the networks' errors are not small "
            "beside the estimate, which lies between the two rather than at either. Take more samples; or, where "
            "the two drift apart along curve_, fewer steps or a larger weight_decay; or else more steps",
            ConvergenceWarning,
            stacklevel=4,
        )
