"""Reasons to doubt an estimate, by its standard error, other formulas and estimators, and what the diffusion hides."""

import math
from collections.abc import Iterator, Sequence
from statistics import fmean

import numpy as np
import scipy.linalg
from scipy.stats import rankdata

from .neighbors import neighbor_information
from .samples import FEW, ROUNDING, THIN, of_thin_direction

# How far inside may be above gap: as a share of gap, and in standard errors of gap; the larger of the two.
APART_OF_GAP, APART_BY_CHANCE = 0.1, 3.0
RESOLVED = 4.0  # nats that a pair of columns can share: see Times.weight
# Nats that halving the finest noise adds, and for many columns, whose networks' errors add up, per column. A pair of
# normals of 3.5 nats has as much, of which 0.05 are hidden; the tasks of the benchmark have 0.02 or less.
GROWING, GROWING_PER_COLUMN = 0.07, 0.007
# How far the neighbours' estimate may be above: nats or a share of it, the larger one, and standard errors.
BELOW, BELOW_OF, BELOW_BY_CHANCE = 0.1, 0.1, 3.0
LARGE_ERROR, LARGE_ERROR_OF = 1.0, 0.25  # in nats, and as a share of the estimate: the larger one
LARGE_SHARE, SHARED_ERROR = 0.5, 0.3  # one row's share of the variance over test rows; nats below which it means little

TAILS = 'outliers or heavy tails; use preprocess="gaussianize" or, if it is in use, more rows'
SUPPORT = "outliers or heavy tails, or since p has rows where q has hardly any, so that the divergence may be infinite"


def of_few_rows(estimate: float, std_error: float, share: float = 0.0, because: str = TAILS) -> str | None:
    """Return a warning if a few test rows decide an estimate, with the usual reason.

    Estimate and standard error are in nats; `share` is that of a single row in the variance over test rows.
    """
    by_one_row = share > LARGE_SHARE and std_error > SHARED_ERROR
    if not by_one_row and not _is_large(std_error, estimate):
        return None
    one_row = f", and one test row makes up {share:.0%} of the variance" if by_one_row else ""
    return f"the standard error is {std_error:.2g} nats{one_row}: a few rows decide the estimate, because of {because}"


def of_formulas(inside: Sequence[float], gap: Sequence[float], std_error: Sequence[float]) -> str | None:
    """Return a warning if the replicates' inside is far above gap, as it is of networks that memorize rows.

    `std_error` is that of gap.
    """
    by_chance = error_of_mean(std_error)
    if fmean(inside) - fmean(gap) <= max(APART_OF_GAP * fmean(gap), APART_BY_CHANCE * by_chance):
        return None
    return (
        f"inside says {fmean(inside):.2f} nats and gap {fmean(gap):.2f}: the networks' errors are not small compared "
        "with the estimate. Use more samples; or, if the two drift apart during training, fewer steps or a larger "
        "weight_decay; otherwise more steps"
    )


def of_fit(
    inside: Sequence[float],
    std_error: Sequence[float],
    growth: float,
    x: np.ndarray,
    y: np.ndarray,
    rows: Sequence[np.ndarray],
) -> Iterator[str]:
    """Yield what test rows tell of the replicates' estimates: see the functions below.

    `x` and `y` are preprocessed test rows `(n, dim)` of a replicate, `rows` those of x and y of all, in any units;
    `std_error` is that of gap.
    """
    bounds = [*of_bounds(inside, std_error, growth, x, y)]
    thin = (of_thin_direction(name, test) for name, test in (("x", x), ("y", y)))
    yield from filter(None, [*(bounds or [of_neighbors(inside, std_error, *rows)]), *thin])


def of_bounds(
    inside: Sequence[float], std_error: Sequence[float], growth: float, x: np.ndarray, y: np.ndarray
) -> Iterator[str]:
    """Yield warnings if the replicates' estimates lack what they do not resolve, or exceed a discrete entropy.

    `x` and `y` are test rows `(n, dim)`; `std_error` is that of gap; `growth` is that of mutual information, see
    :func:`minde.diffusion.estimators.growth`. Of estimates that a few rows decide, nothing is said here: see
    :func:`of_few_rows`.
    """
    estimate = fmean(inside)
    if _is_large(error_of_mean(std_error), estimate):
        return
    if growth > _largest_growth(x.shape[1] + y.shape[1]):
        yield (
            f"mutual information would grow by {growth:.2g} nats if the finest noise of the diffusion, a hundredth of "
            "a column's spread, were halved: x and y share details that it hides. Treat the estimate as a lower bound; "
            "if a part of one variable is a function of the other, even in some rows only, the truth is infinite"
        )
    elif (nats := _canonical_information(x, y)) > RESOLVED:
        yield (
            f"a linear combination of x's columns, or of their ranks, and one of y's share {nats:.1f} nats or more "
            "(their canonical correlation on the test rows is almost 1): estimates end at about 5 nats per such pair. "
            "Treat this as a lower bound; if one of the two is a function of the other, the truth is infinite"
        )
    for name, rows in (("x", x), ("y", y)):
        if any(len(np.unique(column)) > FEW for column in rows.T):
            continue
        shares = np.unique(rows, axis=0, return_counts=True)[1] / len(rows)
        # The entropy of shares is too low by this much on average (Miller and Madow, 1955).
        bound = (len(shares) - 1) / (2 * len(rows)) - float(shares @ np.log(shares))
        # If rows hardly repeat, their entropy is unknown: they are continuous, or have many discrete columns.
        if len(shares) <= len(rows) / 2 and estimate - 2 * error_of_mean(std_error) > bound:
            yield (
                f"{estimate:.2f} nats, but {name} has {len(shares)} different rows with an entropy of {bound:.2f} "
                "nats, which mutual information never exceeds: the scores have not been learned. Use more steps; or, "
                "if the estimate grows during training, more samples"
            )


