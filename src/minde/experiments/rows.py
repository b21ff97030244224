"""The rows that experiments return, and the type of their seeds. Imports nothing of the package."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

Seed = Callable[[int, str], int]
"""The seed of a replicate for a purpose, such as `seed(3, "samples/cubic")`: 63 bits."""


class Row(NamedTuple):
    """One number of an experiment, or one point of a scatter plot."""

    panel: str
    """Panel of the figure, such as a data set."""
    series: str
    """A method, a loss, `data` or `truth`."""
    replicate: int
    """Number of the repeated run; 0 for values that all have in common."""
    quantity: str
    """A key of `minde.study.experiment_rows.UNITS`; `point` for a scatter plot."""
    value: float | None = None
    """In the quantity's unit, possibly infinite; None for points and failed estimates."""
    x: float | None = None
    """Position on the horizontal axis."""
    y: float | None = None
    """Position of a point on the vertical axis."""


def rows_of(panel: str, measures: Mapping[str, Tensor], series: Sequence[str]) -> list[Row]:
    """Return a row for each measure and member; measures are `(members,)`, ordered by series, then replicate."""
    rows = []
    for quantity, values in measures.items():
        replicates = len(values) // len(series)
        rows += [
            Row(panel, series[member // replicates], member % replicates, quantity, value)
            for member, value in enumerate(values.double().tolist())
        ]
    return rows


def points_of(panel: str, series: str, points: Tensor) -> list[Row]:
    """Return a row for each point of a scatter plot, `(points, 2)`."""
    return [Row(panel, series, 0, "point", x=x, y=y) for x, y in points.tolist()]
