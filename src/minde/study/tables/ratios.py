"""The ratios of the consistency tests, from merged estimates: per replicate, means with intervals, and a table."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ..consistency import IDEAL, tests
from ..intervals import half_interval
from ..rows import row_label
from ..selection import at_train_size, of_widths, rows_in_order
from .rendering import MISSING, PARTIAL, markdown, to_csv, write


def ratios(estimates: pd.DataFrame) -> pd.DataFrame:
    """The ratio per test, row of tables and replicate: columns test, rows, row, method, estimator, replicate, ratio.

    A ratio is NaN if one of its estimates did not converge.

    Raises:
        ValueError: an estimate is NaN or infinite, a denominator is 0, or a task of a test is missing.
    """
    shown = at_train_size(estimates)
    by_key = shown.set_index(["task", "method", "estimator", "replicate"])["estimate"].sort_index()
    found = []
    for test in tests(shown["task"].unique()):
        for method, estimator in rows_in_order(shown):
            label, reference = row_label(method, estimator), by_key.loc[test.reference, method, estimator]
            if len(zeros := reference[reference == 0]):
                raise ValueError(
                    f"{label} estimates 0 nats in replicate {zeros.index[0]} of {test.reference}, the denominator of "
                    f"the test {test.name}; leave the method out, or use more samples"
                )
            values = by_key.loc[test.task, method, estimator] / reference
            found += [
                {"test": test.name, "rows": test.rows, "row": label, "method": method, "estimator": estimator}
                | {"replicate": replicate, "ratio": ratio}
                for replicate, ratio in values.items()
            ]
    return pd.DataFrame(found)


def summarise(replicates: pd.DataFrame) -> pd.DataFrame:
    """Mean and 95 % interval (Student's t) of the ratios that `ratios` returns, over the replicates that converged.

    Replicates are splits of the same images, whose choice the interval does not cover. It is NaN for a single
    replicate.
    """
    key = ["test", "rows", "row", "method", "estimator"]
    summary = replicates.groupby(key, sort=False)["ratio"].agg(["size", "count", "mean", "std"]).reset_index()
    half = half_interval(summary["count"], summary["std"])
    summary["low"], summary["high"] = summary["mean"] - half, summary["mean"] + half
    summary["ideal"] = summary["test"].map(IDEAL)
    return summary.rename(columns={"size": "replicates", "count": "converged"})


def to_markdown(summary: pd.DataFrame) -> str:
    """A line per test and number of rows, a column per row of tables: mean and half-width of the interval.

    A dagger marks a mean over some of the replicates, a dash that none converged, as in Table 1.
    """
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
    return markdown(["Test", "Rows", "Ideal", *summary["row"].unique()], lines)


def write_ratios(estimates: pd.DataFrame, paths: Iterable[str | Path], sigmas: list[float]) -> None:
    """Write the tests' ratios to every path, .csv (full precision) or .md; the σ formula at these widths only.

    Raises:
        ValueError: another suffix, or see `ratios`. Nothing is written then.
    """
    summary = summarise(ratios(of_widths(estimates, sigmas)))
    write(paths, {".csv": lambda: to_csv(summary), ".md": lambda: to_markdown(summary)})
