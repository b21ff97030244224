"""Summary of Table 1, a line per row: number of tasks right, error and cost."""

import math

import numpy as np
import pandas as pd

from ..rows import formula_of
from ..seeds import seed_of
from .rendering import MISSING, number

KEY = ["method", "estimator"]
BOUNDS = (0.05, 0.1)  # nats
QUOTED = " *"
LEVEL = 0.95
HEAD = [
    "Method",
    "Tasks",
    "Right at one decimal",
    *(f"Within {bound:g}" for bound in BOUNDS),
    "Mean absolute error",
    "Seconds",
]
COLUMNS = [
    "row",
    *KEY,
    "quoted",  # whether the config named the formula in advance
    "train_size",
    "tasks",  # with a known truth
    "converged",  # number of these, or of all tasks if there are none, with an estimate
    "equal",  # number of these whose mean and truth are equal at one decimal
    *(f"within_{bound:g}" for bound in BOUNDS),
    "mean_absolute_error",  # nats, over the tasks with an estimate
    "low",  # ends of its bootstrap interval, nats
    "high",
    "seconds",  # device seconds per estimate of one replicate, including training: the mean over tasks
]


def score(
    estimates: pd.DataFrame, table: pd.DataFrame, resamples: int, seed: int, quoted: dict[str, str]
) -> pd.DataFrame:
    """Return the scores of every row of Table 1, whose summary is `table`, from the `estimates` that it shows.

    The result has COLUMNS. `quoted` is the formula of each MINDE variant that the config names in advance.

    Tasks of unknown truth are left out, unless there are no others.

    The interval is a bootstrap over replicates, drawn separately in each task (a stratified bootstrap, since replicates
    of different tasks are unrelated); it is missing with a single replicate.
    """
    cost = (estimates["seconds"] + estimates["train_seconds"]).groupby([estimates[name] for name in KEY]).mean()
    lines, known = [], table[table["mi_true"].notna()]
    for (row, method, estimator), cells in (table if known.empty else known).groupby(["row", *KEY], sort=False):
        shown = estimates[(estimates["method"] == method) & (estimates["estimator"] == estimator)]
        low, high = _interval(shown, resamples, seed)
        error = cells["error"].abs()
        pairs = cells[["mean", "mi_true"]].dropna().itertuples(index=False)
        right = [number(mean, 1) == number(truth, 1) for mean, truth in pairs]
        lines.append(
            {
                "row": row,
                "method": method,
                "estimator": estimator,
                "quoted": formula_of(estimator) == quoted.get(method, method),
                "train_size": cells["train_size"].iloc[0],
                "tasks": int(cells["mi_true"].notna().sum()),
                "converged": int(cells["mean"].notna().sum()),
                "equal": sum(right),
                **{f"within_{bound:g}": int((error <= bound).sum()) for bound in BOUNDS},
                "mean_absolute_error": error.mean(),
                "low": low,
                "high": high,
                "seconds": cost[method, estimator],
            }
        )
    return pd.DataFrame(lines, columns=COLUMNS)


def _interval(estimates: pd.DataFrame, resamples: int, seed: int) -> tuple[float, float]:
    """Return the bootstrap interval of the mean absolute error of one row, independent of the other rows.

    The variance of means of n values resampled from n is too small by the factor (n - 1) / n, which matters for three
    replicates: deviations are scaled by the square root of its inverse (Davison and Hinkley, 1997, section 2.3). The
    absolute errors of resampled means are too large where the error is smaller than the spread: their mean bias is
    subtracted from both ends.
    """
    errors, found, varied = [], [], False
    for (task_id, *row), replicates in estimates[estimates["mi_true"].notna()].groupby(["task", *KEY], sort=True):
        rng = np.random.default_rng(seed_of(seed, task_id, None, 0, f"bootstrap/{'/'.join(row)}"))
        values = replicates.sort_values("replicate")["estimate"].dropna().to_numpy()
        if len(values):  # a single value is drawn every time
            n = len(values)
            deviations = (values[rng.integers(n, size=(resamples, n))] - values.mean()).mean(axis=1)
            error = values.mean() - replicates["mi_true"].iloc[0]
            errors.append(np.abs(error + deviations * math.sqrt(n / max(n - 1, 1))))
            found.append(abs(error))
            varied |= n > 1
    if not varied:
        return math.nan, math.nan
    resampled = np.mean(errors, axis=0)
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) - (resampled.mean() - np.mean(found))
    return max(float(low), 0.0), float(high)


def texts(scores: pd.DataFrame) -> list[list[str]]:
    """Return the lines of the table, under HEAD."""
    return [
        [
            line["row"] + QUOTED * (line["quoted"] and line["method"] != line["estimator"]),
            f"{line['converged']}",
            *(
                f"{line[name]}" if line["tasks"] else MISSING
                for name in ("equal", *(f"within_{bound:g}" for bound in BOUNDS))
            ),
            _error(line),
            f"{line['seconds']:.2g}" if line["seconds"] < 10 else f"{line['seconds']:,.0f}",
        ]
        for line in scores.to_dict("records")
    ]


def _error(line: dict) -> str:
    if math.isnan(line["mean_absolute_error"]):
        return MISSING
    interval = "" if math.isnan(line["low"]) else f" ({line['low']:.3f} to {line['high']:.3f})"
    return f"{line['mean_absolute_error']:.3f}{interval}"


def note(scores: pd.DataFrame, resamples: int) -> str:
    """Return an explanation of the columns."""
    tasks, size = scores["tasks"].max(), scores["train_size"].max()
    has_mark = (scores["quoted"] & (scores["method"] != scores["estimator"])).any()
    marked = f"{QUOTED}: the formula that the recipe names in advance." if has_mark else ""
    trained = f" (methods that train used {size:,} samples)" if size else ""
    seconds = (
        "device seconds per replicate's estimate, including training, which all formulas of one MINDE variant share."
    )
    if not tasks:
        return f"The true value of no task is known{trained}. Columns: tasks with an estimate; {seconds}{marked}"
    return (
        f"Of {tasks} tasks of known mutual information{trained}: those with an estimate, and those whose mean over the "
        f"replicates equals the true value at one decimal, or is within {BOUNDS[0]:g} or {BOUNDS[1]:g} nats of it; the "
        f"mean over tasks of the mean's absolute error, in nats, with the {LEVEL:.0%} interval of {resamples:,} "
        f"bootstraps over the replicates, corrected for bias, which is rough if these are few; {seconds}{marked}"
    )
