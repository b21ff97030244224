"""Networks as models of a density: the scores that they learn for a Gaussian are correct at every time."""

import pytest
import torch
from gaussians import gaussian_with

from minde.diffusion.conditioning import VARIANTS
from minde.diffusion.model import build_model
from minde.diffusion.recipe import Recipe
from minde.diffusion.sde import SDE
from minde.diffusion.times import Times
from minde.diffusion.training import start, train_stack

CPU = torch.device("cpu")
RECIPE = Recipe(
    steps=600,
    batch_size=256,
    learning_rate=2e-3,
    schedule="cosine",
    weight_decay=0.0,
    ema_decay=0.99,
    score_choice="per_sample",
    times="stratified",
)
# Root mean square error of the predicted noise, which has a standard deviation of 1; a score's is this divided by s_t.
ERROR = 0.12
PARTS = 8


@pytest.mark.parametrize("variant", ["c", "j"])
def test_learned_scores_are_the_gaussians_at_every_time(variant: str) -> None:
    """Without a Gaussian base, which would be exact; in each of equal shares of the training times."""
    gaussian, times = gaussian_with(0.4, 1), Times(sde=SDE())
    model = build_model(
        variant=variant,
        dim_x=1,
        dim_y=1,
        n_train=20_000,
        times=times,
        hidden=32,
        middle_blocks=1,
        architecture="residual",
        moments={},
        device=CPU,
    )
    state = start(model, [0], CPU)
    for _ in train_stack(model, gaussian.sample(1, 20_000, seed=0).float(), RECIPE, [0], state):
        pass
    parameters = model.network.unflatten(state.average)
    clean = gaussian.sample(1, PARTS * 500, seed=1)
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    t = times.inverse_cdf((torch.arange(PARTS * 500, dtype=torch.float64) / (PARTS * 500)).unsqueeze(0))
    noisy = times.sde.perturb(clean, noise, t)
    for name in VARIANTS[variant]:
        learned = model.noise_pred(parameters, clean.float(), noisy.float(), t.float(), name)
        squared = (learned - gaussian.noise(times.sde, clean, noisy, t, name)).square().mean(dim=-1)
        by_time = squared.unflatten(1, (PARTS, -1)).mean(dim=-1).sqrt().squeeze(0)
        assert by_time.max() < ERROR, f"{name}: {by_time.tolist()} from t = 0 to 1"
