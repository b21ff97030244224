"""The table of the consistency tests."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ..ratios import ratios, summarize
from ..selection import of_widths
from . import html
from .rendering import MISSING, PARTIAL, markdown, to_csv, write

NOTE = (
    "Ratios of mutual information whose ideal value is known, mean over replicates ± half the width of its 95 % "
    f"interval (Student's t). {PARTIAL}: some replicates did not converge and are omitted; {MISSING}: all."
)


def texts(summary: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return head and body: a line per test and number of rows, a column per row of tables."""
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
    return ["Test", "Rows", "Ideal", *summary["row"].unique()], lines


def write_ratios(
    estimates: pd.DataFrame, paths: Iterable[str | Path], *, tasks: list[str], sigmas: list[float]
) -> None:
    """Write the tests' ratios to every path, .csv (full precision), .md or .html; the σ formula at `sigmas` only.

    `tasks` are those of the tests: user files beside them may have names of the same form. Raises ValueError for
    another suffix, and like `ratios`; nothing is written then.
    """
    summary = summarize(ratios(of_widths(estimates[estimates["task"].isin(tasks)], sigmas)))
    head, body = texts(summary)
    kinds = {
        ".csv": lambda: to_csv(summary),
        ".md": lambda: markdown(head, body),
        ".html": lambda: html.plain("Consistency tests", head, body, NOTE),
    }
    write(paths, kinds)
