"""Reasons to doubt an estimate, worded for warnings and logs."""

from collections.abc import Iterator, Sequence
from statistics import fmean

import numpy as np

FEW = 100  # at most this many distinct values, each twice or more on average, are too few for a density
REPEATED = 0.01  # share of the rows
NARROW = 0.05  # interquartile range, in standard deviations, below which a few values make up the spread

# How far inside may be above gap: as a share of gap, and in standard errors of gap; the larger of the two.
APART_OF_GAP, APART_BY_CHANCE = 0.1, 3.0
RESOLVED = 4.0  # nats that a pair of columns can share: see Times.weight
# Nats that halving the finest noise adds, and for many columns, whose networks' errors add up, per column. A pair of
# normals of 3.5 nats has as much, of which 0.05 are hidden; the tasks of the benchmark have 0.02 or less.
GROWING, GROWING_PER_COLUMN = 0.07, 0.007
FAR_OUTSIDE = 0.25  # ranges beyond which a row of p is far from q's
LARGE_ERROR, LARGE_ERROR_OF = 1.0, 0.25  # in nats, and as a share of the estimate: the larger one
LARGE_SHARE, SHARED_ERROR = 0.5, 0.3  # one row's share of the variance over test rows; nats below which it means little
THIN = 0.03  # standard deviations: with less, the diffusion's finest noise, of 0.01, hides 0.05 nats or more
ROUNDING = 1e-5  # relative; float32 rounding of collinear columns is below it

TAILS = 'outliers or heavy tails; use preprocess="gaussianize"'
SUPPORT = "outliers or heavy tails, or since p has rows where q has hardly any, so that the divergence may be infinite"


def of_few_values(variable: str, label, column: np.ndarray) -> str | None:
    """Return a warning if a column `(rows,)` of a variable, x or y, has too few distinct values for a density."""
    different = len(np.unique(column))
    if different > min(FEW, len(column) / 2):
        return None
    return (
        f"{variable}: column {label} has {different} different values in {len(column)} rows. The estimator learns the "
        f"score of {variable}'s density, and discrete data have none. If the values are rounded measurements, add "
        "noise as large as the rounding; a discrete variable can be y with variant c, which needs no density of y "
        "(encode unordered categories as one 0/1 column each)"
    )


def of_narrow_bulk(variable: str, label, column: np.ndarray) -> str | None:
    """Return a warning if a few values make up the standard deviation of a column `(rows,)` of x or y.

    Standardizing then shrinks all others below what the diffusion resolves.
    """
    values, counts = np.unique(column, return_counts=True)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        std = column.std()
        if not np.isfinite(std):
            return None
        if len(values) <= FEW:
            return _of_far_code(variable, label, column, values)
        if 2 * counts.max() >= len(column):  # the width of the others: one value alone has none
            column = column[column != values[counts.argmax()]]
        low, high = np.quantile(column, (0.25, 0.75))
        ratio, width = (high - low) / std, _local_width(column) / std
    if ratio >= NARROW and width < THIN:
        return (
            f"{variable}: column {label} has its values in groups, which take up {width:.2g} of its standard deviation "
            "together: standardizing shrinks the differences within groups below what the diffusion resolves, which "
            'hides mutual information. Use preprocess="gaussianize", or columns for the group and for the value in it'
        )
    if not ratio < NARROW:
        return None
    return (
        f"{variable}: column {label} has an interquartile range of {ratio:.2g} standard deviations (a normal one has "
        "1.35): a few extreme values make up its spread, and standardizing shrinks the others below what the diffusion "
        'resolves, which hides mutual information. Use preprocess="gaussianize"; if the extremes are codes for missing '
        "values, such as -9999, remove those rows"
    )


def _of_far_code(variable: str, label, column: np.ndarray, values: np.ndarray) -> str | None:
    """Return a warning if the few `values` of a column `(rows,)` hardly differ, but for the one farthest away."""
    farthest = values[np.abs(values - np.median(column)).argmax()]
    others = column[column != farthest]
    if len(values) < 3 or not others.std() < NARROW * column.std():
        return None
    return (
        f"{variable}: column {label} has a standard deviation of {column.std():.2g}, and of {others.std():.2g} without "
        f"its value {farthest:g}: this value shrinks the differences between the others below what is resolved, which "
        "hides mutual information. If it is a code for missing values, remove those rows; categories are best encoded "
        "as one 0/1 column each"
    )


def _local_width(column: np.ndarray) -> float:
    """Return the width of the places where a column `(rows,)` has its values, as the deviation of a normal one.

    It follows from the entropy that spacings of the sorted values estimate (Vasicek, 1976), to which distances between
    groups of values hardly contribute.
    """
    reach = max(1, round(len(column) ** 0.25))
    spacing = np.sort(column)[2 * reach :] - np.sort(column)[: -2 * reach]
    spacing = spacing[spacing > 0]  # values that repeat often have none
    if not len(spacing):
        return np.inf
    entropy = np.log(spacing * len(column) / (2 * reach)).mean()
    return float(np.exp(entropy) / np.sqrt(2 * np.pi * np.e))


