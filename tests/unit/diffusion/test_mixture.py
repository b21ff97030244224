"""The mixture base against the gradient of the mixture's density, and how its components are chosen."""

import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from minde.diffusion.base import Moments, base_scores, fit_base
from minde.diffusion.conditioning import VARIANTS, diffused_coordinates
from minde.diffusion.gaussian import gaussian_moments
from minde.diffusion.mixture import COMPONENTS, RIDGE
from minde.diffusion.sde import SDE

WEIGHTS = torch.tensor([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]], dtype=torch.float64)
DIM_X = 2
GIVEN = {"conditional": slice(2, 3), "x_given_y": slice(2, 3), "y_given_x": slice(0, 2)}


def moments() -> Moments:
    """Three components in 2 + 1 coordinates, for two replicates."""
    generator = torch.Generator().manual_seed(0)
    means = 2 * torch.randn(2, 3, 3, generator=generator, dtype=torch.float64)
    roots = torch.randn(2, 3, 3, 3, generator=generator, dtype=torch.float64)
    return {"mean": means, "covariance": roots @ roots.mT + 0.1 * torch.eye(3), "weights": WEIGHTS}


def noise_by_gradient(
    clean: torch.Tensor, noisy: torch.Tensor, t: torch.Tensor, score: str, own: slice
) -> torch.Tensor:
    """`-s_t ∇ log p_t(x_t | c)` of single rows, by automatic differentiation of the density."""
    k, variance = SDE().mean_scale(t), SDE().variance(t)
    given = GIVEN.get(score, slice(0, 0))
    found = torch.empty_like(noisy[..., own])
    for replicate, row in torch.cartesian_prod(*map(torch.arange, clean.shape[:2])).tolist():
        mean, covariance, weights = (part[replicate] for part in moments().values())
        log_weights, at = weights.log(), clean[replicate, row, given]
        if given.stop:
            seen = covariance[:, given, given] + RIDGE * torch.eye(given.stop - given.start)
            log_weights = log_weights + MultivariateNormal(mean[:, given], seen).log_prob(at)
        gain = covariance[:, own, given] @ torch.linalg.inv(covariance[:, given, given])
        centre = mean[:, own] + (gain @ (at - mean[:, given]).unsqueeze(-1)).squeeze(-1)
        spread = covariance[:, own, own] - gain @ covariance[:, given, own]
        diffused = MultivariateNormal(
            k[replicate, row] * centre,
            k[replicate, row] ** 2 * spread + variance[replicate, row] * torch.eye(spread.shape[-1]),
        )
        x = noisy[replicate, row, own].clone().requires_grad_()
        MixtureSameFamily(Categorical(logits=log_weights), diffused).log_prob(x).backward()
        found[replicate, row] = -variance[replicate, row].sqrt() * x.grad
    return found


@pytest.mark.parametrize("variant", ["c", "j"])
def test_every_score_is_the_gradient_of_the_mixture_s_density(variant: str) -> None:
    generator = torch.Generator().manual_seed(1)
    clean, noise = torch.randn(2, 2, 10, 3, generator=generator, dtype=torch.float64)
    t = torch.rand(2, 10, generator=generator, dtype=torch.float64)
    noisy = SDE().perturb(clean, noise, t)
    for name, score in base_scores(variant, moments(), DIM_X).items():
        _, found = score.predict(SDE(), clean, noisy, t)
        own = diffused_coordinates(variant, name, DIM_X, 1)
        torch.testing.assert_close(found, noise_by_gradient(clean, noisy, t, name, own))


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_of_a_gaussian_it_is_the_gaussian_base(variant: str) -> None:
    """Bit for bit, with collinear columns, also at early times."""
    x = torch.randn(2, 3000, 2, generator=torch.Generator().manual_seed(0))
    x = torch.cat([x, x[..., :1] + x[..., 1:]], dim=-1)
    dim_x = 3 if variant == "x" else 2
    t = torch.logspace(-5, 0, 3000).expand(2, -1)
    noisy = SDE().perturb(x, torch.randn(x.shape, generator=torch.Generator().manual_seed(1)), t)
    found, expected = (base_scores(variant, fit_base(kind, x, dim_x), dim_x) for kind in ("mixture", "gaussian"))
    for name, score in found.items():
        for part, of_gaussian in zip(
            score.predict(SDE(), x, noisy, t), expected[name].predict(SDE(), x, noisy, t), strict=True
        ):
            assert torch.equal(part, of_gaussian)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_there_are_as_many_components_as_clusters(count: int) -> None:
    generator = torch.Generator().manual_seed(count)
    centres = 6 * torch.randn(count, 4, generator=generator)
    codes = torch.randint(count, (4000,), generator=generator)
    x = (centres[codes] + torch.randn(4000, 4, generator=generator)).unsqueeze(0)
    means, _, weights = fit_base("mixture", x, 2).values()
    assert (weights > 0).sum() == count
    assert weights.shape == (1, COMPONENTS)
    nearest = torch.cdist(centres, means[0, :count]).min(dim=1).values
    assert nearest.max() < 0.5


