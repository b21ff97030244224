"""Grey images of handwritten digits and their labels: scikit-learn's own, of 8 × 8 pixels, and MNIST from OpenML."""

from pathlib import Path

import numpy as np

NAMES = ("digits", "mnist")


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the images of a data set, and the digit that each shows, `(images,)` in int64.

    Images are `(images, side, side)` in float32 from 0 (background) to 1.
    `digits`: 1,797 images of 8 × 8 pixels. `mnist`: 70,000 of 28 × 28, downloaded once into scikit-learn's data folder,
    which the environment variable SCIKIT_LEARN_DATA sets; no network is needed after that. Raises ValueError for an
    unknown name, and OSError if MNIST is not in the folder and cannot be downloaded.
    """
    if name == "digits":
        from sklearn.datasets import load_digits

        found = load_digits()
        return (found.images / 16).astype(np.float32), found.target.astype(np.int64)
    if name == "mnist":
        return _mnist()
    raise ValueError(f"unknown images {name!r}; known: {', '.join(NAMES)}")


def _mnist() -> tuple[np.ndarray, np.ndarray]:
    from http.client import HTTPException

    from sklearn.datasets import fetch_openml, get_data_home

    try:
        found = fetch_openml("mnist_784", version=1, as_frame=False, parser="auto")
    except (OSError, HTTPException) as error:
        raise OSError(
            f"MNIST is not in {Path(get_data_home())} and cannot be downloaded ({error}); run once on a machine "
            "with network access, and set SCIKIT_LEARN_DATA to a folder that both machines see"
        ) from error
    return (found.data.reshape(-1, 28, 28) / 255).astype(np.float32), found.target.astype(np.int64)


def first_rows(images: np.ndarray, rows: int) -> np.ndarray:
    """Return the images with only their first `rows` rows; the others are background."""
    shown = np.zeros_like(images)
    shown[:, :rows] = images[:, :rows]
    return shown
