"""The figure of the experiment `stacked`: images, and the modes that they cover."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from .scatter import SERIES, dots

CHANNELS = ("red", "green", "blue")
TITLES = {"data": "data", "gan": "GAN", "mine": "GAN + MINE"}


def draw(rows: pd.DataFrame) -> Figure:
    """Draw a sheet of images of each kind from the first replicate, and the modes and divergence of all replicates."""
    figure = Figure()
    figure.set_figheight(1.5)
    axes = figure.subplots(1, 5)
    pixels = rows[rows["quantity"].isin(CHANNELS)]
    for ax, name in zip(axes, TITLES, strict=False):
        ax.imshow(_sheet(pixels[pixels["series"] == name]), interpolation="nearest")
        ax.set_title(TITLES[name], color=SERIES[name][1])
        ax.set_axis_off()
    counts = rows[rows["panel"] == "counts"]
    dots(axes[3], counts, "modes", "modes, of 1000", 1000)
    dots(axes[4], counts, "divergence", "KL to uniform, nats")
    return figure


def _sheet(pixels: pd.DataFrame) -> np.ndarray:
    """Return the images side by side in a square, with a white line between them, `(height, width, 3)`."""
    side = int(pixels["x"].max()) + 1
    ordered = pixels.assign(number=pixels["panel"].astype(int), channel=pixels["quantity"].map(CHANNELS.index))
    ordered = ordered.sort_values(["number", "y", "x", "channel"])["value"].to_numpy()
    images = np.pad(ordered.reshape(-1, side, side, 3), ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=1)
    columns = int(np.sqrt(len(images)))
    lines = [
        np.concatenate(list(line), axis=1) for line in images[: columns**2].reshape(columns, columns, *images.shape[1:])
    ]
    return np.clip(np.concatenate(lines, axis=0)[:-1, :-1], 0, 1)
