"""Figure 2: the consistency tests, a panel per test, the ideal value drawn."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from ..consistency import IDEAL
from ..tables.ratios import ratios, summarise
from .panels import COLORS, TRUTH_STYLE, marker_of

TITLES = {
    "baseline": "Baseline: I(A; B$_r$) / I(A; B)",
    "processing": "Processing: I(A; [B$_r$, B$_q$]) / I(A; B$_r$)",
    "additivity": "Additivity: I([A, A']; [B$_r$, B'$_r$]) / I(A; B$_r$)",
}


def consistency(estimates: pd.DataFrame) -> Figure:
    """Mean ratio and its 95 % interval over replicates against the rows of the image that are shown.

    Raises:
        ValueError: see `ratios.ratios`.
    """
    summary = summarise(ratios(estimates))
    figure = Figure()
    figure.set_figheight(2.2)
    keys = {}
    for ax, (test, title) in zip(figure.subplots(1, len(TITLES)), TITLES.items(), strict=True):
        of_test = summary[summary["test"] == test]
        ax.set_title(title)
        keys["ideal"] = ax.axhline(IDEAL[test], **TRUTH_STYLE)
        for label, of_row in of_test.groupby("row", sort=False):
            keys[label] = _curve(ax, of_row)
        ax.xaxis.set_major_locator(FixedLocator(sorted(summary["rows"].unique())))
        ax.set_ylim(0, IDEAL[test] * 1.5)
    figure.supxlabel("rows of the image, r", fontsize="medium")
    figure.legend(keys.values(), keys.keys(), loc="outside upper center", ncols=4)
    return figure


def _curve(ax: Axes, of_row: pd.DataFrame):
    """One row of tables; returns the legend's key."""
    method, estimator = of_row[["method", "estimator"]].iloc[0]
    half, style = of_row["high"] - of_row["mean"], {"color": COLORS[method], "marker": marker_of((method, estimator))}
    return ax.errorbar(of_row["rows"], of_row["mean"], half, **style, elinewidth=0.5)
