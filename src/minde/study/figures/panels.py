"""Shared parts of figures: colours, markers, a small panel per task, and axes centred on the true mutual information.

The truth is in the middle of every panel and the axis of estimates extends equally to both sides. Values outside are
shown by an arrowhead on the edge, so that a method with a large error does not flatten the others.
"""

import math
import textwrap
from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from ..rows import TRUTH_LABEL, formula_of, row_label
from ..selection import tasks_in_order
from ..task_labels import label_of

COLUMNS = 4  # of panels, at most
SMALLEST_SCALE = 0.1  # nats; a fraction of a truth near 0 would be too small for an axis
TRUTH_STYLE = {"color": "black", "linewidth": 0.8, "linestyle": (0, (4, 2)), "zorder": 1}
AXIS_LABEL = "mutual information (nats)"
TRUTH_KEY = f"{TRUTH_LABEL} (true value)"

# A colour per method, distinct for colour-blind readers (Okabe and Ito's, then darker and lighter ones), and a marker
# for print without colour: by estimator if a method has several, else by method; methods that do not train have none.
COLORS = {
    "minde-j": "#0072B2",
    "minde-c": "#D55E00",
    "mine": "#009E73",
    "mine-torch": "#6CC5A1",
    "infonce": "#CC79A7",
    "dv": "#56B4E9",
    "nwj": "#E69F00",
    "ksg": "#666666",
    "lnn": "#B5A800",
    "kde": "#333300",
    "cca": "#8C4A2F",
    "doe-gaussian": "#5D3A9B",
    "doe-logistic": "#A98BD6",
}
MARKERS = {
    "inside": "s",
    "gap": "D",
    "mine": "P",
    "mine-torch": "v",
    "infonce": "*",
    "dv": "h",
    "nwj": "X",
    "doe-gaussian": "d",
    "doe-logistic": "p",
}
SIGMA_MARKER = "o"
LINES = {"sigma": (0, (1, 1)), "gap": (0, (4, 1))}  # by formula, else solid
DASHES = ((0, (1, 1)), (0, (3, 1, 1, 1)), (0, (6, 1)), (0, (1, 3)))  # of methods that do not train, in order


def panels(figure: Figure, estimates: pd.DataFrame, height: float, **share) -> Iterator[tuple[Axes, pd.DataFrame]]:
    """Yield one titled panel (height in inches) per task with its estimates, and set the height of the figure."""
    tasks = tasks_in_order(estimates)
    columns = min(len(tasks), COLUMNS)
    lines = math.ceil(len(tasks) / columns)
    figure.set_figheight(0.5 + lines * height)
    axes = figure.subplots(lines, columns, squeeze=False, **share).flat
    for ax, task_id in zip(axes, tasks, strict=False):
        ax.set_title(textwrap.fill(label_of(task_id), 24))
        yield ax, estimates[estimates["task"] == task_id]
    for ax in axes[len(tasks) :]:
        ax.remove()
    if lines > 1 and share.get("sharex"):  # tick labels above the removed panels
        for ax in axes[(lines - 1) * columns - (lines * columns - len(tasks)) : (lines - 1) * columns]:
            ax.tick_params(labelbottom=True)


def estimates_of(estimates: pd.DataFrame, row: tuple[str, str]) -> pd.DataFrame:
    """Return the estimates of one (method, estimator)."""
    return estimates[(estimates["method"] == row[0]) & (estimates["estimator"] == row[1])]


def style_of(row: tuple[str, str]) -> dict:
    """Return colour, marker and line style of one (method, estimator)."""
    method, estimator = row
    return {
        "color": COLORS[method],
        "marker": MARKERS.get(estimator, SIGMA_MARKER),
        "linestyle": LINES.get(formula_of(estimator), "-"),
    }


def limits_about(truth: float, reach: float) -> tuple[float, float]:
    """Return the ends of an axis: a tenth beyond its outer ticks, which are at distance `reach` from the truth."""
    return truth - 1.1 * reach, truth + 1.1 * reach


def middle_of(estimates: pd.DataFrame) -> float:
    """Return the middle of a task's axis: the truth, or the median estimate if unknown, or 0 without estimates."""
    candidates = (estimates["mi_true"].iloc[0], estimates["estimate"].median(), 0.0)
    return float(next(middle for middle in candidates if not pd.isna(middle)))


def draw_truth(ax: Axes, estimates: pd.DataFrame, keys: dict[str, Artist]) -> None:
    """Draw a horizontal line at a task's true value, if known, and add its legend key."""
    truth = estimates["mi_true"].iloc[0]
    if not pd.isna(truth):
        keys.setdefault(TRUTH_KEY, ax.axhline(truth, **TRUTH_STYLE))


