"""Reasons to doubt samples and estimates, worded for warnings and logs."""

from .estimates import (
    SUPPORT,
    TAILS,
    error_of_mean,
    of_bounds,
    of_few_rows,
    of_fit,
    of_formulas,
    of_neighbors,
    of_singular,
)
from .samples import (
    of_few_values,
    of_many_columns,
    of_narrow_bulk,
    of_narrow_side,
    of_outside,
    of_repeated_rows,
    of_shared_rows,
    of_thin_direction,
)

__all__ = [
    "SUPPORT",
    "TAILS",
    "error_of_mean",
    "of_bounds",
    "of_few_rows",
    "of_few_values",
    "of_fit",
    "of_formulas",
    "of_many_columns",
    "of_narrow_bulk",
    "of_narrow_side",
    "of_neighbors",
    "of_outside",
    "of_repeated_rows",
    "of_shared_rows",
    "of_singular",
    "of_thin_direction",
]
