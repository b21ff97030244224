"""Shared parts of the experiments' figures: names and colours of series, means and intervals, ends of axes."""

import pandas as pd

from ...intervals import half_interval
from ..panels import COLORS

LABELS = {
    "truth": "true value",
    "mine": "MINE",
    "mine_biased": "MINE, biased gradient",
    "fdiv": "MINE, f-divergence",
    "minde-c": "MINDE-c",
    "ksg": "KSG",
}
SERIES_COLORS = {
    "mine": COLORS["mine"],
    "mine_biased": COLORS["infonce"],
    "fdiv": COLORS["nwj"],
    "minde-c": COLORS["minde-c"],
    "ksg": COLORS["ksg"],
}
SERIES_MARKERS = {"mine": "P", "mine_biased": "X", "fdiv": "^", "minde-c": "s", "ksg": "o"}


def over_replicates(rows: pd.DataFrame) -> pd.DataFrame:
    """Return means over replicates and half-widths of their 95 % intervals by panel, series, quantity, x, in order.

    Intervals are Student's t. Replicates without a value are omitted; the half-width is NaN for fewer than two values.
    """
    found = rows.groupby(["panel", "series", "quantity", "x"], sort=False, dropna=False)["value"]
    summary = found.agg(["count", "mean", "std"]).reset_index()
    summary["half"] = half_interval(summary["count"], summary["std"])
    return summary


def below(values: pd.Series) -> float:
    """Return the lower end of an axis from 0, or from below the smallest value: lower bounds may be negative."""
    return min(0.0, 1.1 * values.min())
