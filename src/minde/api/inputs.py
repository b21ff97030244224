"""One's own arrays, checked: numpy, torch, pandas or anything that numpy can read, as rows of real numbers.

Every kind of bad input has one error that names the array, what was found and what to do.
"""

import warnings

import numpy as np
import torch


def rows_of(name: str, values) -> np.ndarray:
    """Return samples as ``(rows, dim)`` in float64; an array ``(rows,)`` is one column.

    Raises TypeError for what are not real numbers, and ValueError for other shapes, values that are not finite, and
    constant columns. Warns (UserWarning) of integers.
    """
    labels = getattr(values, "columns", None)
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        values = values.double() if values.is_floating_point() else values
    raw = np.asarray(values)
    if raw.dtype.kind == "O":
        raw = _from_objects(name, raw)
    if raw.dtype.kind not in "fiub":
        raise TypeError(f"{name} holds values of type {raw.dtype}; expected real numbers")
    if raw.ndim == 1:
        raw = raw[:, np.newaxis]
    if raw.ndim != 2 or not raw.size:
        raise ValueError(f"{name} has shape {np.shape(values)}; expected (rows, dim), or (rows,) for a single column")
    if raw.dtype.kind in "iub":
        warnings.warn(
            f"{name} holds integers ({raw.dtype}). The estimator learns the scores of a density, which discrete data "
            "lack: their mutual information is not defined for it. Give floats if the values are rounded measurements.",
            UserWarning,
            stacklevel=4,
        )
    rows = raw.astype(np.float64)
    labels = list(range(rows.shape[1]) if labels is None else map(repr, labels))
    _check_finite(name, rows, labels)
    _check_varying(name, rows, labels)
    return rows


def joined(x, y, names: tuple[str, str] = ("x", "y")) -> tuple[np.ndarray, tuple[int, int]]:
    """Return paired samples side by side, ``(rows, dim_x + dim_y)``, and their numbers of columns.

    Raises ValueError where the arrays do not have the same number of rows; other errors are those of :func:`rows_of`.
    """
    x, y = rows_of(names[0], x), rows_of(names[1], y)
    if len(x) != len(y):
        raise ValueError(
            f"{names[0]} has {len(x)} rows and {names[1]} has {len(y)}; expected pairs, one row of each per sample"
        )
    return np.concatenate([x, y], axis=1), (x.shape[1], y.shape[1])


def _from_objects(name: str, raw: np.ndarray) -> np.ndarray:
    """Return objects as numbers, missing values of pandas as NaN."""
    missing = np.frompyfunc(lambda value: value is None or type(value).__name__ == "NAType", 1, 1)(raw).astype(bool)
    for value in raw[~missing]:
        if not isinstance(value, int | float | np.number) or isinstance(value, complex):
            raise TypeError(f"{name} holds {value!r} of type {type(value).__name__}; expected real numbers")
    return np.where(missing, np.nan, raw).astype(np.float64)


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
