"""CCA: mutual information of the Gaussian that has the sample's canonical correlations."""

from collections.abc import Iterable, Iterator

from minde.baselines.interface import Estimate, Replicate, one_by_one


def cca(replicates: Iterable[Replicate]) -> Iterator[Estimate]:
    """Estimate the mutual information of each replicate's test split as -½ Σ log(1 - ρᵢ²).

    benchmark-mi's estimator. The correlations ρᵢ are fitted to the same sample, so the estimate is too high by about
    dim_x dim_y / (2 rows): 0.125 nats at 50 + 50 coordinates and 10,000 rows. There is no estimate if a column is
    constant, or if there are so few rows that they are perfectly correlated by chance.
    """
    from bmi.estimators import CCAMutualInformationEstimator  # imports jax, which takes seconds

    def estimate(x, y) -> float | str:
        n, columns = len(x), x.shape[1] + y.shape[1]
        if n <= columns:
            return f"{n} rows of {columns} columns are perfectly correlated by chance"
        if constant := [name for name, rows in (("x", x), ("y", y)) if (rows.std(axis=0) == 0).any()]:
            return f"a column of {constant[0]} is constant"
        return CCAMutualInformationEstimator().estimate(x, y)

    return one_by_one(replicates, estimate)