def scale_of(truth: float) -> float:
    """Return the scale of errors: the truth, but at least a tenth of a nat."""
    return max(abs(truth), SMALLEST_SCALE)


def reach_of(values: pd.Series, truth: float) -> float:
    """Return how far an axis extends from the truth to show most values.

    It is 1.3 times the 80% quantile of their errors, between a tenth of the truth and the truth.
    """
    wanted = 1.3 * float((values - truth).abs().quantile(0.8)) if len(values) else 0.0
    return float(np.clip(wanted, 0.1 * scale_of(truth), scale_of(truth)))


def ticks(limits: tuple[float, float]) -> tuple[list[float], list[str]]:
    """Return positions and labels of three ticks: the truth, and the reach on both sides."""
    truth, reach = np.mean(limits), (limits[1] - limits[0]) / 2.2
    positions = [truth - reach, truth, truth + reach]
    return positions, [f"{position:z.2f}" for position in positions]


def draw_line(
    ax: Axes, x: np.ndarray, values: pd.DataFrame, row: tuple[str, str], limits: tuple[float, float]
) -> Artist:
    """Draw means with bars of their standard deviation (`values`: mean, std) over x; return the legend key."""
    color, means = COLORS[row[0]], values["mean"].to_numpy()
    # Pale bars, since those of many rows would hide the means.
    key = ax.errorbar(x, means, values["std"], **style_of(row), elinewidth=0.5, ecolor=to_rgba(color, 0.45))
    draw_heads(ax, x, means, limits, color, ax.transData)
    return key


def draw_band(
    ax: Axes, x: np.ndarray, values: pd.DataFrame, row: tuple[str, str], limits: tuple[float, float]
) -> Artist:
    """Draw like `draw_line`, with a pale band instead of bars.

    Rows with a large deviation then do not hide the others.
    """
    color, means, deviations = COLORS[row[0]], values["mean"].to_numpy(), values["std"].to_numpy()
    (key,) = ax.plot(x, means, **style_of(row))
    ax.fill_between(x, means - deviations, means + deviations, color=color, alpha=0.1, linewidth=0, zorder=1)
    draw_heads(ax, x, means, limits, color, ax.transData)
    return key


def draw_heads(ax: Axes, x: np.ndarray, means: np.ndarray, limits: tuple[float, float], color: str, transform) -> None:
    """Draw arrowheads on the edges for means beyond them."""
    for out, edge, head in outside(means, limits, "v^"):
        ax.plot(x[out], np.full(out.sum(), edge), head, color=color, transform=transform, clip_on=False)


def outside(values: np.ndarray, limits: tuple[float, float], heads: str) -> Iterator[tuple[np.ndarray, float, str]]:
    """Yield, for each edge with values beyond it, which values, the position of the edge, and the arrowhead."""
    for out, edge, head in zip((values < limits[0], values > limits[1]), limits, heads, strict=True):
        if out.any():
            yield out, edge, head


def log_axis(ax: Axes, positions: list[float], labels: Iterable[str]) -> None:
    """Make a log axis with a tick at each position, if any, and room for dodged points at both ends."""
    ax.set_xscale("log")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(positions, labels)
    if positions:
        ax.set_xlim(positions[0] / 1.5, positions[-1] * 1.5)


def label_axes(figure: Figure, x_label: str, below: str = "") -> None:
    """Label both axes, with small print below the horizontal one."""
    text = x_label + ("\n" + textwrap.fill(below, 130) if below else "")
    figure.supxlabel(text, fontsize=5.5 if below else "medium")
    figure.supylabel(AXIS_LABEL, fontsize="medium")


def label_rows(ax: Axes, rows: list[tuple[str, str]], limits: tuple[float, float]) -> None:
    """Set the axes of a panel with estimates along x and a line for each row, the first on top."""
    ax.set_xlim(limits)
    ax.set_xticks(*ticks(limits))
    ax.set_yticks(range(len(rows)), [row_label(*row) for row in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)


def add_legend(figure: Figure, keys: dict, rows: list[tuple[str, str]]) -> None:
    """Add a legend above the panels, in the order of the rows."""
    order = [TRUTH_KEY, *(row_label(*row) for row in rows)]
    labels = [label for label in dict.fromkeys(order) if label in keys]
    figure.legend([keys[label] for label in labels], labels, loc="outside upper center", ncols=4)
