"""Table 1: the mean estimate of every row on every task, at the largest train size."""

from collections.abc import Iterable
from itertools import product
from pathlib import Path

import pandas as pd

from .files import atomic
from .html import to_html
from .latex import to_latex
from .rendering import to_csv, to_markdown
from .results import KEYS
from .rows import row_label, row_order
from .tasks import TASKS, task

KEY = ["task", "method", "estimator"]
COLUMNS = [
    "row",  # the paper's label
    "method",
    "estimator",
    "task",
    "task_label",
    "train_size",
    "replicates",  # their number
    "mi_true",  # nats, like all that follow
    "mean",
    "std",  # over the replicates, with n - 1; NaN for a single one
    "error",  # mean - mi_true
]


def summarise(estimates: pd.DataFrame) -> pd.DataFrame:
    """Mean and spread over the replicates, one line per (row, task), rows as in the paper, tasks as in the benchmark.

    `estimates` has the columns of an estimates file, the result has COLUMNS. Methods that train count at the largest
    train size of the study; methods that do not (train size 0) always do.

    Raises:
        ValueError: an estimate is NaN or infinite, a row lacks a task, or a method or task is unknown.
    """
    _check_finite(estimates)
    largest = estimates["train_size"].max()
    at_largest = estimates[estimates["train_size"].isin([0, largest])]
    summary = at_largest.groupby(KEY, as_index=False).agg(
        train_size=("train_size", "max"),
        replicates=("estimate", "size"),
        mi_true=("mi_true", "first"),
        mean=("estimate", "mean"),
        std=("estimate", "std"),
    )
    rows = sorted(set(zip(estimates["method"], estimates["estimator"], strict=True)), key=lambda row: row_order(*row))
    tasks = sorted(set(estimates["task"]), key=lambda id: list(TASKS).index(task(id).id))
    expected = [(task_id, *row) for row, task_id in product(rows, tasks)]
    summary = summary.set_index(KEY)
    for key in expected:
        if key not in summary.index:
            raise ValueError(
                f"no estimate of {row_label(*key[1:])} for the task {key[0]} at the train size {largest}; "
                "a table needs every row on every task: run the workflow for all of them"
            )
    summary = summary.loc[expected].reset_index()
    summary["error"] = summary["mean"] - summary["mi_true"]
    summary["row"] = [row_label(*row) for row in zip(summary["method"], summary["estimator"], strict=True)]
    summary["task_label"] = [task(task_id).label for task_id in summary["task"]]
    return summary[COLUMNS]


def _check_finite(estimates: pd.DataFrame) -> None:
    if estimates.empty:
        raise ValueError("the estimates file holds no estimate; run the workflow for at least one task and method")
    bad = estimates[~(estimates["estimate"].abs() < float("inf"))]
    if len(bad):
        first = bad.iloc[0]
        key = ", ".join(f"{name}={first[name]}" for name in KEYS)
        raise ValueError(f"{len(bad)} estimates are not finite, first {first['estimate']} of {key}; run its rule again")


def write_table(estimates: pd.DataFrame, paths: Iterable[str | Path], decimals: int) -> None:
    """Write Table 1 to every path, as its suffix says: csv (full precision), md, tex or html.

    Raises:
        ValueError: a suffix is none of these, or see `summarise`. Nothing is written then.
    """
    summary = summarise(estimates)
    texts = {path: _render(summary, Path(path).suffix, decimals) for path in paths}
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
