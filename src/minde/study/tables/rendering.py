"""A table of estimates as text: CSV and Markdown here, and what the LaTeX and HTML renderers share.

LaTeX and HTML keep the paper's layout, one column per task. Markdown has one line per task, because forty columns
cannot be read where Markdown is; CSV has one line per (row, task) in full precision, because that is what programs
read without guessing at headers. All take the summary that `tables.summarise` makes.
"""

import math
from bisect import bisect_left
from itertools import pairwise

import pandas as pd

from ..rows import TRUTH_LABEL

# A cell is coloured by the signed error of its mean, in steps (nats) that mean something at one decimal: half a unit,
# one unit, and two sizes of plainly wrong. Blue and orange stay apart for colour-blind readers, and all steps are light
# enough for black digits.
ERROR_BOUNDS = (0.05, 0.1, 0.2, 0.5)
LOW_COLORS = ("DCEAF5", "B0D2E9", "7FB6DC", "4F97C9")
HIGH_COLORS = ("FDEBD3", "FBCF9B", "F5AB61", "E6852F")
CLASS_COLORS = {
    **{f"low{level}": color for level, color in reversed(list(enumerate(LOW_COLORS, start=1)))},
    **{f"high{level}": color for level, color in enumerate(HIGH_COLORS, start=1)},
}
"""Hex colour of each class of errors, from the most negative to the most positive; the smallest errors have none."""


def to_csv(summary: pd.DataFrame) -> str:
    """One line per (row, task), every column of the summary in full precision."""
    return summary.to_csv(index=False, lineterminator="\n")


def to_markdown(summary: pd.DataFrame, decimals: int) -> str:
    """One line per task, one column per row of the paper's table."""
    body = []
    for (label, mi_true), cells in summary.groupby(["task_label", "mi_true"], sort=False, dropna=False):
        body.append([label, number(mi_true, decimals), *(cell_text(cell, decimals) for cell in cells.itertuples())])
    return markdown(["Task", TRUTH_LABEL, *summary["row"].unique()], body)


def markdown(head: list[str], body: list[list[str]]) -> str:
    """A Markdown table whose first column is text, the others numbers."""
    lines = [head, [":--", *["--:"] * (len(head) - 1)], *body]
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |\n" for line in lines)


MISSING, PARTIAL = "–", "†"
"""In place of a number that is not there, and beside a mean of some of the replicates."""


def number(value: float, decimals: int) -> str:
    """A number with so many decimals, or MISSING for NaN; never a negative zero."""
    return MISSING if math.isnan(value) else f"{value:z.{decimals}f}"


def cell_text(cell, decimals: int) -> str:
    """The mean of a summary's line, marked where it is of some replicates only; without a truth, with its spread."""
    if not cell.replicates:  # published, with one decimal, or not
        return "" if math.isnan(cell.mean) else number(cell.mean, min(decimals, 1))
    spread = f" ± {number(cell.std, decimals)}" if math.isnan(cell.mi_true) and not math.isnan(cell.std) else ""
    return number(cell.mean, decimals) + spread + (PARTIAL if 0 < cell.converged < cell.replicates else "")


def error_class(error: float) -> str | None:
    """Name in CLASS_COLORS of an error in nats, or None for one that is at most the first bound or not there."""
    if math.isnan(error):
        return None
    level = bisect_left(ERROR_BOUNDS, abs(error))
    return f"{'low' if error < 0 else 'high'}{level}" if level else None


def class_meanings() -> dict[str, str]:
    """What each class of CLASS_COLORS means, in its order, such as `+0.05 to +0.1`."""
    steps = [f"{{sign}}{low:g} to {{sign}}{high:g}" for low, high in pairwise(ERROR_BOUNDS)]
    steps.append(f"beyond {{sign}}{ERROR_BOUNDS[-1]:g}")
    return {name: steps[int(name[-1]) - 1].format(sign="−" if name[:-1] == "low" else "+") for name in CLASS_COLORS}


def note(summary: pd.DataFrame) -> str:
    """What the numbers and the marks of a table are."""
    ours = summary[summary["replicates"] > 0]
    counts, sizes = sorted(ours["replicates"].unique()), ours["train_size"].max()
    replicates = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    trained = f"; methods that train saw {sizes:,} samples" if sizes else ""
    unknown = f", {MISSING} where nobody knows it" if ours["mi_true"].isna().any() else ""
    unknown += (
        ", and ± the standard deviation over replicates is shown" if unknown and ours["std"].notna().any() else ""
    )
    return (
        f"Mutual information in nats, mean of {replicates} {'replicate' if counts == [1] else 'replicates'}{trained}. "
        f"{TRUTH_LABEL} is the true value{unknown}.{_convergence(ours)}{_reference(summary)}"
    )


def _reference(summary: pd.DataFrame) -> str:
    """What the published row is, where the table has it."""
    published = summary[summary["replicates"] == 0]
    if published.empty:
        return ""
    absent = " A task that they leave out is not filled." if published["mean"].isna().any() else ""
    return f" {published['row'].iloc[0]}: the authors' values, with one decimal.{absent}"


def _convergence(ours: pd.DataFrame) -> str:
    """What the marks for methods that did not converge mean, where the table has any."""
    none = f" {MISSING}: no replicate converged." if (ours["converged"] == 0).any() else ""
    some = ours["converged"].between(1, ours["replicates"] - 1).any()
    return none + (f" {PARTIAL}: some did not, and are left out." if some else "")
