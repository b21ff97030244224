"""The spread over replicates and the training-size figure: a small panel per task, drawn with one style sheet.

The true mutual information lies in the middle of every panel and the axis of estimates reaches equally far (as a
fraction of the truth) to both sides, so panels compare at a glance. What lies outside is shown by an arrowhead on the
edge: a method that is far off must not flatten the rest.
"""

import math
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from .files import atomic
from .rows import TRUTH_LABEL, row_label
from .selection import at_train_size, check_finite, rows_in_order, tasks_in_order
from .tasks import task

STYLE = Path(__file__).with_name("paper.mplstyle")
SPREAD_REACH = 0.5  # how far the axis of estimates reaches from the truth, as a fraction of it
TRAINING_SIZE_REACH = 1.0  # more, because small train sizes err more
TRUTH_STYLE = {"color": "black", "linewidth": 0.8, "linestyle": (0, (4, 2)), "zorder": 1}
AXIS_LABEL = "mutual information (nats)"

# A colour per method, apart for the colour-blind (Okabe and Ito's, then darker and lighter ones), and a marker for
# those who see no colour: by estimator where a method has several, else by method; those without one do not train.
COLORS = {
    "minde-j": "#0072B2",
    "minde-c": "#D55E00",
    "mine": "#009E73",
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
    "infonce": "*",
    "dv": "h",
    "nwj": "X",
    "doe-gaussian": "d",
    "doe-logistic": "p",
}
SIGMA_MARKER = "o"

# Times and versions would make the same figure differ from one run or machine to the next.
METADATA = {".pdf": {"CreationDate": None, "Producer": None, "Creator": None}, ".png": {"Software": None}}


def write_figure(name: str, estimates: pd.DataFrame, paths: Iterable[str | Path]) -> None:
    """Draw a figure of FIGURES and write it to every path (.pdf or .png): same estimates, same bytes.

    Raises:
        ValueError: the figure or the kind of file is unknown, or the estimates are not complete and finite.
    """
    if name not in FIGURES:
        raise ValueError(f"unknown figure {name!r}; known: {', '.join(FIGURES)}")
    paths = [Path(path) for path in paths]
    for path in paths:
        if path.suffix not in METADATA:
            raise ValueError(f"{path}: no figure can be written as {path.suffix!r}; expected .pdf or .png")
    # Reset first: whatever the reader's own matplotlibrc says, the figure is the same.
    with matplotlib.style.context(STYLE, after_reset=True):
        figure = FIGURES[name](estimates)
        for path in paths:
            with atomic(path) as temporary:
                figure.savefig(temporary, format=path.suffix[1:], metadata=METADATA[path.suffix])


def spread(estimates: pd.DataFrame) -> Figure:
    """Every replicate's estimate per row and task at the largest train size, over a bar of mean ± std.

    Raises:
        ValueError: an estimate is NaN or infinite, a row lacks a task, or a method or task is unknown.
    """
    shown = at_train_size(estimates)
    rows = rows_in_order(shown)
    figure = Figure()
    for ax, of_task in _panels(figure, shown, panel_height=0.4 + 0.105 * len(rows), sharey=True):
        limits = _limits(of_task, SPREAD_REACH)
        for position, row in enumerate(rows):
            values = _of_row(of_task, row).sort_values("replicate")["estimate"].to_numpy()
            _draw_replicates(ax, values, position, COLORS[row[0]], limits)
        ax.axvline(np.mean(limits), **TRUTH_STYLE)
        ax.set_xlim(limits)
        ax.set_xticks(*_ticks(limits))
        ax.set_yticks(range(len(rows)), [row_label(*row) for row in rows])
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.tick_params(axis="y", length=0)
    figure.supxlabel(AXIS_LABEL, fontsize="medium")
    return figure


def training_size(estimates: pd.DataFrame) -> Figure:
    """Mean ± std over replicates against the train size; a row that uses no training samples is a horizontal line.

    Raises:
        ValueError: an estimate is NaN or infinite, or a method or task is unknown.
    """
    check_finite(estimates)
    rows = rows_in_order(estimates)
    sizes = sorted(set(estimates["train_size"]) - {0})
    figure = Figure()
    for ax, of_task in _panels(figure, estimates, panel_height=1.3, sharex=True):
        limits = _limits(of_task, TRAINING_SIZE_REACH)
        keys = {f"{TRUTH_LABEL} (true value)": ax.axhline(np.mean(limits), **TRUTH_STYLE)}
        for position, row in enumerate(rows):
            dodge = 1.03 ** (position - (len(rows) - 1) / 2)  # so that error bars of one size stand side by side
            keys[row_label(*row)] = _draw_curve(ax, _of_row(of_task, row), row, limits, dodge)
        ax.set_ylim(limits)
        ax.set_yticks(*_ticks(limits))
        _log_axis_of_sizes(ax, sizes)
    figure.supxlabel("training samples (thousands)", fontsize="medium")
    figure.supylabel(AXIS_LABEL, fontsize="medium")
    figure.legend(keys.values(), keys.keys(), loc="outside upper center", ncols=4)
    return figure


