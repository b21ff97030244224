"""What callers of every competitor may rely on."""

import numpy as np
import pytest

from minde.baselines import Outcome, Replicate, estimates
from minde.baselines.interface import outcome_of, standardized


def replicate(number=0, rows=50, **kwargs):
    rng = np.random.default_rng(number)
    return Replicate(number=number, x_test=rng.normal(size=(rows, 1)), y_test=rng.normal(size=(rows, 2)), **kwargs)


def test_estimates_are_in_the_order_of_the_replicates_and_independent_of_the_others():
    replicates = [replicate(0), replicate(1), replicate(2)]
    together = [e.nats for e in estimates("cca", replicates, {})]
    alone = [next(estimates("cca", [r], {})).nats for r in replicates]
    assert together == alone
    assert len(set(together)) == 3


def test_replicates_are_read_one_at_a_time():
    read = []

    def source():
        for number in range(3):
            read.append(number)
            yield replicate(number)

    next(estimates("cca", source(), {}))
    assert read == [0]


def test_seconds_are_measured_and_there_is_no_monte_carlo_error():
    (estimate,) = estimates("ksg", [replicate()], {"neighbors": 3})
    assert estimate.seconds > 0
    assert estimate.std_error is None


def test_unknown_method_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown competitor 'kgs'; known: mine, mine-torch, infonce, .*"):
        next(estimates("kgs", [replicate()], {}))


@pytest.mark.parametrize(("method", "settings"), [("cca", {"neighbors": 3}), ("ksg", {})])
def test_unknown_and_missing_settings_are_refused(method, settings):
    with pytest.raises(TypeError, match="neighbors"):
        next(estimates(method, [replicate()], settings))


def test_too_few_rows_for_ksg():
    with pytest.raises(ValueError, match="10"):
        next(estimates("ksg", [replicate(rows=10)], {"neighbors": 10}))


def test_an_estimate_that_is_not_finite_did_not_converge():
    assert outcome_of(0.4, 1.0, otherwise="it diverged", std_error=0.1).nats == 0.4
    lost = outcome_of(float("nan"), 1.0, otherwise="it diverged", std_error=0.1)
    assert lost == Outcome(nats=None, seconds=1.0, not_converged="it diverged")


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((3, 1)), np.zeros((4, 1)), r"replicate 7, test split: expected .* found \(3, 1\) and \(4, 1\)"),
        (np.zeros(3), np.zeros((3, 1)), r"found \(3,\) and \(3, 1\)"),
        (np.array([[np.nan]]), np.zeros((1, 1)), "replicate 7, test split: holds NaN or infinity"),
    ],
)
def test_samples_are_checked(x, y, message):
    with pytest.raises(ValueError, match=message):
        Replicate(number=7, x_test=x, y_test=y)


def test_splits_of_other_columns_are_refused():
    with pytest.raises(ValueError, match=r"the same columns \(x, y\) in both splits, found \(3, 2\) and \(1, 2\)"):
        replicate(x_train=np.zeros((3, 3)), y_train=np.zeros((3, 2)))


def test_a_training_split_is_checked_too():
    with pytest.raises(ValueError, match="train split"):
        replicate(x_train=np.zeros((3, 1)), y_train=None)


def test_standardizing_reads_the_training_split_alone():
    x = np.array([[1.0, 7.0], [3.0, 7.0]])
    samples = Replicate(number=0, x_train=x, y_train=x, x_test=2 * x, y_test=x)
    (x_train, _), (x_test, _) = standardized(samples)
    np.testing.assert_array_equal(x_train, [[-1, 0], [1, 0]])
    np.testing.assert_array_equal(x_test, [[0, 7], [4, 7]])
