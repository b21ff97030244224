"""The formulas on analytic scores: no network, so any error is the formula's or the Monte Carlo's."""

import math

import pytest
import torch
from gaussians import Gaussian, gaussian_with

from minde.diffusion import estimators
from minde.diffusion.sde import SDE
from minde.diffusion.times import Times

SIGMAS = (0.5, 1.0, 3.0)
CASES = [(0.1, 1), (0.4, 1), (5.0, 1), (0.5, 3), (2.0, 3), (1.0, 10), (5.0, 10)]


def scores_of(gaussian: Gaussian, variant: str, times: Times) -> estimators.Scores:
    return estimators.Scores(
        predict=lambda *a: gaussian.noise(times.sde, *a), variant=variant, dim_x=gaussian.dim_x, times=times
    )


def estimate(gaussian: Gaussian, variant: str, *, importance_sampling: bool = True, stratified: bool = True, **options):
    # With a smaller t_eps than the paper's, the bias of the constant weight is below the Monte Carlo error.
    times = Times(sde=SDE(), t_eps=1e-5, importance_sampling=importance_sampling)
    options = {"n": 4000, "mc_draws": 4, "seeds": [1, 2]} | options
    clean = gaussian.sample(len(options["seeds"]), options.pop("n"), seed=0)
    return estimators.mutual_information(
        scores_of(gaussian, variant, times),
        clean,
        formulas=("inside", "sigma", "gap"),
        sigmas=SIGMAS,
        stratified=stratified,
        **options,
    )


@pytest.mark.parametrize("variant", ["c", "j"])
@pytest.mark.parametrize(("mutual_information", "dim"), CASES)
def test_every_formula_gives_the_mutual_information(mutual_information: float, dim: int, variant: str) -> None:
    gaussian = gaussian_with(mutual_information, dim)
    assert gaussian.mutual_information == pytest.approx(mutual_information)
    found = estimate(gaussian, variant)
    assert set(found) == {"inside", "gap", "sigma=0.5", "sigma=1", "sigma=3"}
    for name, result in found.items():
        errors = (result.value - mutual_information).abs() / result.std_error
        assert errors.max() < 4, f"{name}: {result}"
        assert result.std_error.max() < 0.05 * math.sqrt(dim) * max(1, mutual_information), name


@pytest.mark.parametrize("stratified", [True, False])
@pytest.mark.parametrize("variant", ["c", "j"])
def test_uniform_times_agree_with_importance_sampling(variant: str, stratified: bool) -> None:
    gaussian = gaussian_with(1.0, 2)
    uniform = estimate(gaussian, variant, importance_sampling=False, stratified=stratified, n=20_000)
    for name, result in estimate(gaussian, variant, stratified=stratified).items():
        spread = (result.std_error**2 + uniform[name].std_error ** 2).sqrt()
        assert ((result.value - uniform[name].value).abs() < 4 * spread).all(), name


@pytest.mark.parametrize("stratified", [True, False])
@pytest.mark.parametrize("variant", ["c", "j"])
def test_the_standard_error_is_the_spread_of_the_error(variant: str, stratified: bool) -> None:
    """Over 200 replicates the errors have the stated size; the skew of the integrands shifts their mean a little."""
    found = estimate(gaussian_with(0.5, 2), variant, seeds=range(200), n=500, stratified=stratified)
    for name, result in found.items():
        scores = (result.value - 0.5) / result.std_error
        assert 0.8 < scores.std() < 1.2, name
        assert scores.mean().abs() < 0.35, name


def test_stratified_times_lower_the_error() -> None:
    """The error due to random times vanishes: here the integrand depends on the time only."""
    times = Times(sde=SDE())

    def integrand(clean, noisy, noise, t):
        return {"variance": times.sde.variance(t)}

    def spread(stratified: bool) -> float:
        values = estimators.integrate(
            integrand, torch.zeros(20, 500, 2), times=times, mc_draws=4, stratified=stratified, seeds=range(20)
        )["variance"]
        return values.mean(dim=1).std().item()

    assert spread(True) < 0.01 * spread(False)


@pytest.mark.parametrize("sigma", [0.7, 1.0, 2.0])
@pytest.mark.parametrize("variant", ["c", "j"])
def test_entropies_are_the_gaussians(variant: str, sigma: float) -> None:
    gaussian, times = gaussian_with(1.0, 2), Times(sde=SDE())
    found = estimators.entropy(
        scores_of(gaussian, variant, times),
        gaussian.sample(2, 10_000, seed=0),
        sigma=sigma,
        mc_draws=10,
        seeds=[1, 2],
    )
    assert set(found) == {"c": {"x", "x|y"}, "j": {"xy", "x|y", "y|x", "x", "y"}}[variant]
    for name, result in found.items():
        assert ((result.value - gaussian.entropy(name)).abs() < 4 * result.std_error).all(), name


