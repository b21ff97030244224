"""KL divergences between sets of samples, against closed forms and numerical integration."""

import numpy as np
import pytest
from pairs import SMALL
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning

from minde import kl_divergence


def test_the_divergence_of_normals_is_the_closed_form() -> None:
    """KL = ½ (log |Q|/|P| - dim + tr Q⁻¹P + (m_q - m_p)ᵀ Q⁻¹ (m_q - m_p)), with different numbers of samples."""
    generator = np.random.default_rng(0)
    p_covariance, q_covariance = np.array([[1.0, 0.6], [0.6, 1.0]]), np.array([[2.0, -0.3], [-0.3, 1.5]])
    shift = np.array([0.5, -0.2])
    p = generator.multivariate_normal([7, 7], p_covariance, size=3000)
    q = generator.multivariate_normal([7 + shift[0], 7 + shift[1]], q_covariance, size=4000)
    inverse = np.linalg.inv(q_covariance)
    exact = 0.5 * (np.log(np.linalg.det(q_covariance) / np.linalg.det(p_covariance)) - 2)
    exact += 0.5 * (np.trace(inverse @ p_covariance) + shift @ inverse @ shift)
    for formula in ("inside", "gap"):
        found = kl_divergence(p, q, formula=formula, replicates=2, **SMALL)
        assert abs(found - exact) < 4 * found.std_error
        assert found.std_error < 0.1


@pytest.mark.parametrize("formula", ["inside", "gap"])
def test_a_distribution_does_not_diverge_from_itself(formula) -> None:
    generator = np.random.default_rng(0)
    p, q = generator.normal(size=(2, 2000))
    found = kl_divergence(p, q, formula=formula, replicates=2, **SMALL)
    assert abs(found) < max(0.02, 4 * found.std_error)


def test_what_is_not_normal_is_seen() -> None:
    """A mixture against a normal with its mean and variance, without a Gaussian base, for which they are the same.

    A training this short finds most of the divergence, and not more than there is.
    """
    generator = np.random.default_rng(0)
    p = generator.normal(size=3000) * 0.5 + generator.choice([-1, 1], size=3000)
    q = generator.normal(size=3000) * np.sqrt(1.25)

    def integrand(x: float) -> float:
        density = 0.5 * (norm.pdf(x, -1, 0.5) + norm.pdf(x, 1, 0.5))
        return density * (np.log(density) - norm.logpdf(x, 0, np.sqrt(1.25)))

    exact, _ = quad(integrand, -6, 6)
    settings = SMALL | {"steps": 480, "batch_size": 128, "hidden": 32, "learning_rate": 5e-3}
    settings |= {"base": "none", "architecture": "residual"}
    found = kl_divergence(p, q, formula="inside", replicates=1, **settings)
    assert exact / 2 < found < exact + 3 * found.std_error


def test_an_outlier_is_warned_of() -> None:
    """A single row of p that is far from all others decides the estimate."""
    p, q = np.random.default_rng(0).normal(size=(2, 1000))
    p[3] = 200
    with pytest.warns(UserWarning, match="a few rows decide the estimate"):
        kl_divergence(p, q, **SMALL | {"replicates": 5})


def test_values_that_standardizing_would_hide_are_warned_of() -> None:
    p, q = np.random.default_rng(0).normal(size=(2, 1000))
    q[:50] = -9999
    with pytest.warns(UserWarning, match=r"q: column 0 has an interquartile range of 0\.000\d+ standard deviations"):
        kl_divergence(p, q, replicates=1, **SMALL)


def test_a_distribution_that_is_narrower_than_the_diffusion_resolves_is_warned_of() -> None:
    p, q = np.random.default_rng(0).normal(size=(2, 400, 2))
    p[:, 1] *= 1e-3
    with pytest.warns(UserWarning, match=r"p: column 1 has a standard deviation of 0\.0014 of"):
        kl_divergence(p, q, replicates=1, **SMALL)


def test_without_preprocessing_columns_are_not_compared_with_the_spread_of_both() -> None:
    """Their scale is warned of: it is what the diffusion sees."""
    p, q = 0.02 * np.random.default_rng(0).normal(size=(2, 400))
    with pytest.warns(UserWarning, match="which preprocess='none' leaves") as warned:
        kl_divergence(p, q, preprocess="none", replicates=1, **SMALL)
    assert not any("of that of p and q together" in str(one.message) for one in warned)


def test_rows_of_p_where_q_has_none_are_warned_of() -> None:
    p, q = np.random.default_rng(0).uniform(size=(2, 1000))
    with pytest.warns(UserWarning, match=r"p: column 0: \d+% of p's rows are far outside the range of q's"):
        kl_divergence(2 * p, q, replicates=1, **SMALL)


def test_formulas_that_are_apart_are_warned_of() -> None:
    """Few samples in many columns, memorized."""
    p, q = np.random.default_rng(0).normal(size=(2, 200, 20))
    settings = SMALL | {"steps": 512, "weight_decay": 0.0, "learning_rate": 1e-2, "hidden": 64, "mc_draws": 10}
    with pytest.warns(ConvergenceWarning, match="inside says .* nats and gap"):
        kl_divergence(p, q, replicates=1, **settings)
