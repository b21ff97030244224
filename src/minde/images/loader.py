"""Grey images of handwritten digits, through scikit-learn: 8 × 8 ones that it brings along, and MNIST from OpenML."""

from pathlib import Path

import numpy as np

NAMES = ("digits", "mnist")


def load(name: str) -> np.ndarray:
    """The images of a data set, `(images, side, side)` in float32 from 0 (background) to 1.

    `digits`: 1,797 images of 8 × 8 pixels. `mnist`: 70,000 of 28 × 28, downloaded once into scikit-learn's data folder,
    which the environment variable SCIKIT_LEARN_DATA moves; a copy that is there needs no network.

    Raises:
        ValueError: the name is unknown.
        OSError: MNIST is neither in the folder nor to be had from the network.
    """
    if name == "digits":
        from sklearn.datasets import load_digits

        return (load_digits().images / 16).astype(np.float32)
    if name == "mnist":
        return _mnist()
    raise ValueError(f"unknown images {name!r}; known: {', '.join(NAMES)}")


def _mnist() -> np.ndarray:
    from http.client import HTTPException

    from sklearn.datasets import fetch_openml, get_data_home

    try:
        pixels = fetch_openml("mnist_784", version=1, as_frame=False, parser="auto").data
    except (OSError, HTTPException) as error:
        raise OSError(
            f"MNIST is not in {Path(get_data_home())} and cannot be downloaded ({error}); run once where there is a "
            "network, and set SCIKIT_LEARN_DATA to a folder that both machines see"
        ) from error
    return (pixels.reshape(-1, 28, 28) / 255).astype(np.float32)


def first_rows(images: np.ndarray, rows: int) -> np.ndarray:
    """The images with their first `rows` rows; those below are background."""
    shown = np.zeros_like(images)
    shown[:, :rows] = images[:, :rows]
    return shown
