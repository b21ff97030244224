"""Figures of what a method's settings do: estimates along the training, and against the width σ."""

import pandas as pd
from matplotlib.figure import Figure

from .panels import (
    add_legend,
    draw_line,
    draw_truth,
    label_axes,
    limits_about,
    log_axis,
    middle_of,
    of_row,
    panels,
    reach_of,
    ticks,
)
from .rows import row_label
from .selection import at_train_size, check_finite, rows_in_order


def training_curve(curves: pd.DataFrame) -> Figure:
    """Mean ± std over replicates along the training, against the steps done.

    `curves` has task, mi_true, method and train_size, and the columns of a training curve.
    """
    rows = rows_in_order(curves)
    figure, keys = Figure(), {}
    for ax, of_task in panels(figure, curves, height=1.3):
        middle = middle_of(of_task)
        shown = {row: of_row(of_task, row).groupby("step")["estimate"].agg(["mean", "std"]) for row in rows}
        limits = limits_about(middle, reach_of(pd.concat(shown.values())["mean"], middle))
        draw_truth(ax, of_task, keys)
        for row, values in shown.items():
            keys.setdefault(row_label(*row), draw_line(ax, values.index.to_numpy() / 1000, values, row, limits))
        ax.set_ylim(limits)
        ax.set_yticks(*ticks(limits))
        ax.set_xlim(left=0)
    label_axes(figure, "steps done (thousands)")
    add_legend(figure, keys, rows)
    return figure


def sigma(estimates: pd.DataFrame) -> Figure:
    """Mean ± std over replicates of the formulas with a reference Gaussian, against its width σ.

    Raises:
        ValueError: there is no estimate by such a formula, or one is NaN or infinite.
    """
    check_finite(estimates)
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
    for ax, of_task in panels(figure, shown.assign(width=widths), height=1.3, sharex=True):
        middle = middle_of(of_task)
        by_width = of_task.groupby(["method", "width"])["estimate"].agg(["mean", "std"])
        limits = limits_about(middle, reach_of(by_width["mean"], middle))
        draw_truth(ax, of_task, keys)
        for method in by_width.index.unique("method"):
            values = by_width.loc[method]
            row = (method, "sigma=1")
            keys.setdefault(row_label(method, "inside"), draw_line(ax, values.index.to_numpy(), values, row, limits))
        ax.set_ylim(limits)
        ax.set_yticks(*ticks(limits))
        log_axis(ax, positions, labels)
    label_axes(figure, "width σ of the reference Gaussian")
    add_legend(figure, keys, [(method, "inside") for method, _ in rows_in_order(shown)])
    return figure