FIGURES = {"spread": spread, "training-size": training_size}


def _panels(
    figure: Figure, estimates: pd.DataFrame, panel_height: float, **share
) -> Iterator[tuple[Axes, pd.DataFrame]]:
    """Yield one titled panel (height in inches) per task with its estimates; sets the height of the figure."""
    tasks = tasks_in_order(estimates)
    columns = min(len(tasks), 4)
    lines = math.ceil(len(tasks) / columns)
    figure.set_figheight(0.5 + lines * panel_height)
    axes = figure.subplots(lines, columns, squeeze=False, **share).flat
    for ax, task_id in zip(axes, tasks, strict=False):
        ax.set_title(textwrap.fill(task(task_id).label, 24))
        yield ax, estimates[estimates["task"] == task_id]
    for ax in axes[len(tasks) :]:
        ax.remove()


def _of_row(estimates: pd.DataFrame, row: tuple[str, str]) -> pd.DataFrame:
    return estimates[(estimates["method"] == row[0]) & (estimates["estimator"] == row[1])]


def _limits(of_task: pd.DataFrame, reach: float) -> tuple[float, float]:
    truth = of_task["mi_true"].iloc[0]
    return truth * (1 - 1.1 * reach), truth * (1 + 1.1 * reach)  # a tenth beyond the outer ticks


def _ticks(limits: tuple[float, float]) -> tuple[list[float], list[str]]:
    """Positions and labels of three ticks: the truth, and the reach of the axis on both sides."""
    truth, reach = np.mean(limits), (limits[1] - limits[0]) / 2.2
    positions = [truth - reach, truth, truth + reach]
    return positions, [f"{position:z.2f}" for position in positions]


def _draw_replicates(ax: Axes, values: np.ndarray, position: int, color: str, limits: tuple[float, float]) -> None:
    """Points of one row about y = position, the replicates from top to bottom, over a bar of mean ± std."""
    if len(values) > 1:
        mean, std = values.mean(), values.std(ddof=1)
        ax.barh(position, 2 * std, 0.7, mean - std, color=color, alpha=0.3, linewidth=0)
    heights = position + (np.linspace(-0.25, 0.25, len(values)) if len(values) > 1 else np.zeros(1))
    inside = (values >= limits[0]) & (values <= limits[1])
    ax.plot(values[inside], heights[inside], "o", color=color, markersize=1.8)
    for out, edge, head in _outside(values, limits, "<>"):
        ax.plot(np.full(out.sum(), edge), heights[out], head, color=color, markersize=1.8, clip_on=False)


def _draw_curve(
    ax: Axes, estimates: pd.DataFrame, row: tuple[str, str], limits: tuple[float, float], dodge: float
) -> Artist:
    """One row against the train size, or a horizontal line where it uses no training samples; the legend's key."""
    color = COLORS[row[0]]
    by_size = estimates.groupby("train_size")["estimate"].agg(["mean", "std"])
    means = by_size["mean"].to_numpy()
    if list(by_size.index) == [0]:
        key = ax.axhline(means[0], color=color, linestyle=":")
        x, transform = np.ones(1), ax.get_yaxis_transform()  # its arrowhead stands at the right end of the panel
    else:
        x, transform = by_size.index.to_numpy() * dodge, ax.transData
        marker = MARKERS.get(row[1], SIGMA_MARKER)
        key = ax.errorbar(x, means, by_size["std"], color=color, marker=marker, elinewidth=0.5)
    for out, edge, head in _outside(means, limits, "v^"):
        ax.plot(x[out], np.full(out.sum(), edge), head, color=color, transform=transform, clip_on=False)
    return key


def _outside(values: np.ndarray, limits: tuple[float, float], heads: str) -> Iterator[tuple[np.ndarray, float, str]]:
    """For each edge of the axis that values lie beyond: which do, where the edge is, and the head that points there."""
    for out, edge, head in zip((values < limits[0], values > limits[1]), limits, heads, strict=True):
        if out.any():
            yield out, edge, head


def _log_axis_of_sizes(ax: Axes, sizes: list[int]) -> None:
    """A log axis with a tick at each train size, if there is any, and room for the dodged points at both ends."""
    ax.set_xscale("log")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(sizes, [f"{size / 1000:g}" for size in sizes])
    if sizes:
        ax.set_xlim(sizes[0] / 1.5, sizes[-1] * 1.5)
