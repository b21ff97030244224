"""Reasons to doubt what samples hold, by their columns and rows alone."""

import numpy as np

FEW = 100  # at most this many distinct values, each twice or more on average, are too few for a density
REPEATED = 0.01  # share of the rows
NARROW = 0.05  # interquartile range, in standard deviations, below which a few values make up the spread
# The same for skewed columns such as a lognormal one: there most values are together in a part of that range.
SKEWED_NARROW, SKEWED = 0.2, 0.65
FAR_OUTSIDE = 0.25  # ranges beyond which a row of p is far from q's
THIN = 0.03  # standard deviations: with less, the diffusion's finest noise, of 0.01, hides 0.05 nats or more
MANY = 2  # training rows per column, with fewer of which nothing is learned
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
    has_extremes = ratio < NARROW or (ratio < SKEWED_NARROW and width < SKEWED * ratio)
    if width < THIN and not has_extremes:
        return (
            f"{variable}: column {label} has its values in groups, which take up {width:.2g} of its standard deviation "
            "together: standardizing shrinks the differences within groups below what the diffusion resolves, which "
            'hides mutual information. Use preprocess="gaussianize", or columns for the group and for the value in it'
        )
    if not has_extremes:
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


def of_many_columns(n_train: int, dim: int) -> str | None:
    """Return a warning if the columns of x and y, `dim` in all, are too many for the training rows."""
    if n_train >= MANY * dim:
        return None
    return (
        f"x and y have {dim} columns together, and there are {n_train} rows to train on: what columns share cannot be "
        f"told from chance, and the estimate may be far too low. Use {MANY * dim} rows at the very least, or fewer "
        "columns, such as principal components of x and of y"
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
