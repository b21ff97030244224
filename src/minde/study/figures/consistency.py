"""Figure 2: the consistency tests, a panel per test with its ideal value."""

from itertools import pairwise

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from ..consistency import IDEAL
from ..ratios import ratios, summarize
from .panels import COLORS, TRUTH_STYLE, draw_heads, style_of

TITLES = {
    "baseline": "Baseline\nI(A; B$_r$) / I(A; B)",
    "processing": "Data processing, s > r\nI(A; [B$_s$, B$_r$]) / I(A; B$_s$)",
    "additivity": "Additivity\nI([A, A']; [B$_r$, B'$_r$]) / I(A; B$_r$)",
}
WIDTH = 0.4  # of the points of one number of rows, which are side by side, as a share of the distance to the next


def consistency(estimates: pd.DataFrame) -> Figure:
    """Draw the mean ratio and its 95 % interval over replicates against the number of rows of the image.

    An arrowhead on the edge is a mean below 0 or above 1.5 times the ideal value. Raises ValueError like `ratios`.
    """
    summary = summarize(ratios(estimates))
    figure, keys = Figure(), {}
    figure.set_figheight(2.3)
    positions, labels = sorted(summary["rows"].unique()), list(summary["row"].unique())
    width = WIDTH * min((right - left for left, right in pairwise(positions)), default=1)
    for ax, (test, title) in zip(figure.subplots(1, len(TITLES)), TITLES.items(), strict=True):
        limits = (0, 1.5 * IDEAL[test])
        ax.set_title(title)
        keys["ideal"] = ax.axhline(IDEAL[test], **TRUTH_STYLE)
        for label, values in summary[summary["test"] == test].groupby("row", sort=False):
            dodge = width * (labels.index(label) / max(len(labels) - 1, 1) - 0.5)
            keys[label] = _draw_row(ax, values, dodge, limits)
        ax.xaxis.set_major_locator(FixedLocator(positions))
        ax.set_ylim(limits)
    figure.supxlabel("rows of the image: r, for data processing s", fontsize="medium")
    figure.supylabel("ratio", fontsize="medium")
    figure.legend(keys.values(), keys.keys(), loc="outside upper center", ncols=4)
    return figure


def _draw_row(ax: Axes, values: pd.DataFrame, dodge: float, limits: tuple[float, float]):
    """Draw one row of tables, shifted by `dodge` so that bars do not cover each other; return the legend key."""
    method, estimator = values[["method", "estimator"]].iloc[0]
    x, half = values["rows"].to_numpy() + dodge, values["high"] - values["mean"]
    draw_heads(ax, x, values["mean"].to_numpy(), limits, COLORS[method], ax.transData)
    return ax.errorbar(x, values["mean"], half, **style_of((method, estimator)), linewidth=0.6, elinewidth=0.5)
