"""CCA: mutual information of the Gaussian that has the sample's canonical correlations."""

from collections.abc import Iterable, Iterator

import numpy as np
from bmi.estimators import CCAMutualInformationEstimator

from .interface import Outcome, Replicate, one_by_one


def cca(replicates: Iterable[Replicate]) -> Iterator[Outcome]:
    """Estimate the mutual information of each replicate's test split as -½ Σ log(1 - ρᵢ²).

    benchmark-mi's estimator. The correlations ρᵢ are fitted to the same sample, so the estimate is too high by about
    dim_x dim_y / (2 rows): 0.125 nats at 50 + 50 coordinates and 10,000 rows. There is no estimate if a column is
    constant, or if there are so few rows that they are perfectly correlated by chance.
    """
    return one_by_one(replicates, mutual_information)


def mutual_information(x: np.ndarray, y: np.ndarray) -> float | str:
    """Return the mutual information in nats of x `(rows, dim_x)` and y `(rows, dim_y)`, or why there is none."""
    n, columns = len(x), x.shape[1] + y.shape[1]
    if n <= columns:
        return f"{n} rows of {columns} columns are perfectly correlated by chance"
    for name, samples in (("x", x), ("y", y)):
        if (samples.std(axis=0) == 0).any():
            return f"a column of {name} is constant"
    return CCAMutualInformationEstimator().estimate(x, y)
