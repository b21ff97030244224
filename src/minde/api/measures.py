"""Estimates of a fitted stack of networks: formulas or entropies, their standard errors, and reasons to doubt them."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from minde import doubts
from minde.diffusion import estimators

from .result import Estimate, combine, largest_share
from .settings import NARROWEST
from .surroundings import warn
from .training import Curve, Fitted, keyed_by_formula, seeds_of


def mutual_informations(
    fitted: Fitted, formulas: Sequence[str], sigma: float, *, mc_draws: int, seed: int
) -> dict[str, Estimate]:
    """Estimate mutual information by several formulas, from the same draws. Warns if a few rows decide an estimate."""
    points = estimators.pointwise_information(
        fitted.trained.scores,
        fitted.test,
        formulas=(*formulas, "gap"),
        sigmas=(sigma,),
        mc_draws=mc_draws,
        seeds=_seeds(fitted, seed),
    )
    points = keyed_by_formula(points)
    found = {name: estimators.summarize(name, values) for name, values in points.items()}
    gap = found["gap"] if "gap" in formulas else found.pop("gap")
    combined = {}
    for name, (value, std_error) in found.items():
        if name != "gap":
            std_error = torch.maximum(_with_learned(fitted, std_error, gap.std_error), gap.std_error)
        combined[name] = combine(value, std_error, fitted.disjoint)
    for name, estimate in combined.items():
        is_narrow = name == "sigma" and sigma < NARROWEST
        because = f"the narrow reference, sigma={sigma:g}" if is_narrow else doubts.TAILS
        if doubt := doubts.of_few_rows(estimate, estimate.std_error, largest_share(points[name]), because):
            warn(doubt)
            break
    return combined


def entropy(fitted: Fitted, of: str, sigma: float, *, mc_draws: int, seed: int) -> Estimate:
    """Estimate the entropy `of` x, y or xy, or that of `x|y` or `y|x`.

    Raises ValueError if the variant does not learn it, or if the samples were gaussianized. Warns if it is minus
    infinity, or near it.
    """
    model = fitted.trained.model
    if fitted.log_scale is None:
        raise ValueError('preprocess="gaussianize" changes entropies in an unknown way; use "standardize"')
    if of not in (known := estimators.ENTROPIES_OF[model.variant]):
        raise ValueError(
            f"the entropy of {of!r} is not among those that variant {model.variant} learns: {', '.join(known)}"
        )
    value, std_error = estimators.entropy(
        fitted.trained.scores, fitted.test, sigma=sigma, mc_draws=mc_draws, seeds=_seeds(fitted, seed)
    )[of]
    parts = {"x": slice(0, model.dim_x), "y": slice(model.dim_x, None), "xy": slice(None)}
    diffused, _, given = of.partition("|")
    test = fitted.test[0].cpu().numpy()
    grows = growth(fitted, seed)[of]
    warn(doubts.of_singular(of, grows, test[:, parts[diffused]], test[:, parts[given]] if given else None))
    scale = fitted.log_scale[:, parts[diffused]].sum(dim=1)
    return combine(value + scale, _with_learned(fitted, std_error, std_error), fitted.disjoint)


def growth(fitted: Fitted, seed: int) -> dict[str, float]:
    """Return what halving the finest noise would add, see :func:`minde.diffusion.estimators.growth`."""
    return estimators.growth(fitted.trained.scores, fitted.test, seeds=_seeds(fitted, seed))


def warn_of_fit(fitted: Fitted, curve: Curve, grows: float, all_test: np.ndarray) -> None:
    """Warn of what makes the estimates of a fit doubtful, by the last ones of its curve.

    `grows` is the :func:`growth` of mutual information; `all_test` are the rows `(n, dim)`, as given, from which the
    replicates' test rows are.
    """
    inside, gap = curve.points[-1]["inside"], curve.points[-1]["gap"]
    warn(doubts.of_formulas(inside, gap, curve.std_error), ConvergenceWarning)
    warn(doubts.of_many_columns(fitted.n_train, fitted.test.shape[-1]))
    first = fitted.test[0].cpu().numpy()
    (x, y), rows = (np.split(each, [fitted.trained.model.dim_x], axis=1) for each in (first, all_test))
    for doubt in doubts.of_fit(inside, curve.std_error, grows, x, y, rows):
        warn(doubt)


def _with_learned(fitted: Fitted, std_error: Tensor, pointwise: Tensor) -> Tensor:
    """Return standard errors `(replicates,)` of estimates that treat the learned scores as exact.

    `std_error` is over test rows. The training rows enter such an estimate as they enter the mean of what is
    estimated at a single row, whose standard error over test rows is `pointwise`.
    """
    return torch.hypot(std_error, pointwise * math.sqrt(fitted.test.shape[1] / fitted.n_train))


def _seeds(fitted: Fitted, seed: int) -> list[int]:
    return seeds_of(seed, len(fitted.test), "estimate")
