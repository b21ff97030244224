"""The error of learned scores by time, less a Gaussian's: a table in Parquet, and its figure."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

SCHEMA = pa.schema(
    [
        pa.field("score", pa.string(), nullable=False),
        pa.field("replicate", pa.int64(), nullable=False),
        pa.field("time", pa.float64(), nullable=False, metadata={"unit": "time, of 1"}),
        # Squared error of the predicted noise per coordinate, less that of a Gaussian with the samples' moments.
        pa.field("excess", pa.float64(), nullable=False, metadata={"unit": "1"}),
    ]
)


def table(rows: list[dict]) -> pa.Table:
    """Rows as a table of the declared schema."""
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def write_figure(errors: str | Path, method: str, paths: Iterable[str | Path]) -> None:
    """Draw a cell's errors, a panel per score and a line per replicate, and write the figure to every path."""
    from .figures import write  # matplotlib is not where errors are measured

    found = pq.read_table(errors).to_pandas()
    write(lambda: _figure(found, method), paths)


def _figure(found: "DataFrame", method: str) -> "Figure":
    from matplotlib.figure import Figure

    from .figures.panels import COLORS

    scores = list(dict.fromkeys(found["score"]))
    figure = Figure(figsize=(5.5, 1.8))
    axes = figure.subplots(1, len(scores), sharey=True, squeeze=False).flat
    for ax, score in zip(axes, scores, strict=True):
        ax.set_title(score)
        ax.axhline(0, color="black", linewidth=0.8, linestyle=(0, (4, 2)))
        for _, line in found[found["score"] == score].groupby("replicate"):
            ax.plot(line["time"], line["excess"], color=COLORS[method], linewidth=0.6)
        ax.set_xscale("log")
        ax.set_yscale("symlog", linthresh=0.01)
    figure.supxlabel("time t", fontsize="medium")
    figure.supylabel("squared error less a Gaussian's", fontsize="medium")
    return figure
