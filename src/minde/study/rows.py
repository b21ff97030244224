"""The rows of tables and the lines of figures: a row is one (method, estimator), named and ordered as in the paper."""

from .methods import METHODS

TRUTH_LABEL = "GT"
"""Label of the row that holds the true mutual information."""


def row_label(method: str, estimator: str) -> str:
    """Return the paper's name of a row, such as `MINDE-j (σ=1)`. Raises ValueError for an unknown row."""
    kind, sigma = _kind(method, estimator)
    label = METHODS[method].label
    return {SIGMA: f"{label} (σ={sigma:g})", PLAIN: label, GAP: f"{label} (gap)"}[kind]


def row_order(method: str, estimator: str) -> tuple[int, int, float]:
    """Return the sort key of a row.

    Methods are as in the paper; within a method, the σ rows by σ, then the plain row, then the gap.
    """
    kind = _kind(method, estimator)
    return list(METHODS).index(method), *kind


def formula_of(estimator: str) -> str:
    """Return the formula in an estimator's id, without the width of the reference."""
    return estimator.split("=")[0]


SIGMA, PLAIN, GAP = range(3)  # the order of one method's rows


def _kind(method: str, estimator: str) -> tuple[int, float]:
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; known: {', '.join(METHODS)}")
    if estimator in (method, "inside"):
        return PLAIN, 0.0
    if estimator == "gap":
        return GAP, 0.0
    try:
        return SIGMA, float(estimator.removeprefix("sigma="))
    except ValueError:
        expected = f"{method!r}, 'inside', 'gap' or 'sigma=NUMBER'"
        raise ValueError(f"unknown estimator {estimator!r} of {method}; expected {expected}") from None
