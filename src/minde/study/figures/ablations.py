"""Figures of the effect of settings: estimates along training, against the width σ, and compared with another study."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..rows import row_label
from ..selection import at_train_size, rows_in_order
from .panels import (
    AXIS_LABEL,
    COLORS,
    TRUTH_STYLE,
    add_legend,
    draw_band,
    draw_line,
    draw_truth,
    estimates_of,
    label_axes,
    label_rows,
    limits_about,
    log_axis,
    middle_of,
    outside,
    panels,
    reach_of,
    scale_of,
    ticks,
)


def training_curve(curves: pd.DataFrame) -> Figure:
    """Draw mean ± std over replicates along training, as lines in bands, against the number of steps.

    `curves` has task, mi_true, method and train_size, and the columns of a training curve.
    """
    rows = rows_in_order(curves)
    figure, keys = Figure(), {}
    for ax, task_curves in panels(figure, curves, height=1.3):
        middle = middle_of(task_curves)
        shown = {row: estimates_of(task_curves, row).groupby("step")["estimate"].agg(["mean", "std"]) for row in rows}
        drawn = pd.concat(shown.values())
        edges = pd.concat([drawn["mean"] + sign * drawn["std"].fillna(0) for sign in (-1, 1)])
        limits = limits_about(middle, reach_of(edges, middle))
        draw_truth(ax, task_curves, keys)
        for row, values in shown.items():
            keys.setdefault(row_label(*row), draw_band(ax, values.index.to_numpy() / 1000, values, row, limits))
        ax.set_ylim(limits)
        ax.set_yticks(*ticks(limits))
        ax.set_xlim(left=0)
    label_axes(figure, "steps done (thousands)")
    add_legend(figure, keys, rows)
    return figure


def sigma(estimates: pd.DataFrame) -> Figure:
    """Draw mean ± std over replicates of the formulas with a reference Gaussian, against its width σ.

    Raises ValueError if there are no estimates by these formulas, or if one is NaN or infinite.
    """
    shown = at_train_size(estimates)
    shown = shown[shown["estimator"].str.startswith("sigma=")]
    if shown.empty:
        raise ValueError("no estimate has a width σ; add `sigma` to minde.estimators.formulas")
    widths = shown["estimator"].str.removeprefix("sigma=").astype(float)
    positions = sorted(set(widths))
    labels = [f"{position:g}" for position in positions]
    for i in range(1, len(positions)):
        if labels[i - 1] and positions[i] < 1.4 * positions[i - 1]:
            labels[i] = ""  # no room
    figure, keys = Figure(), {}
    for ax, estimates_by_width in panels(figure, shown.assign(width=widths), height=1.3, sharex=True):
        middle = middle_of(estimates_by_width)
        by_width = estimates_by_width.groupby(["method", "width"])["estimate"].agg(["mean", "std"])
        limits = limits_about(middle, reach_of(by_width["mean"], middle))
        draw_truth(ax, estimates_by_width, keys)
        for method in by_width.index.unique("method"):
            values = by_width.loc[method]
            row = (method, "inside")  # the only row of its method here
            keys.setdefault(row_label(*row), draw_line(ax, values.index.to_numpy(), values, row, limits))
        ax.set_ylim(limits)
        ax.set_yticks(*ticks(limits))
        log_axis(ax, positions, labels)
    label_axes(figure, "width σ of the reference Gaussian")
    add_legend(figure, keys, [(method, "inside") for method, _ in rows_in_order(shown)])
    return figure


def comparison(estimates: pd.DataFrame) -> Figure:
    """Draw mean ± std over replicates in two studies, one above the other, for each row and task that both have.

    `estimates` are those of both studies, distinguished by the column `study`; each is shown at its own largest train
    size. If they have nothing in common, the figure says so. Raises ValueError if an estimate is NaN or infinite.
    """
    names = list(estimates["study"].unique())
    both = pd.concat([at_train_size(estimates[estimates["study"] == name]) for name in names])
    means = both.groupby(["task", "method", "estimator", "study"])["estimate"].agg(["mean", "std"])
    common = means["mean"].unstack("study").reindex(columns=names).dropna().sort_index().index
    if common.empty or len(names) < 2:  # for example a page of tasks that the other study lacks
        figure = Figure(figsize=(5.5, 0.6))
        figure.text(
            0.5, 0.5, "the two studies have no method and task of this page in common", ha="center", va="center"
        )
        return figure
    shown = both.set_index(["task", "method", "estimator"]).loc[common.unique()].reset_index()
    rows, figure = rows_in_order(shown), Figure()
    for ax, task_estimates in panels(figure, shown, height=0.4 + 0.13 * len(rows), sharey=True):
        task_id, middle = task_estimates["task"].iloc[0], middle_of(task_estimates)
        here = means.loc[task_id]
        drawn = [row for row in rows if (task_id, *row) in common]
        reach = reach_of(pd.concat([here.loc[row]["mean"] for row in drawn]), middle)
        limits = limits_about(middle, max(reach, 0.2 * scale_of(middle)))
        if task_estimates["mi_true"].notna().all():
            ax.axvline(middle, **TRUTH_STYLE)
        for position, row in enumerate(rows):
            if row in drawn:
                _draw_pair(ax, position, here.loc[row].loc[names], COLORS[row[0]], limits)
        label_rows(ax, rows, limits)
    figure.supxlabel(AXIS_LABEL, fontsize="medium")
    keys = [figure.axes[0].plot([], [], "o", color="black", **PAIR_STYLES[place])[0] for place in range(2)]
    figure.legend(keys, names, loc="outside upper center", ncols=2)
    return figure


PAIR_STYLES = ({"markersize": 3}, {"markersize": 3, "markerfacecolor": "white", "markeredgewidth": 0.8})
"""Markers of this study and of the one that it is compared with."""


def _draw_pair(ax: Axes, position: int, pair: pd.DataFrame, color: str, limits: tuple[float, float]) -> None:
    """Draw means and standard deviations of one row in both studies, about y = position."""
    for height, style, (_, values) in zip(
        (position - 0.18, position + 0.18), PAIR_STYLES, pair.iterrows(), strict=True
    ):
        mean, std = np.array([values["mean"]]), values["std"]
        ax.errorbar(mean, [height], xerr=std, fmt="o", color=color, elinewidth=0.7, **style)
        for _, edge, head in outside(mean, limits, "<>"):
            ax.plot([edge], [height], head, color=color, markersize=2.5, clip_on=False)
