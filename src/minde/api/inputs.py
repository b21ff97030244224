"""One's own arrays, checked: numpy, torch, pandas or anything that numpy can read, as rows of real numbers.

Every kind of bad input has one error that names the array, what was found and what to do.
"""

from collections.abc import Sequence
from decimal import Decimal
from numbers import Real

import numpy as np
import torch

from minde import doubts

from .surroundings import warn


def rows_of(name: str, values, *, has_density: bool = True, varies: bool = True) -> np.ndarray:
    """Return samples as ``(rows, dim)`` in float64; an array ``(rows,)`` is one column.

    Raises TypeError for what are not real numbers, and ValueError for other shapes, values that are not finite, and
    constant columns, where all have to vary. Warns (UserWarning) of columns of few different values, where the samples
    are to have a density.
    """
    labels = labels_of(values)
    raw = _as_array(name, values)
    if raw.dtype.kind == "O":
        raw = _from_objects(name, raw)
    if raw.dtype.kind not in "fiub":
        raise TypeError(f"{name} holds values of type {raw.dtype}; expected real numbers")
    if raw.ndim == 1:
        raw = raw[:, np.newaxis]
    if raw.ndim != 2 or not raw.size:
        raise ValueError(f"{name} has shape {np.shape(values)}; expected (rows, dim), or (rows,) for a single column")
    if len(raw) == 1:
        raise ValueError(f"{name} has a single row of {raw.size} values; expected a row per sample: transpose it?")
    rows = raw.astype(np.float64)
    labels = list(range(rows.shape[1]) if labels is None else map(repr, labels))
    _check_finite(name, rows, labels)
    if varies:
        _check_varying(name, rows, labels)
    if has_density:
        _warn_of_discrete(name, rows, labels)
    return rows


def joined(
    x, y, names: tuple[str, str] = ("x", "y"), have_density: tuple[bool, bool] = (True, True), vary: bool = True
) -> tuple[np.ndarray, tuple[int, int]]:
    """Return paired samples side by side, ``(rows, dim_x + dim_y)``, and their numbers of columns.

    Raises ValueError where the arrays do not have the same number of rows, or label the same rows in another order;
    other errors and warnings are those of :func:`rows_of`.
    """
    _check_same_order(names, x, y)
    x, y = (
        rows_of(name, a, has_density=has, varies=vary) for name, a, has in zip(names, (x, y), have_density, strict=True)
    )
    if len(x) != len(y):
        raise ValueError(
            f"{names[0]} has {len(x)} rows and {names[1]} has {len(y)}; expected pairs, one row of each per sample"
        )
    return np.concatenate([x, y], axis=1), (x.shape[1], y.shape[1])


def labels_of(values) -> list | None:
    """Return the names of columns, of what has them."""
    labels = getattr(values, "columns", None)
    return None if labels is None else list(labels)


def check_same_columns(names: tuple[str, str], first, second) -> None:
    """Raise ValueError where two samples name their columns, and not alike."""
    labels = [labels_of(values) for values in (first, second)]
    if None not in labels and labels[0] != labels[1]:
        raise ValueError(
            f"{names[0]} has columns {labels[0]} and {names[1]} has {labels[1]}; expected the same in the same order"
        )


def _check_same_order(names: tuple[str, str], x, y) -> None:
    """Raise ValueError where both have an index of pandas's, of the same labels in another order."""
    first, second = (getattr(values, "index", None) for values in (x, y))
    if not hasattr(first, "sort_values") or not hasattr(second, "sort_values") or first.equals(second):
        return
    if len(first) == len(second) and first.is_unique and first.isin(second).all():
        raise ValueError(
            f"{names[0]} and {names[1]} have the same index in another order, and rows are paired by their position; "
            f"expected {names[1]}.loc[{names[0]}.index], or arrays without an index"
        )


def check_training(clean: np.ndarray, dims: tuple[int, int], replicate: int) -> None:
    """Raise ValueError where a column is constant in what a replicate trains on, rows ``(n, dim_x + dim_y)``."""
    for column in np.flatnonzero(clean.max(axis=0) == clean.min(axis=0)):
        raise ValueError(
            f"{_place(column, dims)} is constant in the {len(clean)} rows that replicate {replicate} trains on; leave "
            "it out, or give more samples in which it varies"
        )


def warn_of_scale(clean: torch.Tensor, dims: tuple[int, int], names: tuple[str, str] = ("x", "y")) -> None:
    """Warn of samples ``(replicates, n, dim_x + dim_y)`` that are far from mean 0 and standard deviation 1."""
    mean, std = clean.mean(dim=1).abs().amax(dim=0), clean.std(dim=1).mean(dim=0)
    for column in ((mean > 1) | (std < 1 / 3) | (std > 3)).nonzero().flatten().tolist():
        warn(
            f"{_place(column, dims, names)} has mean {mean[column]:.3g} and standard deviation {std[column]:.3g}, "
            "which preprocess='none' leaves; diffusion adds noise of the scale of 1 around 0. Use 'standardize'"
        )


def _place(column: int, dims: tuple[int, int], names: tuple[str, str] = ("x", "y")) -> str:
    """Name a column of samples side by side."""
    return f"{names[0]}: column {column}" if column < dims[0] else f"{names[1]}: column {column - dims[0]}"


def _as_array(name: str, values) -> np.ndarray:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().to_dense()
        values = values.double() if values.is_floating_point() else values
    if isinstance(values, np.ma.MaskedArray):
        values = values.astype(np.float64).filled(np.nan)
    try:
        raw = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} is no array: {error}") from error
    except (RuntimeError, TypeError) as error:  # tensors that need a gradient within a list, or sparse ones
        raise TypeError(f"{name} is no array: {error}") from error
    if not raw.ndim:
        raise ValueError(f"{name} is a {type(values).__name__} of shape (); expected an array (rows, dim) or (rows,)")
    return raw


def _from_objects(name: str, raw: np.ndarray) -> np.ndarray:
    """Return objects as numbers, missing values of pandas as NaN."""
    missing = np.frompyfunc(lambda value: value is None or type(value).__name__ == "NAType", 1, 1)(raw).astype(bool)
    for value in raw[~missing]:
        if not isinstance(value, Real | Decimal | np.bool_):
            raise TypeError(f"{name} holds {value!r} of type {type(value).__name__}; expected real numbers")
    return np.where(missing, np.nan, raw).astype(np.float64)


def _warn_of_discrete(name: str, rows: np.ndarray, labels: Sequence) -> None:
    for column, label in enumerate(labels):
        if doubt := doubts.of_few_values(name, label, rows[:, column]):
            warn(doubt)


def _check_finite(name: str, rows: np.ndarray, labels: list) -> None:
    bad = np.argwhere(~np.isfinite(rows))
    if len(bad):
        raise ValueError(
            f"{name}: {len(bad)} of {rows.size} values are NaN or infinite, the first in row {bad[0][0]}, column "
            f"{labels[bad[0][1]]}; leave those rows out of both arrays, or fill the values in"
        )


def _check_varying(name: str, rows: np.ndarray, labels: list) -> None:
    for column in np.flatnonzero(rows.max(axis=0) == rows.min(axis=0)):
        raise ValueError(
            f"{name}: column {labels[column]} is constant ({rows[0, column]:g} in all {len(rows)} rows) and has no "
            "density; leave it out: a constant adds nothing to mutual information"
        )
