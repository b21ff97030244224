"""Training curves of several cells in one frame, for their figure."""

import math
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from .. import curves


def read(paths: Iterable[str | Path], truths: dict[str, float]) -> pd.DataFrame:
    """Return the rows of every curve, with task, method and train_size of its cell, and mi_true, by task, if known."""
    frames = []
    for path in paths:
        table, made_by = curves.read(path)
        settings = made_by["settings"]
        cell = {
            "task": settings["task"],
            "method": f"minde-{settings['variant']}",
            "train_size": settings["train_size"],
        }
        frames.append(table.to_pandas().assign(**cell, mi_true=truths.get(cell["task"], math.nan)))
    return pd.concat(frames, ignore_index=True)
