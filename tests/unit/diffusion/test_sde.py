"""The transition of the SDE, against the equations that define it."""

import pytest
import torch

from minde.diffusion.sde import SDE


def test_mean_and_variance_solve_their_differential_equations() -> None:
    """dk/dt = -½ β k, and d(s²)/dt = β (1 - s²)."""
    sde = SDE()
    t = torch.linspace(0.001, 1, 50, dtype=torch.float64, requires_grad=True)
    k, variance = sde.mean_scale(t), sde.variance(t)
    (dk,) = torch.autograd.grad(k.sum(), t)
    (dvariance,) = torch.autograd.grad(variance.sum(), t)
    torch.testing.assert_close(dk, -0.5 * sde.beta(t) * k)
    torch.testing.assert_close(dvariance, sde.beta(t) * (1 - variance))


def test_transition_starts_at_the_sample_and_ends_at_standard_normal() -> None:
    sde = SDE()
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
    assert sde.mean_scale(ends)[0] == 1
    assert sde.variance(ends)[0] == 0
    assert sde.mean_scale(ends)[1] < 0.01
    torch.testing.assert_close(sde.mean_scale(ends) ** 2 + sde.variance(ends), torch.ones(2, dtype=torch.float64))


def test_variance_keeps_its_digits_near_zero() -> None:
    """In float32, 1 - exp(-x) has no accurate digit left at t = 1e-7."""
    t = torch.tensor([1e-7])
    torch.testing.assert_close(SDE().variance(t).double(), SDE().variance(t.double()), rtol=1e-6, atol=0)


def test_perturb_scales_sample_and_noise() -> None:
    sde = SDE()
    clean, noise = torch.full((2, 3, 4), 2.0), torch.full((2, 3, 4), 3.0)
    t = torch.rand(2, 3)
    expected = 2 * sde.mean_scale(t) + 3 * sde.variance(t).sqrt()
    torch.testing.assert_close(sde.perturb(clean, noise, t), expected.unsqueeze(-1).expand(2, 3, 4))


@pytest.mark.parametrize(("low", "high"), [(0.0, 20.0), (5.0, 1.0)])
def test_impossible_betas_are_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="0 < beta_min <= beta_max"):
        SDE(beta_min=low, beta_max=high)
