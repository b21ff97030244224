"""What experiments return, and where their random numbers come from. Imports nothing of the package."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

Seed = Callable[[int, str], int]
"""The seed of a replicate's purpose, such as `seed(3, "samples/cubic")`: 63 bits."""


class Row(NamedTuple):
    """One number of an experiment, or one point of a scatter plot."""

    panel: str
    """What its panel of the figure shows, such as a data set."""
    series: str
    """What it is of: a method, a loss, `data`, `truth`."""
    replicate: int
    """Of the repeated runs; 0 for what all have in common."""
    quantity: str
    """What was measured, a key of `minde.study.experiment_rows.UNITS`; `point` for one of a scatter plot."""
    value: float | None = None
    """In the quantity's unit, infinite where it is; none for points and where nothing came out."""
    x: float | None = None
    """Where it stands on the horizontal axis."""
    y: float | None = None
    """Where a point stands on the vertical axis."""


def rows_of(panel: str, measures: Mapping[str, Tensor], series: Sequence[str]) -> list[Row]:
    """A row for each measure and member, `(members,)`: the replicates of one series, then those of the next."""
    rows = []
    for quantity, values in measures.items():
        replicates = len(values) // len(series)
        rows += [
            Row(panel, series[member // replicates], member % replicates, quantity, value)
            for member, value in enumerate(values.double().tolist())
        ]
    return rows


def points_of(panel: str, series: str, points: Tensor) -> list[Row]:
    """A row for each point of a scatter plot, `(points, 2)`."""
    return [Row(panel, series, 0, "point", x=x, y=y) for x, y in points.tolist()]
