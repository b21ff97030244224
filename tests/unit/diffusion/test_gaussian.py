"""The Gaussian base against scores solved independently, time by time."""

import pytest
import torch
from gaussians import gaussian_with

from minde.diffusion.conditioning import VARIANTS, allocate, choose, diffused_coordinates
from minde.diffusion.gaussian import fit_moments, gaussian_predictions, gaussian_scores
from minde.diffusion.sde import SDE

GAUSSIAN = gaussian_with(0.8, 3, pairs=2)


def draws(n: int = 50):
    clean = GAUSSIAN.sample(2, n, seed=1)
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    t = torch.rand(2, n, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    return clean, SDE().perturb(clean, noise, t), t


def scores(variant: str):
    mean = torch.zeros(2, 6, dtype=torch.float64)
    return gaussian_scores(variant, mean, GAUSSIAN.covariance.expand(2, 6, 6), 3)


@pytest.mark.parametrize("variant", ["c", "j"])
def test_every_score_is_the_gaussians(variant: str) -> None:
    for name, score in scores(variant).items():
        _, noise = score.predict(SDE(), *draws())
        torch.testing.assert_close(noise, GAUSSIAN.noise(SDE(), *draws(), name))


@pytest.mark.parametrize("t", [1e-4, 0.1, 1.0])
@pytest.mark.parametrize("variant", ["c", "j"])
def test_white_coordinates_are_white_at_every_time(variant: str, t: float) -> None:
    clean = GAUSSIAN.sample(2, 20_000, seed=1)
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    times = torch.full(clean.shape[:2], t, dtype=torch.float64)
    for score in scores(variant).values():
        white, _ = score.predict(SDE(), clean, SDE().perturb(clean, noise, times), times)
        mean, covariance = fit_moments(white)
        assert mean.abs().max() < 0.03
        assert (covariance - torch.eye(white.shape[-1])).abs().max() < 0.05


@pytest.mark.parametrize("variant", ["c", "j"])
def test_every_row_gets_the_score_it_asks_for(variant: str) -> None:
    """In blocks of one batch and, by batch and replicate, at random; unpredicted coordinates are zero."""
    clean, noisy, t = draws()
    random = choose(variant, torch.tensor([[0.1], [0.9]]))
    for selection in (allocate(variant, 50, torch.device("cpu")), random):
        white, found = gaussian_predictions(scores(variant), SDE(), clean, noisy, t, selection)
        rows = selection.rows.expand(2, 50)
        for index, name in enumerate(VARIANTS[variant]):
            diffused = diffused_coordinates(variant, name, 3, 3)
            own_white, own_noise = scores(variant)[name].predict(SDE(), clean, noisy, t)
            for of_all, own in ((white, own_white), (found, own_noise)):
                expected = torch.zeros_like(clean)
                expected[..., diffused] = own
                torch.testing.assert_close(of_all[rows == index], expected[rows == index])


def test_the_mean_moves_the_score() -> None:
    """Shifting samples and mean together changes no noise prediction."""
    clean, _, t = draws()
    shift = torch.arange(6, dtype=torch.float64)
    noise = torch.randn_like(clean)
    moved = gaussian_scores("j", shift.expand(2, 6), GAUSSIAN.covariance.expand(2, 6, 6), 3)
    for name, score in scores("j").items():
        here = score.predict(SDE(), clean, SDE().perturb(clean, noise, t), t)
        there = moved[name].predict(SDE(), clean + shift, SDE().perturb(clean + shift, noise, t), t)
        torch.testing.assert_close(here, there)


def test_moments_are_the_samples() -> None:
    x = torch.randn(2, 100, 4) * 3 + 1
    mean, covariance = fit_moments(x)
    torch.testing.assert_close(mean, x.mean(1))
    for r in range(2):
        torch.testing.assert_close(covariance[r], torch.cov(x[r].T))


def test_a_variable_that_determines_the_other_gives_finite_scores() -> None:
    covariance = torch.ones(1, 2, 2)
    for score in gaussian_scores("j", torch.zeros(1, 2), covariance, 1).values():
        for part in score.predict(SDE(), torch.ones(1, 5, 2), torch.ones(1, 5, 2), torch.full((1, 5), 1e-5)):
            assert part.isfinite().all()
