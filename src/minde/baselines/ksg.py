"""KSG: mutual information from nearest-neighbour distances (Kraskov, Stögbauer and Grassberger 2004, eq. 8)."""

import numpy as np

# Rows whose distances to all others are held at once: 3 arrays of 100 x 10,000 doubles are 24 MB, and larger
# chunks are no faster (about 2 s for 10,000 rows of 5 + 5 coordinates on one core).
CHUNK_ROWS = 100


def ksg(x: np.ndarray, y: np.ndarray, *, neighbors: int) -> float:
    """Estimate the mutual information of x `(rows, dim_x)` and y `(rows, dim_y)`, in nats.

    benchmark-mi's estimator: coordinates standardised, Euclidean distance within x and within y, and a negative
    estimate is given as 0.

    Raises:
        ValueError: there are not more than `neighbors` rows.
    """
    from bmi.estimators import KSGEnsembleFirstEstimator  # brings jax along: seconds that only this rule should pay

    return KSGEnsembleFirstEstimator(neighborhoods=(neighbors,), chunk_size=CHUNK_ROWS).estimate(x, y)