def of_thin_direction(variable: str, rows: np.ndarray) -> str | None:
    """Return a warning if continuous columns of x or y are nearly collinear: `rows` are test rows `(n, dim)` of it.

    What a linear combination shares with the other variable is lost if the combination hardly varies. Columns that are
    exactly collinear lose nothing.
    """
    rows = rows[:, [len(np.unique(column)) > FEW for column in rows.T]]
    if rows.shape[1] < 2 or len(rows) < 2 * rows.shape[1]:
        return None
    widths = np.sqrt(np.linalg.eigvalsh(np.corrcoef(rows, rowvar=False, dtype=np.float64)).clip(0))
    thin = widths[(ROUNDING * widths.max() < widths) & (widths < THIN)]
    if not len(thin):
        return None
    return (
        f"{variable}: a linear combination of its columns has a standard deviation of {thin[0]:.2g} of theirs, since "
        "they are nearly collinear. The diffusion hides such differences, and the mutual information that is in them. "
        f"Replace columns of {variable} by their differences, or whiten them (sklearn.decomposition.PCA(whiten=True)): "
        "neither changes mutual information"
    )


def of_narrow_side(place: str, width: float) -> str | None:
    """Return a warning if a column of p or q, named by its place, is much narrower than in both together.

    `width` is its standard deviation in units of that of both.
    """
    if width >= THIN:
        return None
    return (
        f"{place} has a standard deviation of {width:.2g} of that of p and q together, and the diffusion hides details "
        "finer than a hundredth: the divergence is larger than the estimate"
    )


def of_outside(place: str, of_p: np.ndarray, of_q: np.ndarray) -> str | None:
    """Return a warning if test rows of p are far outside the range of q's rows in a column, `(rows,)` each."""
    low, high = of_q.min(), of_q.max()
    margin = FAR_OUTSIDE * (high - low)
    outside = np.mean((of_p < low - margin) | (of_p > high + margin))
    if outside <= REPEATED:
        return None
    return (
        f"{place}: {outside:.0%} of p's rows are far outside the range of q's, {low:.3g} to {high:.3g} after "
        "preprocessing. The score of q is a guess there, and the divergence may be infinite"
    )


def of_repeated_rows(name: str, rows: np.ndarray) -> str | None:
    """Return a warning if rows `(n, dim)`, those of `name`, repeat other rows: copies are in both splits."""
    repeats = len(rows) - len(np.unique(rows, axis=0))
    if repeats <= REPEATED * len(rows):
        return None
    return (
        f"{repeats} of {len(rows)} rows repeat another row of {name}. If they are copies, such as from a join or from "
        "oversampling, remove them: training and test rows share them, which distorts the estimate. Rounded values "
        "that repeat by chance do no harm"
    )


def of_shared_rows(rows: np.ndarray, test: np.ndarray) -> str | None:
    """Return a warning if test rows `(n_test, dim)` of x and y together are among the training rows `(n, dim)`."""
    known = {row.tobytes() for row in rows}
    shared = sum(row.tobytes() in known for row in test)
    if shared <= REPEATED * len(test):
        return None
    return (
        f"{shared} of {len(test)} rows of x_test and y_test are also rows of x and y: networks may have memorized "
        "them, which distorts the estimate. Give other rows, or leave x_test and y_test out to hold out rows of x and y"
    )


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


def of_bounds(
    inside: Sequence[float], std_error: Sequence[float], growth: float, x: np.ndarray, y: np.ndarray
) -> Iterator[str]:
    """Yield warnings if the replicates' estimates lack details that are not resolved, or exceed a discrete entropy.

    `x` and `y` are test rows `(n, dim)`; `std_error` is that of gap; `growth` is that of mutual information, see
    :func:`minde.diffusion.estimators.growth`. Of estimates that a few rows decide,
    nothing is said here: see :func:`of_few_rows`.
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
    ranks = (rows.argsort(axis=0).argsort(axis=0) for rows in (x, y))
    r = max(np.linalg.norm(_orthonormal(a).T @ _orthonormal(b), 2) for a, b in ((x, y), ranks))
    return -0.5 * float(np.log(max(1 - r**2, np.finfo(np.float32).eps)))


def _orthonormal(rows: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis `(n, rank)` of the centred columns of `(n, dim)`."""
    left, lengths, _ = np.linalg.svd(rows - rows.mean(axis=0, dtype=np.float64), full_matrices=False)
    return left[:, lengths > ROUNDING * lengths.max()]


def _is_large(std_error: float, estimate: float) -> bool:
    return std_error > max(LARGE_ERROR, LARGE_ERROR_OF * abs(estimate))


def error_of_mean(std_error: Sequence[float]) -> float:
    """Return the standard error of the mean of independent estimates, from their standard errors."""
    return sum(error**2 for error in std_error) ** 0.5 / len(std_error)
