"""KSG: mutual information from nearest-neighbour distances (Kraskov, Stögbauer and Grassberger 2004, eq. 8)."""

from collections.abc import Iterable, Iterator

from bmi.estimators import KSGEnsembleFirstEstimator

from .interface import Outcome, Replicate, one_by_one

# Rows whose distances to all others are held in memory together: 100 x 10,000 doubles are 8 MB, and larger chunks are
# no faster (about 2 s for 10,000 rows of 5 + 5 coordinates on one core).
CHUNK_ROWS = 100


def ksg(replicates: Iterable[Replicate], *, neighbors: int) -> Iterator[Outcome]:
    """Estimate the mutual information of each replicate's test split from its `neighbors`-th nearest neighbours.

    benchmark-mi's estimator: coordinates standardized, Euclidean distance within x and within y, and negative
    estimates set to 0. Raises ValueError if a replicate has at most `neighbors` rows.
    """
    estimator = KSGEnsembleFirstEstimator(neighborhoods=(neighbors,), chunk_size=CHUNK_ROWS)
    return one_by_one(replicates, estimator.estimate)
