"""The figure of the experiment `estimation`."""

import pandas as pd
from matplotlib.figure import Figure


def draw(rows: pd.DataFrame) -> Figure:
    """Estimates against the correlation, a panel for each number of coordinates."""
    figure = Figure()
    figure.subplots()
    return figure
