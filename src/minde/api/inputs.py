"""User arrays (numpy, torch, pandas or anything that numpy can read), checked and converted to rows of real numbers.

Every kind of bad input has one error, which names the array, what was found and what to do.
"""

import math
from collections.abc import Sequence
from decimal import Decimal
from numbers import Real
from typing import NamedTuple

import numpy as np
import torch

from minde import doubts

from .surroundings import warn

EXACT = 2**53  # integers up to it are exact in double precision
CATEGORIES = "encode categories as one 0/1 column each (pandas.get_dummies)"


class Pairs(NamedTuple):
    """Paired samples, side by side."""

    rows: np.ndarray
    """`(rows, dim_x + dim_y)`."""
    dims: tuple[int, int]
    """Columns of x and of y."""
    places: list[str]
    """Each column's name in messages, such as `y: column 'age'`."""


def rows_of(
    name: str, values, *, has_density: bool = True, varies: bool = True, standardized: bool = False
) -> np.ndarray:
    """Return samples as `(rows, dim)` in float64; an array `(rows,)` is one column.

    Raises TypeError for values that are not real numbers, and ValueError for other shapes, values that are not finite,
    and constant columns unless `varies` is False. Warns (UserWarning) of columns of few distinct values if the
    samples must have a density, and of columns whose spread comes from a few values if they will be standardized.
    """
    labels, first_row = labels_of(values), getattr(values, "first_row", 0)
    raw = _as_array(name, values)
    if raw.dtype.kind in "OUS":
        raw = _from_objects(name, raw.astype(object), labels, first_row)
    if raw.dtype.kind not in "fiub":
        remedy = "; convert times to numbers, such as seconds since the first" if raw.dtype.kind in "mM" else ""
        raise TypeError(f"{name} holds values of type {raw.dtype}; expected real numbers{remedy}")
    if raw.dtype.kind in "iu" and raw.size and max(-int(raw.min()), int(raw.max())) > EXACT:
        raise ValueError(
            f"{name} holds integers beyond 2^53, such as {raw.max()}, which double precision rounds; subtract a "
            "constant first, such as the smallest one"
        )
    if raw.ndim == 1:
        raw = raw[:, np.newaxis]
    if not len(raw):
        raise ValueError(f"{name} has no rows")
    if raw.ndim != 2 or not raw.size:
        raise ValueError(f"{name} has shape {np.shape(values)}; expected (rows, dim), or (rows,) for a single column")
    if len(raw) == 1:
        raise ValueError(f"{name} has a single row of {raw.size} values; expected a row per sample: transpose it?")
    rows = raw.astype(np.float64)
    labels = list(range(rows.shape[1]) if labels is None else map(repr, labels))
    _check_finite(name, rows, labels, first_row)
    if varies:
        _check_varying(name, rows, labels)
    for label, column in zip(labels, rows.T, strict=True):
        if has_density:
            warn(doubts.of_few_values(name, label, column))
        if standardized:
            warn(doubts.of_narrow_bulk(name, label, column))
    return rows


def joined(
    x,
    y,
    names: tuple[str, str] = ("x", "y"),
    *,
    have_density: tuple[bool, bool] = (True, True),
    vary: bool = True,
    standardized: bool = False,
) -> Pairs:
    """Return paired samples side by side.

    Raises ValueError if the arrays differ in their number of rows, or label the same rows in another order; warns
    (UserWarning) if some labels are at other rows. Other errors and warnings are those of :func:`rows_of`.
    """
    _check_same_order(names, x, y)
    rows_x, rows_y = (
        rows_of(name, values, has_density=has, varies=vary, standardized=standardized)
        for name, values, has in zip(names, (x, y), have_density, strict=True)
    )
    if len(rows_x) != len(rows_y):
        raise ValueError(
            f"{names[0]} has {len(rows_x)} rows and {names[1]} has {len(rows_y)}; expected pairs, one row of each per "
            "sample"
        )
    dims = rows_x.shape[1], rows_y.shape[1]
    places = places_of(names[0], x, dims[0]) + places_of(names[1], y, dims[1])
    return Pairs(np.concatenate([rows_x, rows_y], axis=1), dims, places)


def labels_of(values) -> list | None:
    """Return the names of the columns, if they have any."""
    # The columns of a pyarrow table are arrays.
    attribute = "column_names" if type(values).__module__.startswith("pyarrow") else "columns"
    labels = getattr(values, attribute, None)
    return None if labels is None else list(labels)


def places_of(name: str, values, dim: int) -> list[str]:
    """Return how messages call each of the `dim` columns of an array."""
    labels = labels_of(values)
    return [f"{name}: column {label}" for label in (range(dim) if labels is None else map(repr, labels))]


def check_same_columns(names: tuple[str, str], first, second) -> None:
    """Raise ValueError if two samples name their columns differently."""
    labels = [labels_of(values) for values in (first, second)]
    if None not in labels and labels[0] != labels[1]:
        raise ValueError(
            f"{names[0]} has columns {labels[0]} and {names[1]} has {labels[1]}; expected the same in the same order"
        )


