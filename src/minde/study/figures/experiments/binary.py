"""The figure of the experiment `binary`: the information plane along training, and the test error."""

import itertools

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from ..panels import TRUTH_STYLE

MARKERS = "osD^vP*"


def draw(rows: pd.DataFrame) -> Figure:
    """Draw the path of every layer in the plane (left; mean over replicates, coloured by epoch), the error (right)."""
    figure = Figure()
    figure.set_figheight(2.5)
    plane, error = figure.subplots(1, 2, width_ratios=[2.2, 1])
    exact = rows.loc[rows["series"] == "truth", "value"].iloc[0]
    mean = rows[rows["x"].notna()].groupby(["panel", "series", "x"])["value"].mean()
    epochs = np.sort(rows["x"].dropna().unique())
    shade = LogNorm(1, epochs[-1] + 1)
    layers = sorted((s for s in rows["series"].unique() if s.startswith("layer")), key=lambda s: int(s.split()[1]))
    for layer, marker in zip(layers, itertools.cycle(MARKERS), strict=False):
        x, y = (mean[panel][layer].reindex(epochs) for panel in ("input", "label"))
        plane.plot(x, y, color="#BBBBBB", linewidth=0.5, zorder=1)
        shown = plane.scatter(
            x, y, c=epochs + 1, norm=shade, cmap="viridis", marker=marker, s=9, linewidths=0, zorder=2
        )
        name = f"{layer}, output" if layer == layers[-1] else layer
        plane.plot([], [], marker, color="#666666", label=name)
    plane.axhline(exact, **TRUTH_STYLE)
    plane.annotate("I(X; Y)", (0.1, exact), xytext=(0, 2), textcoords="offset points", fontsize=5.5)
    plane.legend(loc="lower right")
    plane.set_xlabel("I(X; T), bits")
    plane.set_ylabel("I(T; Y), bits")
    plane.set_xlim(0, 12.8)
    plane.set_ylim(0, 1.08)
    figure.colorbar(shown, ax=plane, label="epoch + 1", pad=0.01)
    for _, curve in rows[rows["panel"] == "error"].groupby("replicate"):
        error.plot(curve["x"] + 1, curve["value"], color="#0072B2", linewidth=0.5, alpha=0.6)
    error.set_xscale("log")
    error.set_ylim(0, 0.6)
    error.set_xlabel("epoch + 1")
    error.set_ylabel("share of test patterns misclassified")
    return figure
