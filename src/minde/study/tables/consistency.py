"""The table of the consistency tests."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ..ratios import ratios, summarise
from ..selection import of_widths
from .rendering import MISSING, PARTIAL, markdown, to_csv, write


def to_markdown(summary: pd.DataFrame) -> str:
    """A line per test and number of rows, a column per row of tables: mean and half-width of the interval.

    A dagger marks a mean over some of the replicates, a dash that none converged, as in Table 1.
    """
    lines = []
    for (test, rows, ideal), cells in summary.groupby(["test", "rows", "ideal"], sort=False):
        values = [
            f"{cell.mean:.2f} ± {(cell.high - cell.low) / 2:.2f}{PARTIAL if cell.converged < cell.replicates else ''}"
            if cell.converged
            else MISSING
            for cell in cells.itertuples()
        ]
        to = "→ " if test == "baseline" else ""
        lines.append([test, str(rows), f"{to}{ideal:g}", *values])
    return markdown(["Test", "Rows", "Ideal", *summary["row"].unique()], lines)


def write_ratios(estimates: pd.DataFrame, paths: Iterable[str | Path], sigmas: list[float]) -> None:
    """Write the tests' ratios to every path, .csv (full precision) or .md; the σ formula at these widths only.

    Raises:
        ValueError: another suffix, or see `ratios`. Nothing is written then.
    """
    summary = summarise(ratios(of_widths(estimates, sigmas)))
    write(paths, {".csv": lambda: to_csv(summary), ".md": lambda: to_markdown(summary)})
