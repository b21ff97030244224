"""The ratios of the consistency tests, from merged estimates: by replicate, their means and intervals, a table."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from .consistency import IDEAL, tests
from .files import atomic
from .rendering import to_csv
from .rows import row_label
from .selection import at_train_size, of_widths, rows_in_order


def ratios(estimates: pd.DataFrame) -> pd.DataFrame:
    """Every replicate's ratio of every test and row of tables: columns test, rows, row, method, estimator, replicate,
    ratio.

    Raises:
        ValueError: an estimate is NaN or infinite, or a task of a test is missing.
    """
    shown = at_train_size(estimates)
    by_key = shown.set_index(["task", "method", "estimator", "replicate"])["estimate"].sort_index()
    found = []
    for test in tests(shown["task"].unique()):
        for method, estimator in rows_in_order(shown):
            values = by_key.loc[test.task, method, estimator] / by_key.loc[test.reference, method, estimator]
            label = row_label(method, estimator)
            found += [
                {"test": test.name, "rows": test.rows, "row": label, "method": method, "estimator": estimator}
                | {"replicate": replicate, "ratio": ratio}
                for replicate, ratio in values.items()
            ]
    return pd.DataFrame(found)


def summarise(of_replicates: pd.DataFrame) -> pd.DataFrame:
    """Mean and a 95 % interval (Student's t) over replicates, of what `ratios` returns; NaN ends for one replicate."""
    from scipy.stats import t

    key = ["test", "rows", "row", "method", "estimator"]
    summary = of_replicates.groupby(key, sort=False)["ratio"].agg(["size", "mean", "std"]).reset_index()
    half = t.ppf(0.975, (summary["size"] - 1).where(summary["size"] > 1)) * summary["std"] / summary["size"] ** 0.5
    summary["low"], summary["high"] = summary["mean"] - half, summary["mean"] + half
    summary["ideal"] = summary["test"].map(IDEAL)
    return summary.rename(columns={"size": "replicates"})


def to_markdown(summary: pd.DataFrame) -> str:
    """A line per test and number of rows, a column per row of tables: mean and half of the interval."""
    labels = list(summary["row"].unique())
    lines = [["Test", "Rows", "Ideal", *labels], [":--", *["--:"] * (len(labels) + 2)]]
    for (test, rows, ideal), cells in summary.groupby(["test", "rows", "ideal"], sort=False):
        halves = (cells["high"] - cells["low"]) / 2
        values = [f"{mean:.2f} ± {half:.2f}" for mean, half in zip(cells["mean"], halves, strict=True)]
        to = "→ " if test == "baseline" else ""
        lines.append([test, str(rows), f"{to}{ideal:g}", *values])
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def write_ratios(estimates: pd.DataFrame, paths: Iterable[str | Path], sigmas: list[float]) -> None:
    """Write the tests' ratios to every path, .csv (full precision) or .md; of the σ formula, at these widths.

    Raises:
        ValueError: a suffix is neither, or see `ratios`. Nothing is written then.
    """
    summary, texts = summarise(ratios(of_widths(estimates, sigmas))), {}
    for path in map(Path, paths):
        if path.suffix not in WRITERS:
            raise ValueError(f"no table of ratios can be written as {path.suffix!r}; expected {' or '.join(WRITERS)}")
        texts[path] = WRITERS[path.suffix](summary)
    for path, text in texts.items():
        with atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")


WRITERS = {".csv": to_csv, ".md": to_markdown}
