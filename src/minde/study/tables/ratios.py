"""The ratios of the consistency tests, from merged estimates: by replicate, their means and intervals, a table."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ..consistency import IDEAL, tests
from ..files import atomic
from ..intervals import half_interval
from ..rows import row_label
from ..selection import at_train_size, of_widths, rows_in_order
from .rendering import MISSING, PARTIAL, to_csv


def ratios(estimates: pd.DataFrame) -> pd.DataFrame:
    """Every replicate's ratio of every test and row of tables: columns test, rows, row, method, estimator, replicate,
    ratio; NaN where one of its estimates did not converge.

    Raises:
        ValueError: an estimate is NaN or infinite, one to divide by is 0, or a task of a test is missing.
    """
    shown = at_train_size(estimates)
    by_key = shown.set_index(["task", "method", "estimator", "replicate"])["estimate"].sort_index()
    found = []
    for test in tests(shown["task"].unique()):
        for method, estimator in rows_in_order(shown):
            label, reference = row_label(method, estimator), by_key.loc[test.reference, method, estimator]
            if len(none := reference[reference == 0]):
                raise ValueError(
                    f"{label} finds 0 nats in replicate {none.index[0]} of {test.reference}, by which the test "
                    f"{test.name} divides; leave the method out, or give it more samples"
                )
            values = by_key.loc[test.task, method, estimator] / reference
            found += [
                {"test": test.name, "rows": test.rows, "row": label, "method": method, "estimator": estimator}
                | {"replicate": replicate, "ratio": ratio}
                for replicate, ratio in values.items()
            ]
    return pd.DataFrame(found)


def summarise(of_replicates: pd.DataFrame) -> pd.DataFrame:
    """Mean and a 95 % interval (Student's t) of what `ratios` returns, over the replicates that converged.

    The ends are NaN where there is but one.
    """
    key = ["test", "rows", "row", "method", "estimator"]
    summary = of_replicates.groupby(key, sort=False)["ratio"].agg(["size", "count", "mean", "std"]).reset_index()
    half = half_interval(summary["count"], summary["std"])
    summary["low"], summary["high"] = summary["mean"] - half, summary["mean"] + half
    summary["ideal"] = summary["test"].map(IDEAL)
    return summary.rename(columns={"size": "replicates", "count": "converged"})


def to_markdown(summary: pd.DataFrame) -> str:
    """A line per test and number of rows, a column per row of tables: mean and half of the interval.

    A dagger marks a mean of some replicates, a dash none, as in Table 1.
    """
    labels = list(summary["row"].unique())
    lines = [["Test", "Rows", "Ideal", *labels], [":--", *["--:"] * (len(labels) + 2)]]
    for (test, rows, ideal), cells in summary.groupby(["test", "rows", "ideal"], sort=False):
        values = [
            f"{cell.mean:.2f} ± {(cell.high - cell.low) / 2:.2f}{PARTIAL if cell.converged < cell.replicates else ''}"
            if cell.converged
            else MISSING
            for cell in cells.itertuples()
        ]
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
