"""The figure of the experiment `estimation`: estimates against the correlation, a panel per number of coordinates."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..panels import AXIS_LABEL, draw_heads
from .series import LABELS, SERIES_COLORS, SERIES_MARKERS, over_replicates

WIDTH = 0.6  # of the points of one correlation, which are side by side; correlations are 1 apart


def draw(rows: pd.DataFrame) -> Figure:
    """Draw means over replicates with their 95 % intervals, and the true value.

    Correlations are equally spaced. Every panel ends at the larger of the largest mean and the third quartile of the
    true values, but at most at the largest true value, and begins below zero if means do. An arrowhead on the edge is a
    mean or true value beyond it.
    """
    summary, panels = over_replicates(rows), list(rows["panel"].unique())
    figure, keys = Figure(), {}
    figure.set_figheight(2.5)
    for ax, panel in zip(np.ravel(figure.subplots(1, len(panels))), panels, strict=True):
        keys |= _draw_panel(ax, summary[summary["panel"] == panel])
        ax.set_title(f"{panel} + {panel} coordinates")
    figure.supxlabel("correlation ρ of each pair of coordinates", fontsize="medium")
    figure.supylabel(AXIS_LABEL, fontsize="medium")
    figure.legend(keys.values(), [LABELS[name] for name in keys], loc="outside upper center", ncols=5)
    return figure


def _draw_panel(ax: Axes, summary: pd.DataFrame) -> dict:
    """Draw one number of coordinates; return the legend keys by series."""
    correlations = sorted(summary["x"].unique())
    by_series = {name: values.set_index("x") for name, values in summary.groupby("series", sort=False)}
    methods, limits = [name for name in by_series if name != "truth"], _limits(summary)
    keys = {"truth": _draw_truth(ax, by_series["truth"].loc[correlations, "mean"].to_numpy(), limits)}
    for number, name in enumerate(methods):
        values = by_series[name].loc[correlations]
        color, means = SERIES_COLORS[name], values["mean"].to_numpy()
        x = np.arange(len(correlations)) + WIDTH * (number / max(len(methods) - 1, 1) - 0.5)
        style = {"color": color, "marker": SERIES_MARKERS[name], "linestyle": "none", "elinewidth": 0.6}
        keys[name] = ax.errorbar(x, means, values["half"], **style)
        draw_heads(ax, x, means, limits, color, ax.transData)
    ax.set_xticks(range(len(correlations)), [f"{rho:g}".replace("-", "−") for rho in correlations])
    ax.set_ylim(limits)
    return keys


def _draw_truth(ax: Axes, truths: np.ndarray, limits: tuple[float, float]):
    """Draw the true value of each correlation as a horizontal line; return the legend key."""
    x = np.arange(len(truths))
    draw_heads(ax, x, truths, limits, "black", ax.transData)
    return ax.hlines(truths, x - 0.45, x + 0.45, color="black", linewidth=0.8, zorder=1)


def _limits(summary: pd.DataFrame) -> tuple[float, float]:
    """Return the ends of the axis of estimates, see `draw`."""
    truths = summary.loc[summary["series"] == "truth", "mean"]
    means = summary.loc[summary["series"] != "truth", "mean"]
    top = min(truths.max(), max(means.max(), truths.quantile(0.75)))
    return max(-0.5 * top, min(means.min(), 0) - 0.1 * top), 1.1 * top
