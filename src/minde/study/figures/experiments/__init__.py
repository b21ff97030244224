"""The figures of the experiments of MINE, one module each, in the style of all figures."""

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

import pandas as pd

from .. import write


def write_figure(name: str, rows: pd.DataFrame, paths: Iterable[str | Path]) -> None:
    """Draw an experiment's figure and write it to every path (.pdf or .png): the same rows give the same bytes.

    The module `name` of this package has a function `draw`, from the experiment's rows to the figure. Raises ValueError
    for an unknown file format.
    """
    write(lambda: import_module(f"{__name__}.{name}").draw(rows), paths)