@pytest.mark.parametrize("importance_sampling", [True, False])
def test_divergences_are_the_gaussians(importance_sampling: bool) -> None:
    """KL(p || q) = ½ (log |Q|/|P| - dim + tr Q⁻¹P) of zero-mean Gaussians."""
    p, q = gaussian_with(0.6, 2), gaussian_with(0.2, 2)
    exact = 0.5 * (torch.logdet(q.covariance) - torch.logdet(p.covariance) - 4)
    exact += 0.5 * torch.trace(torch.linalg.solve(q.covariance, p.covariance))
    times = Times(sde=SDE(), t_eps=1e-5, importance_sampling=importance_sampling)

    def scores(of: Gaussian) -> estimators.Scores:
        def predict(clean, noisy, t, _):
            return of.noise(times.sde, clean, noisy, t, "joint")

        return estimators.Scores(predict=predict, variant="x", dim_x=4, times=times)

    found = estimators.divergence(
        scores(p),
        scores(q),
        p.sample(2, 10_000, seed=0),
        mc_draws=10,
        seeds=[1, 2],
    )
    assert set(found) == {"inside", "gap"}
    for name, result in found.items():
        assert ((result.value - exact).abs() < 4 * result.std_error).all(), name
        assert result.std_error.max() < 0.05


def test_a_replicate_does_not_see_the_others() -> None:
    gaussian, times = gaussian_with(0.5, 2), Times(sde=SDE())
    clean = gaussian.sample(3, 500, seed=0)

    def run(clean, seeds):
        return estimators.mutual_information(
            scores_of(gaussian, "j", times),
            clean,
            formulas=["gap"],
            sigmas=[],
            mc_draws=2,
            stratified=True,
            seeds=seeds,
        )["gap"].value

    torch.testing.assert_close(run(clean, [7, 8, 9])[1:2], run(clean[1:2], [8]), rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"formulas": ["outside"]}, r"\['outside'\]; expected some of inside, sigma, gap"),
        ({"mc_draws": 0}, "mc_draws is 0; expected at least 1"),
        ({"seeds": [0]}, "There are 1 seeds for 2 replicates"),
    ],
)
def test_what_cannot_be_estimated_is_named(change: dict, message: str) -> None:
    settings = {"formulas": ["gap"], "sigmas": [], "mc_draws": 1, "stratified": True, "seeds": [0, 1]}
    scores = scores_of(gaussian_with(0.5, 1), "c", Times(sde=SDE()))
    with pytest.raises(ValueError, match=message):
        estimators.mutual_information(scores, torch.zeros(2, 2, 2), **(settings | change))


def test_an_estimate_that_is_not_finite_is_named() -> None:

    def predict(clean, noisy, t, score):
        return noisy[..., :1] * (torch.nan if score == "marginal" else 1) ** torch.arange(len(noisy)).view(-1, 1, 1)

    with pytest.raises(FloatingPointError, match=r"'inside' of replicate 1 is nan"):
        estimators.mutual_information(
            estimators.Scores(predict=predict, variant="c", dim_x=1, times=Times(sde=SDE())),
            torch.zeros(2, 8, 2),
            formulas=["inside"],
            sigmas=[],
            mc_draws=1,
            stratified=True,
            seeds=[0, 1],
        )


@pytest.mark.parametrize("variant", ["c", "j"])
@pytest.mark.parametrize("mutual_information", [0.5, 4.0])
def test_the_growth_at_the_finest_noise_is_that_of_gaussians(variant: str, mutual_information: float) -> None:
    """The noise that is predicted has the squared length `Σ s² / (k² λ + s²)`, λ the variances along each axis."""
    gaussian, times = gaussian_with(mutual_information, 1), Times(sde=SDE())
    clean = gaussian.sample(2, 2000, seed=0)
    found = estimators.growth(scores_of(gaussian, variant, times), clean, seeds=[1, 2])
    t = torch.tensor(times.t_eps, dtype=torch.float64)
    k, variance = times.sde.mean_scale(t), times.sde.variance(t)

    def expected(of: str, given: str | None) -> float:
        eigenvalues = torch.linalg.eigvalsh(gaussian.conditional_covariance(of, given))
        return math.log(2) * (variance / (k**2 * eigenvalues + variance)).sum().item()

    assert found.keys() == {"information", *estimators.ENTROPIES_OF[variant]}
    if variant == "c":
        information = expected("x", "y") - expected("x", None)
        entropies = {"x": expected("x", None), "x|y": expected("x", "y")}
    else:
        information = expected("x", "y") + expected("y", "x") - expected("xy", None)
        entropies = {"xy": expected("xy", None), "x|y": expected("x", "y")}
    assert found["information"] == pytest.approx(information, rel=0.1)
    assert {name: found[name] for name in entropies} == pytest.approx(entropies, rel=0.1)
