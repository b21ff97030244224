"""The figure of the experiment `bigan`: samples, reconstructions, and numbers."""

import pandas as pd
from matplotlib.figure import Figure

from .scatter import SERIES, dots, scatter


def draw(rows: pd.DataFrame) -> Figure:
    """Draw samples, reconstructions and measures.

    Top: samples of data and models; bottom: the models' reconstructions of the data; right: four measures.
    """
    figure = Figure()
    figure.set_figheight(2.75)
    axes = figure.subplots(2, 5)
    points = rows[rows["quantity"] == "point"]
    scatter(axes[0, 0], _select(points, "samples", "data"), "data", SERIES["data"][1])
    for column, name in ((1, "bigan"), (2, "mine")):
        title = "BiGAN" if name == "bigan" else "BiGAN + MINE"
        scatter(axes[0, column], _select(points, "samples", name), title, SERIES[name][1])
        scatter(axes[1, column], _select(points, "reconstructions", name), "reconstructions", SERIES[name][1])
    dots(axes[0, 3], rows, "modes", "modes covered, of 25", 25)
    dots(axes[0, 4], rows, "high_quality", "share within 3σ", 1)
    dots(axes[1, 3], rows, "reconstruction", "reconstruction error")
    dots(axes[1, 4], rows, "information", "I(x; code), nats")
    axes[1, 0].remove()
    return figure


def _select(points: pd.DataFrame, panel: str, series: str) -> pd.DataFrame:
    return points[(points["panel"] == panel) & (points["series"] == series)]
