"""The distribution of times, against numerical integration."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import kstest

from minde.diffusion.gaussian import fit_moments, gaussian_scores
from minde.diffusion.sde import SDE
from minde.diffusion.times import Times, stratify

SDES = [SDE(), SDE(beta_min=0.5, beta_max=5.0), SDE(beta_min=3.0, beta_max=3.0)]


def unnormalised_density(times: Times, t: float) -> float:
    return times.rate(torch.tensor(max(t, times.t_eps), dtype=torch.float64)).item()


@pytest.mark.parametrize("sde", SDES)
@pytest.mark.parametrize("t_eps", [1e-4, 1e-3, 1e-2])
def test_normaliser_is_the_integral_of_the_density(sde: SDE, t_eps: float) -> None:
    times = Times(sde=sde, t_eps=t_eps)
    numerical, _ = quad(lambda t: unnormalised_density(times, t), 0, 1, points=[t_eps, 10 * t_eps], limit=500)
    assert times.normalizer == pytest.approx(numerical, rel=1e-7)


@pytest.mark.parametrize("sde", SDES)
def test_times_follow_the_density(sde: SDE) -> None:
    times = Times(sde=sde)
    t = times.inverse_cdf(torch.rand(500, generator=torch.Generator().manual_seed(0), dtype=torch.float64))

    def cdf(values):
        masses = [quad(lambda s: unnormalised_density(times, s), 0, v, points=[1e-3])[0] for v in values]
        return np.array(masses) / times.normalizer

    assert kstest(t.numpy(), cdf).pvalue > 0.01


def test_the_inverse_reaches_both_ends_and_the_join() -> None:
    times = Times(sde=SDE())
    join = unnormalised_density(times, 0) * times.t_eps / times.normalizer
    u = torch.tensor([0.0, join, 1.0], dtype=torch.float64)
    expected = torch.tensor([1e-9, times.t_eps, 1.0], dtype=torch.float64)
    torch.testing.assert_close(times.inverse_cdf(u), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("sde", SDES)
def test_the_clock_inverts_the_inverse(sde: SDE) -> None:
    times = Times(sde=sde)
    u = torch.linspace(0, 1, 101, dtype=torch.float64)
    torch.testing.assert_close(times.clock(times.inverse_cdf(u)), u, rtol=0, atol=2e-7)


@pytest.mark.parametrize("times", [Times(sde=SDE(), t_eps=1e-5), Times(sde=SDE(), importance_sampling=False)])
def test_weighted_mean_is_the_integral(times: Times) -> None:
    """E[w(t) f(t)] = ∫ (β/s²) f dt for an f that vanishes like s² at zero, as every exact integrand does."""

    def f(t):
        return times.sde.variance(t) / (times.sde.variance(t) + 1e-3)

    def integrand(t: float) -> float:
        t = torch.tensor(t, dtype=torch.float64)
        return (times.rate(t) * f(t)).item()

    exact, _ = quad(integrand, 1e-12, 1, points=[1e-4, 1e-3, 1e-2], limit=500)
    t = times.inverse_cdf(stratify(torch.full((200_000,), 0.5, dtype=torch.float64)))
    assert (times.weight(t) * f(t)).mean().item() == pytest.approx(exact, rel=2e-3)


def test_what_the_constant_weight_loses_below_t_eps() -> None:
    """Almost nothing for a pair of normals with 1 nat, a few per cent at 4 nats."""
    times = Times(sde=SDE())
    for nats, most in ((1.0, 2e-3), (4.0, 0.15)):
        v = math.exp(-2 * nats)
        t = times.inverse_cdf(stratify(torch.full((200_000,), 0.5, dtype=torch.float64)))
        k2, s2 = times.sde.mean_scale(t) ** 2, times.sde.variance(t)
        # E|b - a|² of that pair, in closed form.
        difference = s2 * (1 / (k2 * v + s2) - 1)
        found = 0.5 * (times.weight(t) * difference).mean().item()
        assert 0 < nats - found < most


def test_stratified_uniforms_fill_every_interval() -> None:
    u = stratify(torch.rand(3, 64))
    torch.testing.assert_close((u * 64).floor(), torch.arange(64.0).expand(3, 64))


@pytest.mark.parametrize("t_eps", [0.0, 1.0, -1e-3])
def test_impossible_t_eps_is_refused(t_eps: float) -> None:
    with pytest.raises(ValueError, match="0 < t_eps < 1"):
        Times(sde=SDE(), t_eps=t_eps)


def test_no_time_is_without_noise() -> None:
    """Uniforms are 0 once in 2^24 draws, and a Gaussian of collinear columns has no score without noise."""
    times, x = Times(sde=SDE()), torch.ones(1, 50, 2) * torch.linspace(-1, 1, 50).reshape(1, 50, 1)
    mean, covariance = fit_moments(x)
    (marginal,) = gaussian_scores("x", mean, covariance, 2).values()
    t = times.inverse_cdf(torch.zeros(1, 50))
    for predicted in marginal.predict(times.sde, x, x, t):
        assert predicted.isfinite().all()
