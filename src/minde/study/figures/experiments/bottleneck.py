"""The figure of the experiment `bottleneck`: test error and information against beta, and the information plane."""

import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..panels import COLORS
from .series import below, over_replicates

ESTIMATES = {
    "mine": ("I(X; Z), MINE", COLORS["mine"], "P"),
    "mixture": ("I(X; Z), mixture", "#333333", "o"),
    "label": ("I(Z; Y), lower bound", "#0072B2", "s"),
}


def draw(rows: pd.DataFrame) -> Figure:
    """Draw means over replicates with their 95 % intervals; the points of the information plane are the betas."""
    summary, figure = over_replicates(rows), Figure()
    figure.set_figheight(2.5)
    error, information, plane = figure.subplots(1, 3)
    betas = sorted(summary["x"].unique())
    _by_beta(error, summary[summary["series"] == "error"], betas, "test error", "#D55E00", "o")
    error.set_ylabel("share of test images misclassified")
    error.set_ylim(0, None)
    for name, (label, color, marker) in ESTIMATES.items():
        _by_beta(information, summary[summary["series"] == name], betas, label, color, marker)
    information.set_ylabel("mutual information (nats)")
    information.set_ylim(below(summary.loc[summary["series"].isin(ESTIMATES), "mean"]), None)
    figure.legend(*information.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    x, y = (summary[summary["series"] == name].set_index("x")["mean"] for name in ("mixture", "label"))
    plane.plot(x, y, color="#BBBBBB", linewidth=0.5, zorder=1)
    for place, beta in enumerate(betas):
        shade = colormaps["viridis"](place / max(len(betas) - 1, 1))
        plane.plot(x[beta], y[beta], "o", color=shade, markersize=3.5, label=f"β = {beta:g}")
    plane.legend(loc="lower right")
    plane.set_xlabel("I(X; Z), mixture (nats)")
    plane.set_ylabel("I(Z; Y), lower bound (nats)")
    plane.set_xlim(below(x), None)
    plane.set_ylim(below(y), None)
    return figure


def _by_beta(ax: Axes, series: pd.DataFrame, betas: list[float], label: str, color: str, marker: str) -> None:
    """Draw one measure at equally spaced betas, since 0 has no place on a logarithmic axis."""
    found = series.set_index("x").loc[betas]
    ax.errorbar(
        range(len(betas)), found["mean"], found["half"], label=label, color=color, marker=marker, elinewidth=0.5
    )
    ax.set_xticks(range(len(betas)), [f"{beta:g}" for beta in betas])
    ax.set_xlabel("β")
