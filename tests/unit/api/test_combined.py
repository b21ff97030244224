"""Standard errors and intervals of estimates from replicates, by simulated replicates of a known mean."""

import copy

import pytest
import torch

from minde.api.result import combine

NONE = torch.tensor(1e-9, dtype=torch.float64)


def test_the_interval_of_a_spread_is_students() -> None:
    """Three replicates with mean 2 and standard deviation 1: tables give t = 4.303 for 2 degrees of freedom."""
    found = combine(torch.tensor([1.0, 2.0, 3.0]), NONE.expand(3), disjoint=3)
    assert found.std_error == pytest.approx(3**-0.5)
    assert found.interval() == pytest.approx((2 - 4.303 / 3**0.5, 2 + 4.303 / 3**0.5), abs=1e-3)
    assert copy.copy(found).interval() == found.interval()


@pytest.mark.parametrize("values", [[1.9, 2.0, 2.1], [2.0]])
def test_the_interval_of_test_rows_is_normal(values) -> None:
    """Test rows whose error is larger than the spread, or of a single replicate."""
    found = combine(torch.tensor(values), torch.full((len(values),), 0.5), disjoint=1)
    assert found.std_error == 0.5
    assert found.interval() == pytest.approx((2 - 1.96 * 0.5, 2 + 1.96 * 0.5), abs=1e-4)


def test_a_larger_error_over_rows_gives_no_narrower_interval() -> None:
    values = torch.tensor([1.0, 2.0, 3.0])
    errors = torch.linspace(0.1, 2, 20)
    intervals = [combine(values, error.expand(3), disjoint=1).interval() for error in errors]
    widths = [high - low for low, high in intervals]
    assert widths == sorted(widths)


@pytest.mark.parametrize("replicates", [2, 3, 5])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_interval_of_few_replicates_holds_the_mean_as_often_as_it_says(replicates, level) -> None:
    draws = torch.randn(2000, replicates, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    intervals = [combine(values, NONE.expand(replicates), disjoint=1).interval(level) for values in draws]
    held = sum(low < 0 < high for low, high in intervals) / len(intervals)
    assert held == pytest.approx(level, abs=0.03)  # three standard deviations
