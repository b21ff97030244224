"""Predictions and estimates on a GPU are those of a CPU, but for rounding and other random numbers."""

import numpy as np
import pytest
import torch
from trainings import model, samples

from minde import MINDE, kl_divergence
from minde.diffusion.conditioning import VARIANTS

CUDA = torch.device("cuda")
QUICK = {"steps": 256, "replicates": 2, "random_state": 0, "device": "cuda"}
RHO = 0.75


def normals(rows: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    x, noise = np.random.default_rng(0).normal(size=(2, rows, 2))
    return x, RHO * x + np.sqrt(1 - RHO**2) * noise


@pytest.mark.parametrize("base", ["none", "gaussian", "mixture"])
@pytest.mark.parametrize("variant", ["c", "j"])
def test_the_same_weights_predict_the_same_noise(variant, base) -> None:
    x = samples(base=base)
    built, on_gpu = model(x, variant, base=base), model(x.to(CUDA), variant, base=base)
    parameters = built.network.initialize([7, 8, 9], torch.device("cpu"))
    generator = torch.Generator().manual_seed(0)
    t, noise = torch.rand(x.shape[:2], generator=generator), torch.randn(x.shape, generator=generator)
    inputs = (x, built.times.sde.perturb(x, noise, t), t)
    for score in VARIANTS[variant]:
        expected = built.noise_pred(built.network.unflatten(parameters), *inputs, score)
        moved = (tensor.to(CUDA) for tensor in inputs)
        found = on_gpu.noise_pred(on_gpu.network.unflatten(parameters.to(CUDA)), *moved, score)
        torch.testing.assert_close(found.cpu(), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("preprocess", ["standardize", "gaussianize"])
def test_what_was_fitted_on_a_gpu_estimates_the_same_on_a_cpu(preprocess, tmp_path) -> None:
    fitted = MINDE("j", preprocess=preprocess, **QUICK).fit(*normals())
    fitted.save(tmp_path / "fit")
    loaded = MINDE.load(tmp_path / "fit", device="cpu")
    for name, estimate in fitted.by_formula().items():
        assert loaded.by_formula()[name] == pytest.approx(estimate, abs=4 * estimate.std_error)
    if preprocess == "standardize":  # of ranks, entropies are unknown
        entropy = fitted.entropy("xy")
        assert loaded.entropy("xy") == pytest.approx(entropy, abs=4 * entropy.std_error)


def test_a_divergence_is_the_closed_form() -> None:
    q = np.random.default_rng(0).normal(size=(8000, 1))
    p = 1 + np.random.default_rng(1).normal(size=(4000, 1))
    assert kl_divergence(p, q, **QUICK) == pytest.approx(0.5, abs=0.1)
