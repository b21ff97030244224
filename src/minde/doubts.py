"""Reasons to doubt an estimate, worded for warnings and logs."""

from collections.abc import Iterator, Sequence
from statistics import fmean

import numpy as np

FEW = 100  # at most this many distinct values, each twice or more on average, are too few for a density
REPEATED = 0.01  # share of the rows
NARROW = 0.05  # interquartile range, in standard deviations, below which a few values make up the spread

# How far inside may be above gap: as a share of gap, and in standard errors of gap; the larger of the two.
APART_OF_GAP, APART_BY_CHANCE = 0.1, 3.0
RESOLVED = 4.0  # nats per column of the narrower variable: see Times.weight
LARGE_ERROR, LARGE_ERROR_OF = 1.0, 0.25  # in nats, and as a share of the estimate: the larger one
LARGE_SHARE, SHARED_ERROR = 0.5, 0.3  # one row's share of the variance over test rows; nats below which it means little
THIN = 0.03  # standard deviations: with less, the diffusion's finest noise, of 0.01, hides 0.05 nats or more
ROUNDING = 1e-5  # relative; float32 rounding of collinear columns is below it


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

    Standardizing then shrinks all others below what the diffusion resolves. Columns of few distinct values are skipped.
    """
    values, counts = np.unique(column, return_counts=True)
    if len(values) <= FEW:
        return None
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        std = column.std()
        if 2 * counts.max() >= len(column):  # the width of the others: one value alone has none
            column = column[column != values[counts.argmax()]]
        low, high = np.quantile(column, (0.25, 0.75))
        ratio = (high - low) / std
    if not np.isfinite(std) or not ratio < NARROW:
        return None
    return (
        f"{variable}: column {label} has an interquartile range of {ratio:.2g} standard deviations (a normal one has "
        "1.35): a few extreme values make up its spread, and standardizing shrinks the others below what the diffusion "
        'resolves, which hides mutual information. Use preprocess="gaussianize"; if the extremes are codes for missing '
        "values, such as -9999, remove those rows"
    )


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


def of_few_rows(estimate: float, std_error: float, share: float = 0.0) -> str | None:
    """Return a warning if a few test rows decide an estimate.

    Estimate and standard error are in nats; `share` is that of a single row in the variance over test rows.
    """
    by_one_row = share > LARGE_SHARE and std_error > SHARED_ERROR
    if not by_one_row and not _is_large(std_error, estimate):
        return None
    one_row = f", and one test row makes up {share:.0%} of the variance" if by_one_row else ""
    return (
        f"the standard error is {std_error:.2g} nats{one_row}: a few rows decide the estimate, because of outliers or "
        'heavy tails; use preprocess="gaussianize"'
    )


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


def of_bounds(inside: Sequence[float], std_error: Sequence[float], x: np.ndarray, y: np.ndarray) -> Iterator[str]:
    """Yield warnings if the replicates' estimates are near the largest possible one, or above a discrete entropy.

    `x` and `y` are test rows `(n, dim)`; `std_error` is that of gap. Of estimates that a few rows decide,
    nothing is said here: see :func:`of_few_rows`.
    """
    estimate, narrower = fmean(inside), min(x.shape[1], y.shape[1])
    if _is_large(error_of_mean(std_error), estimate):
        return
    if estimate > RESOLVED * narrower:
        yield (
            f"{estimate:.2f} nats between {x.shape[1]} and {y.shape[1]} columns: estimates end at about 5 nats per "
            "column of the narrower variable, since the diffusion hides details finer than a hundredth of a column's "
            "spread. Treat this as a lower bound; if one variable is a function of the other, the truth is infinite"
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


def of_collinear(of: str, rows: np.ndarray, given: np.ndarray | None = None) -> str | None:
    """Return a warning if the differential entropy of test rows `(n, dim)` is minus infinity, or near it.

    It is if their columns are collinear, or become so given the rows `(n, dim_given)` of the other variable.
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
    return None


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
