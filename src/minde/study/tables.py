"""Table 1: the mean estimate of every row on every task, at the largest train size."""

from collections.abc import Iterable
from itertools import product
from pathlib import Path

import pandas as pd

from .files import atomic
from .html import to_html
from .latex import to_latex
from .rendering import to_csv, to_markdown
from .rows import row_label
from .selection import at_largest_train_size, rows_in_order, tasks_in_order
from .tasks import label_of

COLUMNS = [
    "row",  # the paper's label
    "method",
    "estimator",
    "task",
    "task_label",
    "train_size",
    "replicates",  # their number
    "mi_true",  # nats, like all that follow; NaN where nobody knows it
    "mean",
    "std",  # over the replicates, with n - 1; NaN for a single one
    "error",  # mean - mi_true, NaN without it
]


def summarise(estimates: pd.DataFrame) -> pd.DataFrame:
    """Mean and spread over the replicates, one line per (row, task), rows as in the paper, tasks as in the benchmark.

    `estimates` has the columns of an estimates file, the result has COLUMNS.

    Raises:
        ValueError: an estimate is NaN or infinite, a row lacks a task, or a method is unknown.
    """
    shown = at_largest_train_size(estimates)
    key = ["method", "estimator", "task"]
    summary = shown.groupby(key).agg(
        train_size=("train_size", "first"),
        replicates=("estimate", "size"),
        mi_true=("mi_true", "first"),
        mean=("estimate", "mean"),
        std=("estimate", "std"),
    )
    order = [(*row, task_id) for row, task_id in product(rows_in_order(shown), tasks_in_order(shown))]
    summary = summary.loc[order].reset_index()
    summary["error"] = summary["mean"] - summary["mi_true"]
    summary["row"] = [row_label(*row) for row in zip(summary["method"], summary["estimator"], strict=True)]
    summary["task_label"] = [label_of(task_id) for task_id in summary["task"]]
    return summary[COLUMNS]


def write_table(estimates: pd.DataFrame, paths: Iterable[str | Path], *, decimals: int) -> None:
    """Write Table 1 to every path, as its suffix says: .csv (full precision), .md, .tex or .html.

    Raises:
        ValueError: a suffix is none of these, or see `summarise`. Nothing is written then.
    """
    summary = summarise(estimates)
    texts = {Path(path): _render(summary, Path(path).suffix, decimals) for path in paths}
    for path, text in texts.items():
        with atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")


def _render(summary: pd.DataFrame, suffix: str, decimals: int) -> str:
    match suffix:
        case ".csv":
            return to_csv(summary)
        case ".md":
            return to_markdown(summary, decimals)
        case ".tex":
            return to_latex(summary, decimals)
        case ".html":
            return to_html(summary, decimals)
        case _:
            raise ValueError(f"no table can be written as {suffix!r}; expected .csv, .md, .tex or .html")
