"""The figure of the experiment `estimation`: estimates against the correlation, a panel per number of coordinates."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .experiment_panels import LABELS, SERIES_COLORS, SERIES_MARKERS, over_replicates
from .panels import AXIS_LABEL, TRUTH_STYLE, draw_heads

WIDEST = 0.012  # between the points of two series at one correlation, which stand side by side


def draw(rows: pd.DataFrame) -> Figure:
    """Means over replicates with their 95 % intervals, and the true value.

    Every panel reaches from a little below zero to a little above the true value at the second largest correlation, or
    to the largest mean if that is less; an arrowhead on the edge is a mean further out.
    """
    summary, panels = over_replicates(rows), list(rows["panel"].unique())
    figure, keys = Figure(), {}
    figure.set_figheight(2.5)
    for ax, panel in zip(np.ravel(figure.subplots(1, len(panels))), panels, strict=True):
        of_panel = summary[summary["panel"] == panel]
        keys |= _draw_panel(ax, of_panel)
        ax.set_title(f"{panel} + {panel} coordinate{'s' if panel != '1' else ''}")
    figure.supxlabel("correlation ρ of each pair of coordinates", fontsize="medium")
    figure.supylabel(AXIS_LABEL, fontsize="medium")
    figure.legend(keys.values(), [LABELS[name] for name in keys], loc="outside upper center", ncols=5)
    return figure


def _draw_panel(ax: Axes, of_panel: pd.DataFrame) -> dict:
    """One number of coordinates; returns the legend's keys by series."""
    dim = int(of_panel["panel"].iloc[0])
    methods = [name for name in of_panel["series"].unique() if name != "truth"]
    keys = {"truth": _draw_truth(ax, dim, of_panel["x"])}
    for number, name in enumerate(methods):
        values = of_panel[of_panel["series"] == name].sort_values("x")
        style = {"color": SERIES_COLORS[name], "marker": SERIES_MARKERS[name], "elinewidth": 0.5, "linewidth": 0.5}
        x = values["x"].to_numpy() + WIDEST * (number - (len(methods) - 1) / 2)
        keys[name] = ax.errorbar(x, values["mean"], values["half"], **style)
    limits = _limits(of_panel)
    for name in methods:
        values = of_panel[of_panel["series"] == name]
        draw_heads(ax, values["x"].to_numpy(), values["mean"].to_numpy(), limits, SERIES_COLORS[name], ax.transData)
    ax.set_ylim(limits)
    return keys


def _draw_truth(ax: Axes, dim: int, correlations: pd.Series):
    """The true value as a curve, between the outermost correlations."""
    rho = np.linspace(correlations.min(), correlations.max(), 400)
    return ax.plot(rho, -0.5 * dim * np.log1p(-(rho**2)), **TRUTH_STYLE)[0]


def _limits(of_panel: pd.DataFrame) -> tuple[float, float]:
    truths = of_panel.loc[of_panel["series"] == "truth", "mean"]
    means = of_panel.loc[of_panel["series"] != "truth", "mean"]
    top = 1.1 * min(truths.max(), max(means.max(), truths.quantile(0.75)))
    return -0.12 * top, top
