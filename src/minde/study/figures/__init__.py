"""The figures of a study, all in one style."""

from collections.abc import Callable, Iterable
from pathlib import Path

import matplotlib.style
import pandas as pd
from matplotlib.figure import Figure

from minde.files import atomic

from ..selection import of_widths
from .ablations import comparison, sigma, training_curve
from .consistency import consistency
from .estimates import high_mi, spread, training_size

STYLE = Path(__file__).with_name("paper.mplstyle")

# Without dates and versions, so that the same figure has the same bytes on every run and machine.
METADATA = {".pdf": {"CreationDate": None, "Producer": None, "Creator": None}, ".png": {"Software": None}}

FIGURES = {
    "spread": spread,
    "training_size": training_size,
    "training_curve": training_curve,
    "sigma": sigma,
    "high_mi": high_mi,
    "comparison": comparison,
    "consistency": consistency,
}


def write_figure(
    name: str,
    estimates: pd.DataFrame,
    paths: Iterable[str | Path],
    *,
    tasks: list[str],
    sigmas: list[float] | None = None,
) -> None:
    """Draw a figure of FIGURES for some tasks and write it to every path (.pdf or .png).

    The same estimates give the same bytes. The σ formula is shown at the widths `sigmas`, by default all.
    `training_curve` takes curves instead of estimates, `comparison` the estimates of two studies, distinguished by the
    column `study`. Raises ValueError for an unknown figure or file format, or if the estimates are not complete and
    finite.
    """
    if name not in FIGURES:
        raise ValueError(f"unknown figure {name!r}; known: {', '.join(FIGURES)}")
    shown = estimates[estimates["task"].isin(tasks)]
    if sigmas is not None:
        shown = of_widths(shown, sigmas)
    write(lambda: FIGURES[name](shown), paths)


def write(draw: Callable[[], Figure], paths: Iterable[str | Path]) -> None:
    """Draw a figure in the shared style and write it to every path (.pdf or .png).

    Raises ValueError for an unknown file format; nothing is drawn then.
    """
    paths = [Path(path) for path in paths]
    for path in paths:
        if path.suffix not in METADATA:
            raise ValueError(f"{path}: no figure can be written as {path.suffix!r}; expected .pdf or .png")
    # Reset first, so that the figure does not depend on the user's matplotlibrc.
    with matplotlib.style.context(STYLE, after_reset=True):
        figure = draw()
        for path in paths:
            with atomic(path) as temporary:
                figure.savefig(temporary, format=path.suffix[1:], metadata=METADATA[path.suffix])
