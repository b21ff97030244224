"""Competitors that train, with few steps, on correlated Gaussians of known mutual information."""

import math
import re

import numpy as np
import pytest
import torch
from bmi.estimators.neural._training_log import TrainingLog

from minde.baselines import Replicate, critics, estimates
from minde.baselines.doe import initialize, log_density
from minde.baselines.widths import of_critic, of_network

NATS = 0.5
CRITICS = {"hidden": [16, 16], "batch_size": 64, "learning_rate": 5e-3, "max_steps": 200, "test_every": 100}
DOE = {"hidden": 16, "layers": 2, "batch_size": 128, "learning_rate": 1e-2, "clip": 1.0, "steps": 300}
SETTINGS = {
    "mine": CRITICS | {"mean_decay": 0.9},
    **dict.fromkeys(("infonce", "dv", "nwj"), CRITICS),
    **dict.fromkeys(("doe-gaussian", "doe-logistic"), DOE),
}
TEST_ROWS = 500  # all critics except MINE's evaluate each pair of them


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def gaussian_replicate(number=0, nats=NATS, train=2000, test=TEST_ROWS, scale=1.0) -> Replicate:
    """x and y of one coordinate each, correlated so that their mutual information is `nats`."""
    rng = np.random.default_rng(number)
    rho = math.sqrt(1 - math.exp(-2 * nats))
    x, noise = rng.standard_normal((2, train + test, 1)).astype(np.float32)
    y = scale * (rho * x + math.sqrt(1 - rho**2) * noise) + 3
    return Replicate(
        number=number, x_train=x[:train], y_train=y[:train], x_test=x[train:], y_test=y[train:], seed=2**60 + number
    )


def estimates_of(method, replicates, **changes):
    return list(estimates(method, replicates, SETTINGS[method] | changes))


# The bounds of 500 pairs scatter by about 0.05. A logistic density is equally wrong in both entropies of Gaussians.
@pytest.mark.parametrize("method", SETTINGS)
def test_correlated_gaussians(method):
    (estimate,) = estimates_of(method, [gaussian_replicate()])
    assert estimate.nats == pytest.approx(NATS, abs=0.15)
    assert estimate.seconds > 0


@pytest.mark.parametrize(
    ("method", "short"), [("nwj", {"max_steps": 5, "test_every": 5}), ("doe-gaussian", {"steps": 5})]
)
def test_units_of_y_do_not_matter_and_the_seed_decides(method, short):
    plain, scaled = gaussian_replicate(), gaussian_replicate(scale=64)
    reseeded = Replicate(**vars(plain) | {"seed": plain.seed + 1})
    first, again, other_units, other_seed = (
        estimates_of(method, [replicate], **short)[0].nats for replicate in (plain, plain, scaled, reseeded)
    )
    assert first == again == pytest.approx(other_units, abs=1e-3)
    assert other_seed != first


@pytest.mark.parametrize("method", ["infonce", "doe-gaussian"])
def test_a_batch_larger_than_the_training_split_is_refused(method):
    with pytest.raises(ValueError, match="a batch of 3000 cannot be drawn from 2000 training samples"):
        estimates_of(method, [gaussian_replicate()], batch_size=3000)


@pytest.mark.parametrize("method", ["nwj", "doe-gaussian"])
def test_a_training_that_diverges_is_a_result_with_its_reason(method):
    changes = {"learning_rate": 1e30} | ({"clip": 1e30} if method.startswith("doe") else {})
    (estimate,) = estimates_of(method, [gaussian_replicate()], **changes)
    assert estimate.nats is None
    assert re.search("was nan after .* steps|was not finite at step [2-9]", estimate.not_converged)


def test_a_bound_that_is_nan_at_the_first_evaluation_is_no_estimate_even_if_later_ones_are_finite():
    log = TrainingLog(max_n_steps=20, early_stopping=True, verbose=False)
    for step, bound in ((10, math.nan), (20, 0.4)):
        log.log_train_mi(step, bound)
        log.log_test_mi(step, bound)
    estimate = critics._outcome(log, seconds=1.0)
    assert estimate.nats is None
    assert estimate.not_converged.endswith("as benchmark-mi keeps it, was nan after 20 steps")


@pytest.mark.parametrize(
    ("dim_x", "critic_widths", "doe_width"),
    [(10, [32, 32, 8], 64), (11, [128, 128, 8], 128), (50, [128, 128, 8], 128), (51, [256, 256, 8], 256)],
)
def test_the_paper_s_widths(dim_x, critic_widths, doe_width):
    assert of_critic(dim_x) == critic_widths
    assert of_network(dim_x) == doe_width


def test_a_stack_of_replicates_trains_each_as_if_alone():
    replicates = [gaussian_replicate(number, nats) for number, nats in enumerate((0.2, 0.5, 1.0))]
    together = [e.nats for e in estimates_of("doe-logistic", replicates)]
    alone = [estimates_of("doe-logistic", [r])[0].nats for r in replicates]
    assert together == pytest.approx(alone, abs=1e-4)
    assert together == pytest.approx([0.2, 0.5, 1.0], abs=0.15)


def test_a_replicate_that_diverges_leaves_the_others_as_they_are():
    fine, broken = gaussian_replicate(0), gaussian_replicate(1)
    broken = Replicate(**vars(broken) | {"y_test": broken.y_test * np.float32(1e30)})
    alone, together = estimates_of("doe-gaussian", [fine])[0], estimates_of("doe-gaussian", [fine, broken])
    assert together[0].nats == pytest.approx(alone.nats, abs=1e-4)
    assert together[1].not_converged


def test_cross_entropies_of_gaussian_models_equal_their_closed_form():
    """With the true location and scale, H(Y) - H(Y|X) is -½ log(1 - ρ²) up to the noise of the squares."""
    rng = np.random.default_rng(0)
    rho = 0.8
    x, noise = torch.from_numpy(rng.standard_normal((2, 1, 100_000, 1)))
    y = rho * x + math.sqrt(1 - rho**2) * noise
    scale = torch.tensor(math.sqrt(1 - rho**2)).log()
    marginal = -log_density(y, torch.zeros(1), torch.zeros(1), "gaussian").mean()
    conditional = -log_density(y, rho * x, scale, "gaussian").mean()
    assert marginal.item() == pytest.approx(0.5 * math.log(2 * math.pi * math.e), abs=0.01)
    assert (marginal - conditional).item() == pytest.approx(-0.5 * math.log(1 - rho**2), abs=0.01)


@pytest.mark.parametrize("density", ["gaussian", "logistic"])
def test_densities_are_those_of_torch_or_scipy(density):
    from scipy import stats

    distribution = {"gaussian": stats.norm, "logistic": stats.logistic}[density]
    y = np.linspace(-5, 40, 10).reshape(5, 2)
    location, scale = np.array([0.5, -1.0]), np.array([0.3, 2.0])
    expected = distribution.logpdf(y, location, scale).sum(axis=1)
    found = log_density(torch.from_numpy(y), torch.from_numpy(location), torch.from_numpy(scale).log(), density)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_parameters_of_a_replicate_come_from_its_seed_alone():
    (marginal, both), (_, second) = initialize([1, 2], 3, 2, 8, 2, "cpu"), initialize([2], 3, 2, 8, 2, "cpu")
    assert torch.equal(marginal, torch.zeros(2, 1, 4))
    for stacked, alone in zip(both.parameters(), second.parameters(), strict=True):
        assert torch.equal(stacked[1], alone[0])
    assert [tuple(weight.shape[1:]) for weight in second.weights] == [(3, 8), (8, 8), (8, 4)]
