"""Table 1: the mean estimate of every row on every task, at one train size; and its summary."""

from collections.abc import Iterable
from itertools import product
from pathlib import Path

import pandas as pd

from ..intervals import half_interval
from ..rows import row_label
from ..selection import at_train_size, of_widths, rows_in_order, tasks_in_order
from ..task_labels import label_of
from . import html, latex, published, rendering, summary

COLUMNS = [
    "row",  # the paper's label
    "method",
    "estimator",
    "task",
    "task_label",
    "train_size",
    "replicates",  # their number
    "converged",  # number that converged; mean and std are over these
    "mi_true",  # nats, as are the next five
    "mean",
    "std",  # over the replicates, with n - 1; NaN for a single one, as are the next two
    "low",  # ends of the mean's 95 % interval (Student's t)
    "high",
    "error",  # mean - mi_true
    "not_converged",  # the reason of the first replicate that did not converge; empty if all did
]


def summarize(estimates: pd.DataFrame, train_size: int | None = None) -> pd.DataFrame:
    """Return mean and spread over the replicates, one line per (row, task).

    Rows are as in the paper, tasks as in the benchmark. `estimates` has the columns of an estimates file, the result
    has COLUMNS; at the largest train size by default. Raises ValueError if an estimate is NaN or infinite, a row lacks
    a task, or a method or task is unknown.
    """
    shown = at_train_size(estimates, train_size)
    key = ["method", "estimator", "task"]
    summary = shown.groupby(key).agg(
        train_size=("train_size", "first"),
        replicates=("estimate", "size"),
        converged=("estimate", "count"),
        mi_true=("mi_true", "first"),
        mean=("estimate", "mean"),
        std=("estimate", "std"),
        not_converged=("not_converged", "first"),  # the first that is not missing
    )
    order = [(*row, task_id) for row, task_id in product(rows_in_order(shown), tasks_in_order(shown))]
    summary = summary.loc[order].reset_index()
    half = half_interval(summary["converged"], summary["std"])
    summary["low"], summary["high"] = summary["mean"] - half, summary["mean"] + half
    summary["error"] = summary["mean"] - summary["mi_true"]
    summary["row"] = [row_label(*row) for row in zip(summary["method"], summary["estimator"], strict=True)]
    summary["task_label"] = [label_of(task_id) for task_id in summary["task"]]
    return summary[COLUMNS]


def with_reference(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the authors' published row of MINDE-c below ours; a task that they omit stays empty."""
    tasks = table.drop_duplicates("task")[["task", "task_label", "mi_true"]]
    row = tasks.assign(row=published.LABEL, method="published", estimator="", mean=tasks["task"].map(published.MINDE_C))
    row = row.assign(error=row["mean"] - row["mi_true"], train_size=0, replicates=0, converged=0)
    above = table["method"].isin(["minde-j", "minde-c"])
    parts = [table[above], row.reindex(columns=COLUMNS).astype(table.dtypes), table[~above]]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def write_table(
    estimates: pd.DataFrame,
    paths: Iterable[str | Path],
    *,
    decimals: int,
    sigmas: list[float],
    reference: bool = False,
    train_size: int | None = None,
) -> None:
    """Write Table 1 to every path in the format of its suffix: .csv (full precision), .md, .tex or .html.

    The σ formula is shown at the widths `sigmas` only. Raises ValueError for another suffix, and like `summarize`;
    nothing is written then.
    """
    table = summarize(of_widths(estimates, sigmas), train_size)
    if reference:
        table = with_reference(table)
    kinds = {
        ".csv": lambda: rendering.to_csv(table),
        ".md": lambda: rendering.to_markdown(table, decimals),
        ".tex": lambda: latex.to_latex(table, decimals),
        ".html": lambda: html.to_html(table, decimals),
    }
    rendering.write(paths, kinds)


def write_summary(
    estimates: pd.DataFrame,
    paths: Iterable[str | Path],
    *,
    sigmas: list[float],
    resamples: int,
    seed: int,
    quoted: dict[str, str],
) -> None:
    """Write the summary of Table 1, a line per row, in the same formats.

    `quoted` is the formula of each MINDE variant that is marked. Raises ValueError for another suffix, and like
    `summarize`; nothing is written then.
    """
    shown = of_widths(estimates, sigmas)
    scores = summary.score(at_train_size(shown), summarize(shown), resamples, seed, quoted)
    head, body, note = summary.HEAD, summary.texts(scores), summary.note(scores, resamples)
    kinds = {
        ".csv": lambda: rendering.to_csv(scores),
        ".md": lambda: rendering.markdown(head, body),
        ".tex": lambda: latex.plain(head, body, note),
        ".html": lambda: html.plain("Summary of Table 1", head, body, note),
    }
    rendering.write(paths, kinds)