def of_neighbors(estimates: Sequence[float], std_error: Sequence[float], x: np.ndarray, y: np.ndarray) -> str | None:
    """Return a warning if nearest neighbours find much more than the replicates' estimates, which then miss something.

    `x` and `y` are rows `(n, dim)`, in any units; `std_error` is that of the estimates.
    """
    estimate = fmean(estimates)
    nats, error = neighbor_information(x, y)
    if nats - estimate <= max(BELOW, BELOW_OF * nats) + BELOW_BY_CHANCE * math.hypot(error_of_mean(std_error), error):
        return None
    return (
        f"nearest neighbours (KSG, of the columns' ranks) find {nats:.2f} nats in these rows, and the estimate is "
        f"{estimate:.2f}. If the columns depend on one another by fast oscillations, or in narrow groups of rows (plot "
        "them), the scores have not been learned: use more steps or rows, or KSG. If rows are not independent of one "
        "another, as in a time series, neither estimate holds"
    )


def of_singular(of: str, growth: float, rows: np.ndarray, given: np.ndarray | None = None) -> str | None:
    """Return a warning if the differential entropy of test rows `(n, dim)` is minus infinity, or near it.

    It is if their columns are collinear, or become so given the rows `(n, dim_given)` of the other variable; and if the
    `growth` of minus the entropy (see :func:`minde.diffusion.estimators.growth`) is large, as on a curve.
    """
    other = np.empty((len(rows), 0)) if given is None else _orthonormal(given)
    if len(rows) <= rows.shape[1] + other.shape[1]:
        return None
    rows = rows - rows.mean(axis=0, dtype=np.float64)
    residual = rows - other @ (other.T @ rows)
    width = np.linalg.svd(residual, compute_uv=False).min() / np.linalg.norm(rows, 2)
    known = "" if given is None else " given the other variable"
    if width <= ROUNDING:
        return (
            f"the entropy of {of} is minus infinity: on the test rows, a linear combination of the columns is constant"
            f"{known}. The number that is returned depends on the diffusion's resolution only; leave out columns that "
            "follow from the others"
        )
    if width < THIN:
        return (
            f"the entropy of {of} is too high: on the test rows, a linear combination of the columns varies by "
            f"{width:.2g} of their spread{known}, and the diffusion hides such details. Whiten the columns, and "
            "add the logarithm of the determinant of the inverse map to the entropy"
        )
    if growth > _largest_growth(rows.shape[1]):
        return (
            f"the entropy of {of} would fall by {growth:.2g} nats if the finest noise of the diffusion, a hundredth of "
            f"a column's spread, were halved: the density{known} has details that it hides, and the estimate is too "
            "high. If rows lie on a curve or surface, or often have the same value, the entropy is minus infinity"
        )
    return None


def _largest_growth(columns: int) -> float:
    return max(GROWING, GROWING_PER_COLUMN * columns)


def _canonical_information(x: np.ndarray, y: np.ndarray) -> float:
    """Return `-½ log(1 - r²)` in nats for the largest canonical correlation r of continuous columns; 0 if unknown.

    It is that of the columns or of their ranks, which are linear also in monotone functions.
    """
    x, y = (rows[:, [len(np.unique(column)) > FEW for column in rows.T]] for rows in (x, y))
    if not x.size or not y.size or len(x) < 2 * (x.shape[1] + y.shape[1]):  # in few rows, r is large by chance
        return 0.0
    ranks = (rankdata(rows, axis=0) for rows in (x, y))
    r = max(np.linalg.norm(_orthonormal(a).T @ _orthonormal(b), 2) for a, b in ((x, y), ranks))
    return -0.5 * float(np.log(max(1 - r**2, np.finfo(np.float32).eps)))


def _orthonormal(rows: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis `(n, rank)` of the centred columns of `(n, dim)`."""
    return scipy.linalg.orth(rows - rows.mean(axis=0, dtype=np.float64), rcond=ROUNDING)


def _is_large(std_error: float, estimate: float) -> bool:
    return std_error > max(LARGE_ERROR, LARGE_ERROR_OF * abs(estimate))


def error_of_mean(std_error: Sequence[float]) -> float:
    """Return the standard error of the mean of independent estimates, from their standard errors."""
    return math.hypot(*std_error) / len(std_error)
