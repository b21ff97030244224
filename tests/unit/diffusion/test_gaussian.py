"""The Gaussian base against scores solved independently, time by time."""

from dataclasses import replace

import pytest
import torch
from gaussians import gaussian_with

from minde.diffusion.base import base_predictions
from minde.diffusion.conditioning import VARIANTS, Selection, allocate, choose, diffused_coordinates
from minde.diffusion.gaussian import fit_moments, gaussian_moments, gaussian_scores, without_chance
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
def test_white_coordinates_do_not_depend_on_eigenvectors(variant: str) -> None:
    """Another library may return other signs, and for equal eigenvalues other directions."""
    for score in scores(variant).values():
        q, _ = torch.linalg.qr(torch.randn(score.basis.shape, dtype=torch.float64))
        round_one = replace(score, eigenvalues=torch.full_like(score.eigenvalues, 0.7))
        for own, basis in ((score, -score.basis), (round_one, q @ score.basis)):
            torch.testing.assert_close(own.predict(SDE(), *draws()), replace(own, basis=basis).predict(SDE(), *draws()))


@pytest.mark.parametrize("variant", ["c", "j"])
def test_every_row_gets_the_score_it_asks_for(variant: str) -> None:
    """In blocks of one batch and, by batch and replicate, at random; unpredicted coordinates are zero."""
    clean, noisy, t = draws()
    random = Selection(choose(variant, torch.tensor([[0.1], [0.9]])), None)
    for selection in (allocate(variant, 50, torch.device("cpu")), random):
        white, found = base_predictions(scores(variant), SDE(), clean, noisy, t, selection)
        rows = selection.scores.expand(2, 50)
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


def correlated(n: int, dim: int, rho: float, replicates: int = 4) -> torch.Tensor:
    """Normals whose first coordinates of x and y are correlated; all others are independent."""
    return gaussian_with(rho, dim, pairs=1).sample(replicates, n, seed=4)


def with_canonical_correlations(squared: list[float], dim_x: int, dim_y: int) -> torch.Tensor:
    """The covariance of white x and y whose first coordinates are correlated, one pair after the other."""
    covariance = torch.eye(dim_x + dim_y, dtype=torch.float64)
    for index, r in enumerate(squared):
        covariance[index, dim_x + index] = covariance[dim_x + index, index] = r**0.5
    return covariance.unsqueeze(0)


def test_what_chance_adds_to_correlations_is_taken_away_again() -> None:
    """By the limit of Bao et al. for a correlation of the distribution; one below the end of chance is chance."""
    n, dim_x, dim_y = 401, 40, 20
    a, b = 0.1, 0.05
    truth = torch.tensor([0.9, 0.5, 0.2], dtype=torch.float64)
    found = ((truth * (1 - a) + a) * (truth * (1 - b) + b) / truth).tolist()
    end = ((a * (1 - b)) ** 0.5 + (b * (1 - a)) ** 0.5) ** 2
    moments = without_chance(with_canonical_correlations([*found, end - 1e-3], dim_x, dim_y), n, dim_x)
    torch.testing.assert_close(moments, with_canonical_correlations(truth.tolist(), dim_x, dim_y))


def test_a_perfect_correlation_stays_and_with_few_rows_none() -> None:
    perfect = with_canonical_correlations([1.0], 3, 2)
    torch.testing.assert_close(without_chance(perfect, 100, 3), perfect)
    torch.testing.assert_close(without_chance(perfect, 6, 3), torch.eye(5, dtype=torch.float64).unsqueeze(0))


@pytest.mark.parametrize(("n", "dim", "most"), [(1000, 1, 0.001), (1000, 20, 0.01), (300, 100, 0.3), (300, 160, 1e-9)])
def test_independent_variables_stay_independent(n: int, dim: int, most: float) -> None:
    """By the mutual information of the base, which without the correction is 0.2 in 20 and 26 in 100 coordinates."""
    z = torch.randn(10, n, 2 * dim, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    assert claimed(gaussian_moments(z, dim)[1], dim).mean() < most


def claimed(covariance: torch.Tensor, dim_x: int) -> torch.Tensor:
    """Return the mutual information of a Gaussian, in nats."""
    parts = (covariance[:, :dim_x, :dim_x], covariance[:, dim_x:, dim_x:], covariance)
    x, y, both = (torch.linalg.slogdet(part).logabsdet for part in parts)
    return 0.5 * (x + y - both)


def test_each_variables_own_moments_stay() -> None:
    z = correlated(200, 3, 0.6)
    for found, plain in zip(gaussian_moments(z, 2), fit_moments(z), strict=True):
        torch.testing.assert_close(
            found[..., :2, :2] if found.ndim == 3 else found, plain[..., :2, :2] if plain.ndim == 3 else plain
        )
    assert torch.equal(gaussian_moments(z, 6)[1], fit_moments(z)[1])


def test_the_correction_does_not_depend_on_the_coordinates() -> None:
    """Moments of linearly mapped variables are the mapped moments."""
    z = correlated(100, 2, 0.6)
    generator = torch.Generator().manual_seed(5)
    a = torch.block_diag(*(torch.randn(2, 2, generator=generator, dtype=z.dtype) for _ in range(2)))
    torch.testing.assert_close(gaussian_moments(z @ a.T, 2)[1], a @ gaussian_moments(z, 2)[1] @ a.T)


@pytest.mark.parametrize("dim", [1, 10, 30])
def test_the_mutual_information_of_a_base_is_near_the_truth(dim: int) -> None:
    """For 500 samples of one correlated pair, and independent others: up to 0.9 nats too high without correction."""
    z, truth = correlated(500, dim, 0.8, replicates=20), gaussian_with(0.8, dim, pairs=1).mutual_information
    assert (claimed(gaussian_moments(z, dim)[1], dim) - truth).mean().abs() < 0.03


def test_collinear_columns_and_many_samples_are_no_trouble() -> None:
    z = correlated(100_000, 2, 0.6, replicates=1)
    torch.testing.assert_close(gaussian_moments(z, 2), fit_moments(z), rtol=0, atol=5e-3)
    doubled = torch.cat([z[..., :1], z], dim=-1).float()
    torch.testing.assert_close(gaussian_moments(doubled, 3), fit_moments(doubled), rtol=0, atol=5e-3)


@pytest.mark.parametrize("variant", ["c", "j"])
def test_a_column_that_is_there_twice_counts_once(variant: str) -> None:
    """The noise of x given y and a copy of y equals that of x given y."""
    clean, noisy, t = (values.float() for values in draws())
    twice = [torch.cat([values, values[..., 3:]], dim=-1) for values in (clean, noisy)]
    once, doubled = (gaussian_scores(variant, *fit_moments(values), 3) for values in (clean, twice[0]))
    name = {"c": "conditional", "j": "x_given_y"}[variant]
    for found, expected in zip(
        doubled[name].predict(SDE(), *twice, t), once[name].predict(SDE(), clean, noisy, t), strict=True
    ):
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
