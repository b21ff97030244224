"""Shared parts of the GANs' figures: scatter plots of samples, and measures of every replicate."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ..panels import COLORS
from .series import below

SERIES = {
    "data": ("data", "#333333", "o"),
    "gan": ("GAN", "#D55E00", "s"),
    "bigan": ("BiGAN", "#D55E00", "s"),
    "mine": ("+ MINE", COLORS["mine"], "P"),
}
"""Name, colour and marker of each series."""


def scatter(ax: Axes, points: pd.DataFrame, title: str, color: str) -> None:
    """Draw samples in the plane, in a square that contains the outermost modes of the data."""
    ax.scatter(points["x"], points["y"], s=1.6, color=color, alpha=0.5, linewidths=0, rasterized=True)
    ax.set_title(title)
    ax.set_xlim(-5.2, 5.2)
    ax.set_ylim(-5.2, 5.2)
    ax.set_xticks([-4, 0, 4])
    ax.set_yticks([-4, 0, 4])
    ax.set_aspect("equal")


def dots(ax: Axes, rows: pd.DataFrame, quantity: str, label: str, top: float | None = None) -> None:
    """Draw a dot for every replicate of every series and a bar at their mean, which the tick label repeats.

    The axis begins at 0, or below the smallest value, and ends at `top`, or above the largest value.
    """
    shown = rows[rows["quantity"] == quantity]
    names = [name for name in SERIES if name in set(shown["series"])]
    ticks = []
    for place, name in enumerate(names):
        text, color, marker = SERIES[name]
        values = shown.loc[shown["series"] == name, "value"].to_numpy()
        shift = np.linspace(-0.15, 0.15, len(values)) if len(values) > 1 else np.zeros(1)
        ax.plot(place + shift, values, marker, color=color, clip_on=False)
        ax.plot([place - 0.3, place + 0.3], [values.mean()] * 2, color=color)
        ticks.append(f"{text}\n{values.mean():{'.0f' if values.mean() >= 100 else '.3g'}}")
    ax.set_xlim(-0.6, len(names) - 0.4)
    ax.set_xticks(range(len(names)), ticks)
    bottom = below(shown["value"])
    ax.set_ylim(bottom, top or max(1.1 * shown["value"].max(), bottom + 1e-9, 0))
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.set_title(label)
    ax.grid(axis="x", visible=False)
