"""The paper's figures of estimates: the spread over replicates, the training size, high mutual information."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..rows import row_label
from ..selection import at_train_size, check_finite, rows_in_order, tasks_in_order
from ..task_labels import label_of
from ..tasks import HIGH_MI_VERSIONS
from .panels import (
    AXIS_LABEL,
    COLORS,
    DASHES,
    TRUTH_KEY,
    TRUTH_STYLE,
    add_legend,
    draw_heads,
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

SPREAD_REACH = 0.5  # how far the axis of estimates extends from the truth, as a fraction of it
OMITTED_ERROR, OMITTED_STD = 2.0, 1.0  # times the truth; for the deviation, the paper's rule only says "high"


def spread(estimates: pd.DataFrame) -> Figure:
    """Draw the estimate of every replicate per row and task at the largest train size, over a bar of mean ± std.

    Raises ValueError if an estimate is NaN or infinite, a row lacks a task, or a method or task is unknown.
    """
    shown = at_train_size(estimates)
    rows = rows_in_order(shown)
    figure = Figure()
    for ax, task_estimates in panels(figure, shown, height=0.4 + 0.09 * len(rows), sharey=True):
        middle = middle_of(task_estimates)
        limits = limits_about(middle, SPREAD_REACH * scale_of(middle))
        for position, row in enumerate(rows):
            values = estimates_of(task_estimates, row).sort_values("replicate")["estimate"].dropna().to_numpy()
            _draw_replicates(ax, values, position, COLORS[row[0]], limits)
        if task_estimates["mi_true"].notna().all():
            ax.axvline(middle, **TRUTH_STYLE)
        label_rows(ax, rows, limits)
    figure.supxlabel(AXIS_LABEL, fontsize="medium")
    return figure


def training_size(estimates: pd.DataFrame) -> Figure:
    """Draw mean ± std over replicates against the train size; a row that uses no training samples is a horizontal line.

    As in the paper, a row is omitted from a task's panel if at any size its error is above twice the truth or its
    deviation above the truth, or, for a truth below a tenth of a nat, above what that would allow; a note below the
    panels lists the omissions. Raises ValueError if an estimate is NaN or infinite, or if a method or task is unknown.
    """
    check_finite(estimates)
    rows = rows_in_order(estimates)
    sizes = sorted(set(estimates["train_size"]) - {0})
    figure, keys = Figure(), {}
    means = estimates.groupby(["task", "method", "estimator", "train_size"])["estimate"].agg(["mean", "std"])
    omitted = omissions(estimates)
    untrained = [row for row in rows if set(estimates_of(estimates, row)["train_size"]) == {0}]
    for ax, task_estimates in panels(figure, estimates, height=1.7, sharex=True):
        task_id, middle = task_estimates["task"].iloc[0], middle_of(task_estimates)
        drawn = [row for row in rows if row not in omitted[task_id]]
        shown = [means.loc[task_id, *row] for row in drawn]
        limits = limits_about(middle, reach_of(pd.concat(shown)["mean"] if shown else pd.Series(dtype=float), middle))
        draw_truth(ax, task_estimates, keys)
        for row, values in zip(drawn, shown, strict=True):
            if row in untrained:
                color, dashes = COLORS[row[0]], DASHES[untrained.index(row) % len(DASHES)]
                key = ax.axhline(values["mean"].iloc[0], color=color, linestyle=dashes)
                # A line outside the panel is an arrowhead at its right end.
                draw_heads(ax, np.ones(1), values["mean"].to_numpy(), limits, color, ax.get_yaxis_transform())
            else:
                dodge = 1.02 ** (rows.index(row) - (len(rows) - 1) / 2)  # bars of one size are side by side
                key = draw_line(ax, values.index.to_numpy() * dodge, values, row, limits)
            keys.setdefault(row_label(*row), key)
        ax.set_ylim(limits)
        ax.set_yticks(*ticks(limits))
        log_axis(ax, sizes, [f"{size / 1000:g}" for size in sizes])
    label_axes(figure, "training samples (thousands)", _names_of(omitted))
    add_legend(figure, keys, rows)
    return figure


def omissions(estimates: pd.DataFrame) -> dict[str, list[tuple[str, str]]]:
    """Return the rows that the training-size figure omits, by task: large error, large deviation, or not converged."""
    by_cell = estimates.groupby(["task", "method", "estimator", "train_size"])
    cells = by_cell.agg(mean=("estimate", "mean"), std=("estimate", "std"), mi_true=("mi_true", "first"))
    scale = cells["mi_true"].map(scale_of)
    far = (cells["mean"] - cells["mi_true"]).abs() > OMITTED_ERROR * scale
    out = cells[far | (cells["std"] > OMITTED_STD * scale) | cells["mean"].isna()]
    found: dict[str, list[tuple[str, str]]] = {task_id: [] for task_id in tasks_in_order(estimates)}
    for task_id, *row, _ in out.index:
        if tuple(row) not in found[task_id]:
            found[task_id].append(tuple(row))
    return found


def high_mi(estimates: pd.DataFrame) -> Figure:
    """Draw mean ± std over replicates at the largest train size against the true value: the paper's Figure 1.

    An arrowhead on the edge is a mean beyond it. Raises ValueError if an estimate is NaN or infinite, or if a row lacks
    a task.
    """
    shown = at_train_size(estimates)
    rows, figure, keys = rows_in_order(shown), Figure(), {}
    figure.set_figheight(2.8)
    largest = shown["mi_true"].max()
    limits = (-0.05 * largest, 1.3 * largest)
    axes = figure.subplots(1, len(HIGH_MI_VERSIONS), sharex=True, sharey=True)
    for ax, (version, name) in zip(axes, HIGH_MI_VERSIONS.items(), strict=True):
        version_estimates = shown[shown["task"].str.startswith(f"{version}high-mi-")]
        keys.setdefault(TRUTH_KEY, ax.plot([0, largest], [0, largest], **TRUTH_STYLE)[0])
        for row in rows:
            values = estimates_of(version_estimates, row).groupby("mi_true")["estimate"].agg(["mean", "std"])
            keys.setdefault(row_label(*row), draw_line(ax, values.index.to_numpy(), values, row, limits))
        ax.set_title(name.format("Multinormal 3×3"))
        ax.set_ylim(limits)
    figure.supxlabel("true mutual information (nats)", fontsize="medium")
    figure.supylabel(AXIS_LABEL, fontsize="medium")
    add_legend(figure, keys, rows)
    return figure


def _draw_replicates(ax: Axes, values: np.ndarray, position: int, color: str, limits: tuple[float, float]) -> None:
    """Draw points of one row about y = position, replicates from top to bottom, over a bar of mean ± std."""
    if len(values) > 1:
        mean, std = values.mean(), values.std(ddof=1)
        ax.barh(position, 2 * std, 0.7, mean - std, color=color, alpha=0.3, linewidth=0)
    heights = position + (np.linspace(-0.25, 0.25, len(values)) if len(values) > 1 else np.zeros(len(values)))
    inside = (values >= limits[0]) & (values <= limits[1])
    ax.plot(values[inside], heights[inside], "o", color=color, markersize=1.8)
    for out, edge, head in outside(values, limits, "<>"):
        ax.plot(np.full(out.sum(), edge), heights[out], head, color=color, markersize=1.8, clip_on=False)


def _names_of(omitted: dict[str, list[tuple[str, str]]]) -> str:
    """Return which rows are omitted from which panels; empty if none is."""
    tasks_of: dict[tuple[str, str], list[str]] = {}
    for task_id, rows in omitted.items():
        for row in rows:
            tasks_of.setdefault(row, []).append(label_of(task_id))
    if not tasks_of:
        return ""
    parts = [f"{row_label(*row)} in {', '.join(labels)}" for row, labels in tasks_of.items()]
    return f"Omitted (error above {OMITTED_ERROR:g} GT, deviation above GT, or not converged): {'; '.join(parts)}."
