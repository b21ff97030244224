"""The figure of the experiment `estimation`: estimates against the correlation, a panel per number of coordinates."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .experiment_panels import LABELS, SERIES_COLORS, SERIES_MARKERS, over_replicates
from .panels import AXIS_LABEL, TRUTH_STYLE, draw_heads

APART = 0.025  # between the points of two series at one correlation, which stand side by side


def draw(rows: pd.DataFrame) -> Figure:
    """Means over replicates with their 95 % intervals, and the true value.

    Every panel ends at the largest of the means and of the true values of three correlations in four, or at the largest
    true value if that is less, and begins as far below zero as it takes to see what is there; an arrowhead on the edge
    is a mean further out.
    """
    summary, panels = over_replicates(rows), list(rows["panel"].unique())
    figure, keys = Figure(), {}
    figure.set_figheight(2.5)
    for ax, panel in zip(np.ravel(figure.subplots(1, len(panels))), panels, strict=True):
        of_panel = summary[summary["panel"] == panel]
        keys |= _draw_panel(ax, of_panel)
        ax.set_title(f"{panel} + {panel} coordinates")
    figure.supxlabel("correlation ρ of each pair of coordinates", fontsize="medium")
    figure.supylabel(AXIS_LABEL, fontsize="medium")
    figure.legend(keys.values(), [LABELS[name] for name in keys], loc="outside upper center", ncols=5)
    return figure


def _draw_panel(ax: Axes, of_panel: pd.DataFrame) -> dict:
    """One number of coordinates; returns the legend's keys by series."""
    dim = int(of_panel["panel"].iloc[0])
    methods = [name for name in of_panel["series"].unique() if name != "truth"]
    keys, limits = {"truth": _draw_truth(ax, dim, of_panel["x"])}, _limits(of_panel)
    for number, name in enumerate(methods):
        values = of_panel[of_panel["series"] == name].sort_values("x")
        color, means = SERIES_COLORS[name], values["mean"].to_numpy()
        x = values["x"].to_numpy() + APART * (number - (len(methods) - 1) / 2)
        style = {"color": color, "marker": SERIES_MARKERS[name], "linestyle": "none", "elinewidth": 0.6}
        keys[name] = ax.errorbar(x, means, values["half"], **style)
        draw_heads(ax, x, means, limits, color, ax.transData)
    ax.set_ylim(limits)
    return keys


def _draw_truth(ax: Axes, dim: int, correlations: pd.Series):
    """The true value as a curve, between the outermost correlations."""
    rho = np.linspace(correlations.min(), correlations.max(), 400)
    return ax.plot(rho, -0.5 * dim * np.log1p(-(rho**2)), **TRUTH_STYLE)[0]


def _limits(of_panel: pd.DataFrame) -> tuple[float, float]:
    """Ends of the axis of estimates, see `draw`."""
    truths = of_panel.loc[of_panel["series"] == "truth", "mean"]
    means = of_panel.loc[of_panel["series"] != "truth", "mean"]
    top = min(truths.max(), max(means.max(), truths.quantile(0.75)))
    return max(-0.5 * top, min(means.min(), 0) - 0.1 * top), 1.1 * top