def _check_same_order(names: tuple[str, str], x, y) -> None:
    """Compare the labels of two pandas indexes: raise ValueError or warn if the rows do not seem to be paired."""
    first, second = (getattr(values, "index", None) for values in (x, y))
    if not hasattr(first, "sort_values") or not hasattr(second, "sort_values"):
        return
    if len(first) != len(second) or first.equals(second):
        return
    # Codes, since indexes of different kinds cannot be compared by pandas.
    codes: dict = {}
    first, second = (np.array([codes.setdefault(label, len(codes)) for label in index]) for index in (first, second))
    shared = np.isin(first, second)
    if shared.all() and len(codes) == len(first):
        raise ValueError(
            f"{names[0]} and {names[1]} have the same index in another order, and rows are paired by their position; "
            f"expected {names[1]}.loc[{names[0]}.index], or arrays without an index"
        )
    if moved := int((shared & (first != second)).sum()):
        warn(
            f"{moved} index labels are at different rows in {names[0]} and {names[1]}; rows are paired by "
            "position. Select the same rows of both, such as by dropna on one table with all columns; if the shift is "
            "meant, as for lagged pairs, pass arrays without an index (to_numpy)"
        )


def check_training(clean: np.ndarray, places: Sequence[str], replicate: int) -> None:
    """Raise ValueError if a column is constant in the rows `(n, dim_x + dim_y)` that a replicate trains on."""
    for column in np.flatnonzero(clean.max(axis=0) == clean.min(axis=0)):
        raise ValueError(
            f"{places[column]} is constant in the {len(clean)} rows that replicate {replicate} trains on; leave it "
            "out, give more samples in which it varies, or join rare categories into one"
        )


def warn_of_scale(clean: torch.Tensor, places: Sequence[str]) -> None:
    """Warn of samples `(replicates, n, dim)` that are far from mean 0 and standard deviation 1."""
    mean, std = clean.mean(dim=1).abs().amax(dim=0), clean.std(dim=1).mean(dim=0)
    for column in ((mean > 1) | (std < 1 / 3) | (std > 3)).nonzero().flatten().tolist():
        warn(
            f"{places[column]} has mean {mean[column]:.3g} and standard deviation {std[column]:.3g}, which "
            "preprocess='none' leaves as they are; the diffusion adds noise of scale 1 around 0. Use 'standardize'"
        )


def _as_array(name: str, values) -> np.ndarray:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().to_dense()
        values = values.double() if values.is_floating_point() else values
    if isinstance(values, np.ma.MaskedArray):
        values = values.astype(np.float64).filled(np.nan)
    try:
        raw = np.asarray(values)
        if raw.dtype.kind in "US" and raw is not values:  # of numbers beside text, numpy makes text
            raw = np.asarray(values, dtype=object)
    except ValueError as error:
        raise ValueError(f"{name} cannot be read as an array: {error}") from error
    except (RuntimeError, TypeError) as error:  # tensors that need a gradient within a list, or sparse ones
        raise TypeError(f"{name} cannot be read as an array: {error}") from error
    if not raw.ndim:
        raise ValueError(f"{name} is a {type(values).__name__} of shape (); expected an array (rows, dim) or (rows,)")
    return raw


def _from_objects(name: str, raw: np.ndarray, labels: list | None, first_row: int) -> np.ndarray:
    """Return objects as numbers, missing values of pandas as NaN; raise TypeError for text and other values."""
    missing = np.frompyfunc(lambda value: value is None or type(value).__name__ == "NAType", 1, 1)(raw).astype(bool)
    is_number = np.frompyfunc(lambda value: isinstance(value, Real | Decimal | np.bool_), 1, 1)(raw).astype(bool)
    wrong = [tuple(place) for place in np.argwhere(~missing & ~is_number)]
    if wrong:
        # Numbers as text, beside codes of missing values: the codes are what is wrong.
        place = next((place for place in wrong if not _is_text_of_number(raw[place])), wrong[0])
        value, column = raw[place], place[1] if len(place) > 1 else 0
        label = repr(labels[column]) if labels else column
        if not isinstance(value, str):
            remedy = ""
        elif any(_is_text_of_number(raw[place]) for place in wrong):
            remedy = "; replace codes of missing values and convert text to numbers, as pandas.to_numeric does"
        else:
            remedy = f"; {CATEGORIES}"
        raise TypeError(
            f"{name} holds {value!r} of type {type(value).__name__} in row {place[0] + first_row}, column {label}; "
            f"expected real numbers{remedy}"
        )
    try:
        return np.where(missing, np.nan, raw).astype(np.float64)
    except OverflowError:
        raise ValueError(f"{name} holds an integer that is too large for double precision") from None


def _is_text_of_number(value: object) -> bool:
    try:
        return isinstance(value, str) and math.isfinite(float(value))
    except ValueError:
        return False


def _check_finite(name: str, rows: np.ndarray, labels: list, first_row: int) -> None:
    bad = np.argwhere(~np.isfinite(rows))
    if len(bad):
        raise ValueError(
            f"{name}: {len(bad)} of {rows.size} values are NaN or infinite, the first in row {bad[0][0] + first_row}, "
            f"column {labels[bad[0][1]]}; remove those rows from both arrays, or fill the values in"
        )


def _check_varying(name: str, rows: np.ndarray, labels: list) -> None:
    for column in np.flatnonzero(rows.max(axis=0) == rows.min(axis=0)):
        raise ValueError(
            f"{name}: column {labels[column]} is constant ({rows[0, column]:g} in all {len(rows)} rows) and has no "
            "density; leave it out"
        )
