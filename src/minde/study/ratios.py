"""The ratios of the consistency tests, from merged estimates: per replicate, and means with intervals."""

import pandas as pd

from .consistency import IDEAL, ratios_of
from .intervals import half_interval
from .rows import row_label
from .selection import at_train_size, rows_in_order


def ratios(estimates: pd.DataFrame) -> pd.DataFrame:
    """Return the ratio per test, row of tables and replicate.

    Columns are test, rows, row, method, estimator, replicate, ratio. A ratio is NaN if one of its estimates did not
    converge. Raises ValueError if an estimate is NaN or infinite, a denominator is 0, or a task of a test is missing.
    """
    shown = at_train_size(estimates)
    by_key = shown.set_index(["task", "method", "estimator", "replicate"])["estimate"].sort_index()
    found = []
    for ratio in ratios_of(shown["task"].unique()):
        for method, estimator in rows_in_order(shown):
            label, reference = row_label(method, estimator), by_key.loc[ratio.reference, method, estimator]
            if len(zeros := reference[reference == 0]):
                raise ValueError(
                    f"{label} estimates 0 nats in replicate {zeros.index[0]} of {ratio.reference}, the denominator of "
                    f"the test {ratio.test}; leave the method out, or use more samples"
                )
            values = by_key.loc[ratio.task, method, estimator] / reference
            found += [
                {"test": ratio.test, "rows": ratio.rows, "row": label, "method": method, "estimator": estimator}
                | {"replicate": replicate, "ratio": value}
                for replicate, value in values.items()
            ]
    return pd.DataFrame(found)


def summarize(replicates: pd.DataFrame) -> pd.DataFrame:
    """Return mean and 95 % interval (Student's t) of the ratios that `ratios` returns, over converged replicates.

    Replicates are splits of the same images, whose choice the interval does not cover. It is NaN for a single
    replicate.
    """
    key = ["test", "rows", "row", "method", "estimator"]
    summary = replicates.groupby(key, sort=False)["ratio"].agg(["size", "count", "mean", "std"]).reset_index()
    half = half_interval(summary["count"], summary["std"])
    summary["low"], summary["high"] = summary["mean"] - half, summary["mean"] + half
    summary["ideal"] = summary["test"].map(IDEAL)
    return summary.rename(columns={"size": "replicates", "count": "converged"})