def test_a_grid_of_clusters_is_found_though_no_two_halves_are_apart() -> None:
    generator = torch.Generator().manual_seed(0)
    centres = 8 * torch.cartesian_prod(torch.arange(5.0), torch.arange(5.0))
    x = centres[torch.randint(25, (4000,), generator=generator)] + torch.randn(4000, 2, generator=generator)
    weights = fit_base("mixture", ((x - x.mean(0)) / x.std(0)).unsqueeze(0), 1)["weights"]
    assert 24 <= (weights > 0).sum() <= 26


@pytest.mark.parametrize(
    "shape", ["uniform", "wiggly", "half_cube", "squared", "parabola", "wave", "circle", "swiss_roll"]
)
def test_one_cluster_of_another_shape_has_one_component(shape: str) -> None:
    x, noise = torch.randn(2, 4000, generator=torch.Generator().manual_seed(0))
    y = 0.75 * x + (1 - 0.75**2) ** 0.5 * noise
    u = 2 * torch.special.ndtr(x) - 1
    turn = torch.pi * u
    x, y = {
        "uniform": (torch.special.ndtr(x), torch.special.ndtr(y)),
        "wiggly": (x + 0.4 * x.sin(), y + 0.2 * (1.7 * y + 1).sin()),
        "half_cube": (x * x.abs().sqrt(), y * y.abs().sqrt()),
        "squared": (x, x.square() + 2 * noise),
        "parabola": (u, u.square() + 0.02 * noise),
        "wave": (u, (4 * u).sin() + 0.05 * noise),
        "circle": ((1 + 0.05 * noise) * turn.cos(), turn.sin()),
        "swiss_roll": ((2 + u) * (3 * turn).cos(), (2 + u) * (3 * turn).sin()),
    }[shape]
    rows = torch.stack([x, y], dim=-1)
    weights = fit_base("mixture", ((rows - rows.mean(0)) / rows.std(0)).unsqueeze(0), 1)["weights"]
    assert (weights > 0).sum() == 1


@pytest.mark.parametrize("shape", ["rings", "moons", "parabolas"])
def test_curved_clusters_have_a_component_each(shape: str) -> None:
    """The joined component has the moments of its cluster, without chance."""
    generator = torch.Generator().manual_seed(0)
    u, codes = torch.rand(4000, generator=generator), torch.arange(4000) % 2
    turn = torch.pi * u
    x, y = {
        "rings": ((1 + 2 * codes) * (2 * turn).cos(), (1 + 2 * codes) * (2 * turn).sin()),
        "moons": ((1 - 2 * codes) * turn.cos() + codes, (1 - 2 * codes) * turn.sin() + 0.5 * codes),
        "parabolas": (u + 3 * codes, 4 * (u - 0.5).square() + codes),
    }[shape]
    rows = torch.stack([x, y], dim=-1) + 0.05 * torch.randn(4000, 2, generator=generator)
    rows = (rows - rows.mean(0)) / rows.std(0)
    means, covariances, weights = fit_base("mixture", rows.unsqueeze(0), 1).values()
    assert (weights > 0).sum() == 2
    for code in (0, 1):
        mean, covariance = gaussian_moments(rows[codes == code].unsqueeze(0), 1)
        errors = torch.maximum(
            (means[0, :2] - mean).abs().amax(1), (covariances[0, :2] - covariance).abs().amax((1, 2))
        )
        assert errors.min() < 0.02


