"""The figure of a cell's score errors by time."""

from collections.abc import Iterable
from pathlib import Path

from matplotlib.figure import Figure
from pandas import DataFrame

from minde.study.results import read_parquet
from minde.study.score_errors import SCHEMA

from . import write
from .panels import COLORS


def write_figure(errors: str | Path, method: str, paths: Iterable[str | Path]) -> None:
    """Draw a cell's errors, a panel per score and a line per replicate, and write the figure to every path.

    Raises ValueError like `results.read_parquet`.
    """
    found, _ = read_parquet(errors, SCHEMA, "file of score errors", ("score_errors",))
    frame = found.to_pandas()
    write(lambda: _figure(frame, method), paths)


def _figure(frame: DataFrame, method: str) -> Figure:
    scores = list(dict.fromkeys(frame["score"]))
    figure = Figure(figsize=(5.5, 1.8))
    axes = figure.subplots(1, len(scores), sharey=True, squeeze=False).flat
    for ax, score in zip(axes, scores, strict=True):
        ax.set_title(score)
        ax.axhline(0, color="black", linewidth=0.8, linestyle=(0, (4, 2)))
        for _, line in frame[frame["score"] == score].groupby("replicate"):
            ax.plot(line["time"], line["excess"], color=COLORS[method], linewidth=0.6)
        ax.set_xscale("log")
        ax.set_yscale("symlog", linthresh=0.01)
    figure.supxlabel("time t", fontsize="medium")
    figure.supylabel("squared error minus a Gaussian's", fontsize="medium")
    return figure
