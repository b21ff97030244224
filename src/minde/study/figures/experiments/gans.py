"""The figure of the experiment `gans`: data, samples of a GAN and of GAN + MINE, and how well they cover the modes."""

import pandas as pd
from matplotlib.figure import Figure

from .scatter import SERIES, dots, scatter

PATTERNS = {"gaussians": ("25 Gaussians", "modes"), "spiral": ("spiral", "arcs")}
"""Title of each data set, and the parts of it that are covered or not."""


def draw(rows: pd.DataFrame) -> Figure:
    """Draw a line of panels for each data set: three scatter plots of the first replicate, two measures of all."""
    figure, patterns = Figure(), list(rows["panel"].unique())
    figure.set_figheight(0.15 + 1.25 * len(patterns))
    axes = figure.subplots(len(patterns), 5, squeeze=False)
    for line, pattern in zip(axes, patterns, strict=True):
        data, parts = PATTERNS[pattern]
        pattern_rows = rows[rows["panel"] == pattern]
        points = pattern_rows[pattern_rows["quantity"] == "point"]
        titles = {"data": data, "gan": "GAN", "mine": "GAN + MINE"}
        for ax, (series, title) in zip(line, titles.items(), strict=False):
            scatter(ax, points[points["series"] == series], title, SERIES[series][1])
        dots(line[3], pattern_rows, "modes", f"{parts} covered, of 25", 25)
        dots(line[4], pattern_rows, "high_quality", "share within 3σ", 1)
    return figure
