"""What the study hands a competitor and what it gets back. Imports nothing of the package."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Replicate:
    """One replicate's samples: x `(rows, dim_x)` and y `(rows, dim_y)` of the test split, and of the training split
    for methods that train. `seed` drives everything random in the method.

    Raises:
        ValueError: a split is not two finite 2-D arrays with as many rows.
    """

    number: int
    x_test: np.ndarray
    y_test: np.ndarray
    x_train: np.ndarray | None = None
    y_train: np.ndarray | None = None
    seed: int | None = None

    def __post_init__(self):
        """Check the shapes and the numbers of both splits."""
        _check_split(self.number, "test", self.x_test, self.y_test)
        if self.x_train is not None:
            _check_split(self.number, "train", self.x_train, self.y_train)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One replicate's estimate and its Monte Carlo standard error (None where the method has none), in nats, and the
    seconds it took."""

    nats: float
    seconds: float
    std_error: float | None = None


# A cell's replicates in, as many estimates out, in the same order. Methods see all replicates of the cell, so that one
# that trains networks can stack them; both sides are lazy, so that one that does not holds one replicate at a time.
# A method's settings arrive as keyword arguments: an unknown or a missing one is a TypeError.
Estimator = Callable[..., Iterator[Estimate]]


def one_by_one(
    replicates: Iterable[Replicate], estimate: Callable[[np.ndarray, np.ndarray], float]
) -> Iterator[Estimate]:
    """The estimates of a function of x and y that needs only the test split and draws nothing at random."""
    from threadpoolctl import threadpool_limits  # comes with benchmark-mi

    for replicate in replicates:
        # benchmark-mi computes in the precision it is given, and the samples are float32.
        x, y = replicate.x_test.astype(np.float64), replicate.y_test.astype(np.float64)
        start = time.perf_counter()
        # One thread: many small products of matrices took thirty times longer where threads outnumbered free cores.
        with threadpool_limits(limits=1):
            nats = float(estimate(x, y))
        yield Estimate(nats=nats, seconds=time.perf_counter() - start)


def _check_split(number: int, split: str, x: np.ndarray, y: np.ndarray) -> None:
    if x.ndim != 2 or y is None or y.ndim != 2 or len(x) != len(y):
        found = f"{x.shape} and {None if y is None else y.shape}"
        raise ValueError(
            f"replicate {number}, {split} split: expected x (rows, dim_x) and y (rows, dim_y), found {found}"
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError(f"replicate {number}, {split} split: holds NaN or infinity; every sample must be finite")
