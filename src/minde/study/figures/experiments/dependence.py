"""The figure of the experiment `dependence`: a heat map for the true value and for each method."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .series import LABELS, over_replicates

NAMES = {"linear": "x", "cubic": "x³", "sine": "sin x"}
COLOR_MAP = "viridis"
DARK = 0.55  # of the scale; numbers on darker cells are white
INFINITE = {"facecolor": "#F7F7F7", "edgecolor": "#DDDDDD", "hatch": "////", "linewidth": 0}


def draw(rows: pd.DataFrame) -> Figure:
    """Draw means over replicates by function and noise, as colours and numbers, with half-widths of 95 % intervals.

    All maps share one scale, from zero to the largest finite true value; larger values have the colour of its end.
    Cells with an infinite true value have no colour, since no estimate can be right.
    """
    summary = over_replicates(rows)
    series = ["truth", *(name for name in summary["series"].unique() if name != "truth")]
    truths = summary[summary["series"] == "truth"].set_index(["panel", "x"])["mean"]
    figure = Figure()
    figure.set_figheight(0.6 + 0.95 * len(series))
    axes = np.ravel(figure.subplots(len(series), 1, sharex=True))
    for ax, name in zip(axes, series, strict=True):
        image = _draw_map(ax, summary[summary["series"] == name], truths)
        ax.set_title(LABELS[name])
    axes[-1].set_xlabel("standard deviation σ of the noise")
    figure.colorbar(image, ax=axes, extend="max", aspect=40, label="mutual information (nats)").outline.set_linewidth(0)
    return figure


def _draw_map(ax: Axes, series: pd.DataFrame, truths: pd.Series):
    """Draw one map and return its image; `truths` is indexed by panel and x."""
    functions, noises = list(truths.index.unique("panel")), sorted(truths.index.unique("x"))
    largest, by_cell = truths[np.isfinite(truths)].max(), series.set_index(["panel", "x"]).reindex(truths.index)
    means, halves, infinite = (
        values.unstack("x").loc[functions, noises].to_numpy()
        for values in (by_cell["mean"], by_cell["half"], np.isinf(truths))
    )
    colored = np.ma.masked_where(infinite | np.isnan(means), means)
    image = ax.imshow(colored, cmap=COLOR_MAP, vmin=0, vmax=largest, aspect="auto")
    for (row, column), mean in np.ndenumerate(means):
        if infinite[row, column]:
            ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **INFINITE))
        color = "white" if mean < DARK * largest and not infinite[row, column] else "black"
        size = 8 if np.isinf(mean) else 4.5
        ax.text(column, row, _text(mean, halves[row, column]), color=color, fontsize=size, ha="center", va="center")
    ax.set_yticks(range(len(functions)), [NAMES[name] for name in functions])
    ax.set_xticks(range(len(noises)), [f"{noise:g}" for noise in noises])
    ax.grid(False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return image


def _text(mean: float, half: float) -> str:
    if np.isnan(mean):
        return "–"
    if np.isinf(mean):
        return "∞"
    return f"{mean:z.2f}" if np.isnan(half) else f"{mean:z.2f} ± {half:.2f}"
