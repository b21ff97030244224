"""Training curves of several cells in one frame, for their figure."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ..trained import read_curve


def read(paths: Iterable[str | Path]) -> pd.DataFrame:
    """The rows of every curve, with task, mi_true, method and train_size of its cell."""
    frames = []
    for path in paths:
        table, made_by = read_curve(path)
        settings = made_by["settings"]
        cell = {
            "task": settings["task"],
            "method": f"minde-{settings['variant']}",
            "train_size": settings["train_size"],
        }
        frames.append(table.to_pandas().assign(**cell, mi_true=made_by["mi_true"]))
    return pd.concat(frames, ignore_index=True)
