"""Maps of coordinates, on known distributions; they are fitted on training samples only."""

import pytest
import torch
from scipy.stats import ks_2samp, kstest, norm

from minde.diffusion.preprocess import fit_preprocess


def test_standardize_gives_zero_mean_and_unit_spread_to_training_samples() -> None:
    x = torch.randn(2, 500, 3) * torch.tensor([1.0, 10.0, 0.1]) + 5
    z = fit_preprocess("standardize", x)(x)
    torch.testing.assert_close(z.mean(1), torch.zeros(2, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(z.std(1), torch.ones(2, 3))


@pytest.mark.parametrize("kind", ["standardize", "gaussianize"])
def test_new_samples_are_mapped_by_what_was_fitted(kind: str) -> None:
    """A sample is mapped the same alone and with others."""
    x, new = torch.randn(2, 500, 3), torch.randn(2, 100, 3) + 3
    fitted = fit_preprocess(kind, x)
    torch.testing.assert_close(fitted(new)[:, :1], fitted(new[:, :1]))


def test_gaussianize_makes_heavy_tails_normal() -> None:
    cauchy = torch.distributions.StudentT(1.0).sample((1, 20_000, 1))
    fitted = fit_preprocess("gaussianize", cauchy)
    mapped = fitted(cauchy).flatten().numpy()
    assert kstest(mapped, norm.cdf).pvalue > 0.99
    new = torch.distributions.StudentT(1.0).sample((1, 20_000, 1))
    assert ks_2samp(fitted(new).flatten().numpy(), mapped).pvalue > 1e-3


def test_gaussianize_keeps_order_and_is_finite_beyond_the_training_samples() -> None:
    x = torch.randn(1, 100, 1)
    values = torch.linspace(-10, 10, 1001).view(1, -1, 1)
    mapped = fit_preprocess("gaussianize", x)(values).flatten()
    assert mapped.isfinite().all()
    assert (mapped.diff() >= 0).all()
    inside = (values.flatten() > x.min()) & (values.flatten() < x.max())
    assert (mapped[inside].diff() > 0).all()


def test_gaussianize_gives_equal_samples_the_middle_of_their_ranks() -> None:
    """Counts and rounded prices: a column that is half zeros is not pushed to one side."""
    x = torch.tensor([0.0, 0, 0, 0, 1, 2, 2, 3]).view(1, -1, 1)
    expected = norm.ppf(torch.tensor([2, 2, 2, 2, 4.5, 6, 6, 7.5]) / 8)
    torch.testing.assert_close(fit_preprocess("gaussianize", x)(x).flatten(), torch.tensor(expected).float())
    rounded = torch.randn(1, 10_000, 1).round()
    assert fit_preprocess("gaussianize", rounded)(rounded).mean().abs() < 0.02


def test_gaussianize_maps_every_replicate_by_its_own_samples() -> None:
    x, new = torch.randn(3, 200, 2), torch.randn(3, 50, 2)
    together = fit_preprocess("gaussianize", x)(new)
    for own, values, mapped in zip(x, new, together, strict=True):
        assert torch.equal(fit_preprocess("gaussianize", own.unsqueeze(0))(values.unsqueeze(0))[0], mapped)


def test_none_changes_nothing() -> None:
    x = torch.randn(2, 50, 3)
    assert torch.equal(fit_preprocess("none", x)(x), x)


@pytest.mark.parametrize("kind", ["none", "standardize", "gaussianize"])
def test_a_constant_coordinate_is_named(kind: str) -> None:
    x = torch.randn(2, 50, 3)
    x[1, :, 2] = 4
    with pytest.raises(ValueError, match="Coordinate 2 of replicate 1 is constant over 50 samples"):
        fit_preprocess(kind, x)


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(ValueError, match="'whiten'; expected none, standardize or gaussianize"):
        fit_preprocess("whiten", torch.randn(1, 10, 1))
