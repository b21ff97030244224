"""The estimate of nearest neighbours: mutual information that is known, in continuous and discrete columns."""

import numpy as np
import pytest

from minde.doubts import neighbors

ROWS = 4000


def normal(seed: int, columns: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(ROWS, columns))


def integers(seed: int, values: int, columns: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(values, size=(ROWS, columns))


@pytest.mark.parametrize("r", [0.5, 0.9, 0.99])
def test_normals_and_monotone_functions_of_them(r: float) -> None:
    x, noise = normal(0), normal(1)
    y = r * x + np.sqrt(1 - r**2) * noise
    value, std_error = neighbors.neighbor_information(x, np.exp(5 * y))
    assert abs(value + 0.5 * np.log(1 - r**2)) < 4 * std_error
    assert std_error < 0.02


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (normal(0), normal(1)),
        (normal(0, 5), normal(1, 5)),
        (normal(0), integers(1, 4)),
        (integers(0, 40), integers(1, 40)),
        (integers(0, 9, 3), integers(1, 9)),
        (np.maximum(normal(0), 0), np.maximum(normal(1), 0)),
    ],
    ids=["1+1", "5+5", "classes", "integers", "4 columns of integers", "mostly zero"],
)
def test_independent_columns_share_nothing(x, y) -> None:
    """Less than nothing in discrete columns, so that no estimate is doubted without reason."""
    value, std_error = neighbors.neighbor_information(x, y)
    assert -0.15 < value < 3 * std_error


def test_a_discrete_column_shares_its_entropy_with_itself() -> None:
    codes = integers(0, 4)
    value, _ = neighbors.neighbor_information(codes, codes)
    assert value == pytest.approx(np.log(4), abs=0.01)


def test_sorted_rows_are_looked_at_like_others() -> None:
    """The first rows of a sorted array are not a sample of all."""
    x = np.sort(np.random.default_rng(0).normal(size=(5 * ROWS, 1)), axis=0)
    noisy = x + np.random.default_rng(1).normal(size=x.shape)
    value, std_error = neighbors.neighbor_information(x, noisy)
    assert abs(value - 0.5 * np.log(2)) < 3 * std_error


def test_few_rows_and_many_columns_say_nothing() -> None:
    assert neighbors.neighbor_information(normal(0)[:3], normal(0)[:3]) == (0, 0)
    assert neighbors.neighbor_information(normal(0, 6), normal(0, 5)) == (0, 0)
