"""What a competitor is given and returns, and what several of them share. Imports nothing of the package."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Replicate:
    """One replicate's samples: x `(rows, dim_x)` and y `(rows, dim_y)` of the test split, and of the training split
    for methods that train. `seed` drives everything random in the method.

    Raises ValueError if a split is not two finite 2-D arrays with equally many rows, or if the splits differ in their
    columns.
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
            train, test = (self.x_train, self.y_train), (self.x_test, self.y_test)
            columns = [(x.shape[1], y.shape[1]) for x, y in (train, test)]
            if columns[0] != columns[1]:
                found = f"{columns[0]} and {columns[1]}"
                raise ValueError(
                    f"replicate {self.number}: expected the same columns (x, y) in both splits, found {found}"
                )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One replicate's estimate and its Monte Carlo standard error (None if the method has none), in nats, and the
    seconds it took, including training.

    Either `nats` is a finite number or, if the method did not converge, None, and `not_converged` is the reason. That
    is a result of the method; errors in samples, settings or code raise.
    """

    nats: float | None
    seconds: float
    std_error: float | None = None
    not_converged: str | None = None


Estimator = Callable[..., Iterator[Outcome]]
"""Maps the replicates of a cell to their estimates, in the same order.

A method gets all replicates, so that it can train networks as a stack; both iterators are lazy, so that other methods
hold one replicate at a time. Settings are keyword arguments, as is the torch `device` of a method that runs on one.
"""


def outcome_of(nats: float, seconds: float, *, otherwise: str, std_error: float | None = None) -> Outcome:
    """Return the estimate if it is finite; if not, the method did not converge, with the reason `otherwise`."""
    if math.isfinite(nats):
        return Outcome(nats=nats, seconds=seconds, std_error=std_error)
    return Outcome(nats=None, seconds=seconds, not_converged=otherwise)


def one_by_one(
    replicates: Iterable[Replicate], estimate: Callable[[np.ndarray, np.ndarray], float | str]
) -> Iterator[Outcome]:
    """Apply a deterministic function of x and y to the test split of every replicate.

    It returns nats, or the reason why it did not converge; a number that is not finite counts as not converged.
    """
    from threadpoolctl import threadpool_limits  # missing where tables are written, which name the competitors' widths

    for replicate in replicates:
        # benchmark-mi computes in the precision it is given, and the samples are float32.
        x, y = replicate.x_test.astype(np.float64), replicate.y_test.astype(np.float64)
        start = time.perf_counter()
        # With more threads than free cores, many small matrix products took thirty times as long.
        with threadpool_limits(limits=1):
            found = estimate(x, y)
        seconds = time.perf_counter() - start
        if isinstance(found, str):
            yield Outcome(nats=None, seconds=seconds, not_converged=found)
        else:
            yield outcome_of(float(found), seconds, otherwise=f"the estimate was {float(found)}")


def check_batch(batch_size: int, rows: int) -> None:
    """Raise ValueError if there are fewer training rows than a batch has."""
    if batch_size > rows:
        raise ValueError(f"a batch of {batch_size} cannot be drawn from {rows} training samples; lower batch_size")


def standardized(replicate: Replicate) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return x and y of the training and of the test split, standardized, in float32.

    The statistics are those of the training split.
    """
    pairs = [(replicate.x_train, replicate.x_test), (replicate.y_train, replicate.y_test)]
    (x_train, x_test), (y_train, y_test) = (_standardize(train, test) for train, test in pairs)
    return (x_train, y_train), (x_test, y_test)


def _standardize(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, deviation = train.mean(axis=0, dtype=np.float64), train.std(axis=0, dtype=np.float64)
    deviation[deviation == 0] = 1  # a constant coordinate stays constant
    return tuple(((split - mean) / deviation).astype(np.float32) for split in (train, test))


def _check_split(number: int, split: str, x: np.ndarray, y: np.ndarray) -> None:
    if x.ndim != 2 or y is None or y.ndim != 2 or len(x) != len(y):
        found = f"{x.shape} and {None if y is None else y.shape}"
        raise ValueError(
            f"replicate {number}, {split} split: expected x (rows, dim_x) and y (rows, dim_y), found {found}"
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError(f"replicate {number}, {split} split: holds NaN or infinity; every sample must be finite")
