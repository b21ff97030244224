"""The figure of the experiment `dependence`: a heat map for the true value and for each method."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .experiment_panels import LABELS, over_replicates

NAMES = {"linear": "x", "cubic": "x³", "sine": "sin x"}
COLOR_MAP = "viridis"
DARK = 0.55  # of the scale; numbers on darker cells are white


def draw(rows: pd.DataFrame) -> Figure:
    """Means over replicates by function and noise, in colour and in numbers, with half of their 95 % intervals.

    All maps have one scale, from zero to the largest finite true value; what is larger has the colour of its end.
    """
    summary = over_replicates(rows)
    series = ["truth", *(name for name in summary["series"].unique() if name != "truth")]
    truths = summary.loc[(summary["series"] == "truth") & np.isfinite(summary["mean"]), "mean"]
    figure = Figure()
    figure.set_figheight(0.6 + 0.95 * len(series))
    axes = np.ravel(figure.subplots(len(series), 1, sharex=True))
    for ax, name in zip(axes, series, strict=True):
        image = _draw_map(ax, summary[summary["series"] == name], truths.max())
        ax.set_title(LABELS[name])
    axes[-1].set_xlabel("standard deviation σ of the noise")
    figure.colorbar(image, ax=axes, extend="max", aspect=40, label="mutual information (nats)").outline.set_linewidth(0)
    return figure


def _draw_map(ax: Axes, of_series: pd.DataFrame, largest: float):
    """One map; returns its image."""
    functions, noises = list(of_series["panel"].unique()), sorted(of_series["x"].unique())
    means, halves = (
        of_series.pivot(index="panel", columns="x", values=column).loc[functions, noises].to_numpy()
        for column in ("mean", "half")
    )
    image = ax.imshow(np.minimum(means, largest), cmap=COLOR_MAP, vmin=0, vmax=largest, aspect="auto")
    for (row, column), mean in np.ndenumerate(means):
        color = "white" if mean < DARK * largest else "black"
        ax.text(column, row, _words(mean, halves[row, column]), color=color, fontsize=4.5, ha="center", va="center")
    ax.set_yticks(range(len(functions)), [NAMES[name] for name in functions])
    ax.set_xticks(range(len(noises)), [f"{noise:g}" for noise in noises])
    ax.grid(False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return image


def _words(mean: float, half: float) -> str:
    if np.isnan(mean):
        return "–"
    if np.isinf(mean):
        return "∞"
    return f"{mean:z.2f}" if np.isnan(half) else f"{mean:z.2f} ± {half:.2f}"
