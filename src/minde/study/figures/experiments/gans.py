"""The figure of the experiment `gans`: data, samples of a GAN and of GAN + MINE, and how well they cover the modes."""

import pandas as pd
from matplotlib.figure import Figure

from .scatter import SERIES, dots, scatter

TITLES = {"gaussians": "25 Gaussians", "spiral": "spiral"}


def draw(rows: pd.DataFrame) -> Figure:
    """A line of panels for each data set: three scatter plots of the first replicate, two measures of all."""
    figure, patterns = Figure(), list(rows["panel"].unique())
    figure.set_figheight(0.15 + 1.25 * len(patterns))
    axes = figure.subplots(len(patterns), 5, squeeze=False)
    for line, panel in zip(axes, patterns, strict=True):
        of_panel = rows[rows["panel"] == panel]
        points = of_panel[of_panel["quantity"] == "point"]
        for ax, name in zip(line, ("data", "gan", "mine"), strict=False):
            label, color, _ = SERIES[name]
            title = TITLES[panel] if name == "data" else "GAN" if name == "gan" else f"GAN {label}"
            scatter(ax, points[points["series"] == name], title, color)
        dots(line[3], of_panel, "modes", "modes covered, of 25", 25)
        dots(line[4], of_panel, "high_quality", "share within 3σ", 1)
    return figure
