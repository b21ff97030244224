"""The error of learned scores by time, minus a Gaussian's: a table in Parquet, and its figure."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from .results import read_parquet

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

SCHEMA = pa.schema(
    [
        pa.field("score", pa.string(), nullable=False),
        pa.field("replicate", pa.int64(), nullable=False),
        pa.field("time", pa.float64(), nullable=False, metadata={"unit": "time, of 1"}),
        # Squared error of the predicted noise per coordinate, minus that of a Gaussian with the samples' moments.
        pa.field("excess", pa.float64(), nullable=False, metadata={"unit": "1"}),
    ]
)


def table(rows: list[dict]) -> pa.Table:
    """Rows as a table of the declared schema."""
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def write_figure(errors: str | Path, method: str, paths: Iterable[str | Path]) -> None:
    """Draw a cell's errors, a panel per score and a line per replicate, and write the figure to every path.

    Raises ValueError like `results.read_parquet`.
    """
    from .figures import write  # the environment that measures errors has no matplotlib

    found, _ = read_parquet(errors, SCHEMA, "file of score errors", ("score_errors",))
    frame = found.to_pandas()
    write(lambda: _figure(frame, method), paths)


def _figure(frame: "DataFrame", method: str) -> "Figure":
    from matplotlib.figure import Figure

    from .figures.panels import COLORS

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