@pytest.mark.parametrize(("rows", "columns"), [(30, 10), (60, 40), (480, 800)])
def test_few_rows_of_one_cluster_stay_one(rows: int, columns: int) -> None:
    x = torch.randn(8, rows, columns, generator=torch.Generator().manual_seed(0))
    assert ((fit_base("mixture", x, columns // 2)["weights"] > 0).sum(dim=1) == 1).all()


def test_few_rows_of_clusters_in_many_columns() -> None:
    """Each cluster is found; they share the covariance of all rows about their means, without what chance adds."""
    generator = torch.Generator().manual_seed(0)
    codes = torch.arange(1000) % 4
    x = (6 * torch.randn(4, 40, generator=generator))[codes] + torch.randn(1000, 40, generator=generator)
    x[:, 20] = x[:, 0] + x[:, 20]  # a correlation that all share
    means, covariances, weights = fit_base("mixture", x.unsqueeze(0), 20).values()
    torch.testing.assert_close(weights[0, :5], torch.tensor([0.25, 0.25, 0.25, 0.25, 0]))
    of_clusters = torch.stack([x[codes == code].mean(0) for code in range(4)])
    assert torch.cdist(of_clusters, means[0, :4]).min(dim=1).values.max() < 1e-4
    _, expected = gaussian_moments((x - of_clusters[codes]).unsqueeze(0), 20)
    torch.testing.assert_close(covariances[0, :4], expected.expand(4, -1, -1), rtol=0, atol=0.01)


def test_a_cluster_of_another_shape_has_a_covariance_of_its_own() -> None:
    generator = torch.Generator().manual_seed(0)
    codes = torch.arange(2000) % 4
    x = torch.randn(2000, 10, generator=generator) * torch.tensor([1.0, 1.0, 1.0, 0.2])[codes].unsqueeze(1)
    x += (10 * torch.randn(4, 10, generator=generator))[codes]
    means, covariances, _ = fit_base("mixture", x.unsqueeze(0), 5).values()
    of_clusters = torch.stack([x[codes == code].mean(0) for code in range(4)])
    order = torch.cdist(of_clusters, means[0, :4]).argmin(dim=1)
    spread = covariances[0, order].diagonal(dim1=1, dim2=2).mean(dim=1).sqrt()
    torch.testing.assert_close(spread[3], torch.tensor(0.2), rtol=0, atol=0.01)
    assert (spread[:3] > 0.7).all()


def test_layers_of_one_cluster_stay_several_components() -> None:
    """Heavy tails: their exact scores are far from those of a Gaussian with their moments."""
    generator = torch.Generator().manual_seed(0)
    shared = torch.randn(4000, 1, generator=generator).abs()
    rows = torch.randn(4000, 2, generator=generator) / shared  # Student-t with one degree of freedom
    weights = fit_base("mixture", ((rows - rows.mean(0)) / rows.std(0)).unsqueeze(0), 1)["weights"]
    assert (weights > 0).sum() > 3


def test_a_replicate_is_the_same_in_any_stack() -> None:
    """Many clusters, two, and one: fits and predictions are the same bit for bit."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 1000, 4, generator=generator)
    x[0] += 20 * torch.randn(21, 4, generator=generator)[torch.arange(1000) % 21]
    x[1, :500] += 10
    t = torch.full((3, 1000), 0.1)
    whole = fit_base("mixture", x, 2)
    many, *others = (whole["weights"] > 0).sum(dim=1).tolist()
    assert many > 16
    assert others == [2, 1]
    for replicate in (slice(0, 1), slice(1, 2), slice(2, 3)):
        alone = fit_base("mixture", x[replicate], 2)
        assert all(torch.equal(alone[name], whole[name][replicate]) for name in whole)
        for name, score in base_scores("j", alone, 2).items():
            stacked = base_scores("j", whole, 2)[name].predict(SDE(), x, x, t)
            for part, of_whole in zip(
                score.predict(SDE(), x[replicate], x[replicate], t[replicate]), stacked, strict=True
            ):
                assert torch.equal(part, of_whole[replicate])


def test_classes_in_columns_of_0_and_1_give_finite_predictions() -> None:
    codes = torch.eye(5)[torch.arange(1000) % 5]
    x = torch.cat([codes + 0.1 * torch.randn(1000, 5, generator=torch.Generator().manual_seed(0)), codes], dim=-1)
    x = ((x - x.mean(0)) / x.std(0)).unsqueeze(0)
    for t in (0.0, 1e-5, 0.5, 1.0):
        for score in base_scores("j", fit_base("mixture", x, 5), 5).values():
            for part in score.predict(SDE(), x, x, torch.full((1, 1000), t)):
                assert part.isfinite().all()


def test_samples_that_are_not_finite_are_left_to_the_training() -> None:
    x = torch.full((1, 50, 2), torch.nan)
    assert fit_base("mixture", x, 1)["mean"].isnan().all()
