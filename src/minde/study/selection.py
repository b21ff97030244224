"""Which estimates a table or figure shows, and in which order. Frames have the columns of an estimates file."""

import pandas as pd

from .results import KEYS
from .rows import row_label, row_order
from .task_labels import in_order


def rows_in_order(estimates: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the (method, estimator) pairs of the estimates, in the paper's order.

    Raises ValueError for an unknown one.
    """
    pairs = set(zip(estimates["method"], estimates["estimator"], strict=True))
    return sorted(pairs, key=lambda pair: row_order(*pair))


def tasks_in_order(estimates: pd.DataFrame) -> list[str]:
    """Return the ids of the estimates' tasks, in their order."""
    return in_order(estimates["task"])


def of_widths(estimates: pd.DataFrame, sigmas: list[float]) -> pd.DataFrame:
    """Return the estimates, with those of the σ formula at these widths only."""
    names, shown = estimates["estimator"], [f"sigma={sigma:g}" for sigma in sigmas]
    return estimates[~names.str.startswith("sigma=") | names.isin(shown)]


def at_train_size(estimates: pd.DataFrame, train_size: int | None = None) -> pd.DataFrame:
    """Return the estimates at a train size, by default the study's largest, and those of methods that do not train (0).

    Raises ValueError if there are no estimates, one is NaN or infinite, or a row lacks a task.
    """
    check_finite(estimates)
    size = estimates["train_size"].max() if train_size is None else train_size
    shown = estimates[estimates["train_size"].isin([0, size])]
    found = set(zip(shown["task"], shown["method"], shown["estimator"], strict=True))
    for method, estimator in rows_in_order(estimates):
        for task_id in tasks_in_order(estimates):
            if (task_id, method, estimator) not in found:
                raise ValueError(
                    f"no estimate of {row_label(method, estimator)} for task {task_id} at train size {size}: "
                    "every row needs every task; run the workflow for all tasks"
                )
    return shown


def check_finite(estimates: pd.DataFrame) -> None:
    """Raise ValueError if there are no estimates, or naming the first that is NaN or infinite.

    An estimate may be missing only if the row says why the method did not converge.
    """
    if estimates.empty:
        raise ValueError("the estimates file is empty; run the workflow for at least one task and method")
    bad = estimates[~(estimates["estimate"].abs() < float("inf")) & estimates["not_converged"].isna()]
    if len(bad):
        first = bad.iloc[0]
        key = ", ".join(f"{name}={first[name]}" for name in KEYS)
        raise ValueError(f"{len(bad)} estimates are not finite, first {first['estimate']} of {key}; run its rule again")
