"""A table of estimates as text: CSV and Markdown here, and what the LaTeX and HTML renderers share.

LaTeX and HTML keep the paper's layout, one column per task. Markdown has one line per task, because forty columns are
too wide for it; CSV has one line per (row, task) in full precision, which programs read most easily. All take the
summary that `tables.summarize` returns.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

import pandas as pd

from minde.files import atomic

from ..rows import TRUTH_LABEL

# A cell is coloured by the signed error of its mean, in steps (nats) that are meaningful at one decimal: half a unit,
# one unit, and two levels of clearly wrong. Blue and orange are distinct for colour-blind readers, and all steps are
# light enough for black digits.
ERROR_BOUNDS = (0.05, 0.1, 0.2, 0.5)
LOW_COLORS = ("DCEAF5", "B0D2E9", "7FB6DC", "4F97C9")
HIGH_COLORS = ("FDEBD3", "FBCF9B", "F5AB61", "E6852F")
CLASS_COLORS = {
    **{f"low{level}": color for level, color in reversed(list(enumerate(LOW_COLORS, start=1)))},
    **{f"high{level}": color for level, color in enumerate(HIGH_COLORS, start=1)},
}
"""Hex colour of each error class, from the most negative to the most positive; the smallest errors have none."""


def write(paths: Iterable[str | Path], kinds: dict[str, Callable[[], str]]) -> None:
    """Write a table to every path with the function of its suffix in `kinds`, atomically.

    Raises ValueError if a suffix is not in `kinds`; nothing is written then.
    """
    paths = [Path(path) for path in paths]
    *others, last = kinds
    for path in paths:
        if path.suffix not in kinds:
            raise ValueError(f"no table can be written as {path.suffix!r}; expected {', '.join(others)} or {last}")
    for path, text in [(path, kinds[path.suffix]()) for path in paths]:
        with atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")


def to_csv(summary: pd.DataFrame) -> str:
    """Return one line per (row, task), every column of the summary in full precision."""
    return summary.to_csv(index=False, lineterminator="\n")


def to_markdown(summary: pd.DataFrame, decimals: int) -> str:
    """Return one line per task, one column per row of the paper's table."""
    body = []
    for (label, mi_true), cells in summary.groupby(["task_label", "mi_true"], sort=False, dropna=False):
        body.append([label, number(mi_true, decimals), *(cell_text(cell, decimals) for cell in cells.itertuples())])
    return markdown(["Task", TRUTH_LABEL, *summary["row"].unique()], body)


def markdown(head: list[str], body: list[list[str]], texts: str = "l") -> str:
    """Return a Markdown table. The first columns are text, the others numbers.

    `texts` has a character for each column of text: `l` for one line, `t` for text that LaTeX and HTML may wrap.
    """
    lines = [head, ["--:" if kind == "r" else ":--" for kind in texts.ljust(len(head), "r")], *body]
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |\n" for line in lines)


MISSING, PARTIAL = "–", "†"
"""Marks of a missing number, and of a mean over some of the replicates only."""


def number(value: float, decimals: int) -> str:
    """Return a number with `decimals` digits after the point, or MISSING for NaN; never a negative zero."""
    return MISSING if math.isnan(value) else f"{value:z.{decimals}f}"


def cell_text(cell, decimals: int) -> str:
    """Return the mean of a summary's line.

    It is marked if over some replicates only, with its interval if the truth is unknown.
    """
    if not cell.replicates:  # published, with one decimal, or missing
        return "" if math.isnan(cell.mean) else number(cell.mean, min(decimals, 1))
    mark = PARTIAL if 0 < cell.converged < cell.replicates else ""
    interval = f" ({interval_text(cell, decimals)})" if math.isnan(cell.mi_true) and not math.isnan(cell.low) else ""
    return number(cell.mean, decimals) + mark + interval


def interval_text(cell, decimals: int) -> str:
    """Return the ends of the interval of a summary's line."""
    return f"{number(cell.low, decimals)} to {number(cell.high, decimals)}"


def error_class(error: float) -> str | None:
    """Return the name in CLASS_COLORS of an error in nats, or None if it is missing or at most the first bound."""
    if math.isnan(error):
        return None
    level = bisect_left(ERROR_BOUNDS, abs(error))
    return f"{'low' if error < 0 else 'high'}{level}" if level else None


def class_meanings() -> dict[str, str]:
    """Return the meaning of each class of CLASS_COLORS, in order, such as `+0.05 to +0.1`."""
    steps = [f"{{sign}}{low:g} to {{sign}}{high:g}" for low, high in pairwise(ERROR_BOUNDS)]
    steps.append(f"beyond {{sign}}{ERROR_BOUNDS[-1]:g}")
    return {name: steps[int(name[-1]) - 1].format(sign="−" if name[:-1] == "low" else "+") for name in CLASS_COLORS}


def note(summary: pd.DataFrame) -> str:
    """Return an explanation of the numbers and marks of a table."""
    ours = summary[summary["replicates"] > 0]
    counts, size = sorted(ours["replicates"].unique()), ours["train_size"].max()
    replicates = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    trained = f"; methods that train used {size:,} samples" if size else ""
    unknown = f", {MISSING} if unknown" if ours["mi_true"].isna().any() else ""
    return (
        f"Mutual information in nats, mean of {replicates} {'replicate' if counts == [1] else 'replicates'}{trained}. "
        f"{TRUTH_LABEL} is the true value{unknown}.{_interval(ours)}{_convergence(ours)}{_reference(summary)}"
    )


def _interval(ours: pd.DataFrame) -> str:
    """Return an explanation of the intervals, if the table has any."""
    if ours.loc[ours["mi_true"].isna(), "low"].isna().all():
        return ""
    return (
        " Where it is unknown, the 95 % interval of the mean over replicates (Student's t) is in parentheses; "
        "replicates of a file are splits of the same rows, so that it covers splits and trainings, but not the choice "
        "of the rows."
    )


def _reference(summary: pd.DataFrame) -> str:
    """Return an explanation of the published row, if the table has it."""
    published = summary[summary["replicates"] == 0]
    if published.empty:
        return ""
    absent = " A task that they omit is left blank." if published["mean"].isna().any() else ""
    return f" {published['row'].iloc[0]}: the authors' values, with one decimal.{absent}"


def _convergence(ours: pd.DataFrame) -> str:
    """Return an explanation of the marks for methods that did not converge, if the table has any."""
    none = f" {MISSING}: no replicate converged." if (ours["converged"] == 0).any() else ""
    some = ours["converged"].between(1, ours["replicates"] - 1).any()
    return none + (f" {PARTIAL}: some did not and are omitted." if some else "")
