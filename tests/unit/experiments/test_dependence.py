"""The experiment `dependence`, small: the true value against closed forms, the methods against the true value."""

import math

import pytest
import torch

from minde.experiments import dependence
from minde.study.seeds import seed_of

MINE = {"hidden": 32, "layers": 2, "batch_size": 256, "learning_rate": 3e-3, "smoothing": 0.01, "steps": 300}
MINDE = {
    "hidden": 32,
    "middle_blocks": 2,
    "architecture": "gated",
    "base": "mixture",
    "batch_size": 128,
    "learning_rate": 2e-3,
    "weight_decay": 600,
    "schedule": "cosine",
    "ema_decay": 0.999,
    "importance_sampling": True,
    "score_choice": "per_sample",
    "times": "stratified",
    "steps": 150,
    "mc_draws": 5,
}
SETTINGS = {"replicates": 2, "functions": ["linear", "sine"], "noises": [0, 0.5], "samples": 2000, "loss": "mine"}


def test_the_truth_has_its_limits():
    """For little noise H(f(X)) - H(σ ε); for much noise half of the ratio of the variances; infinite without noise."""
    little, much = 0.0005, 10.0
    noise = 0.5 * math.log(2 * math.pi * math.e * little**2)
    # E log |f'|: for sin x the mean of log cos x; for x³ log 3 - 2, with slower convergence since it is flat at 0.
    for function, slope, error in (("linear", 0.0, 0.02), ("sine", -0.1875, 0.02), ("cubic", math.log(3) - 2, 0.1)):
        assert dependence.truth(function, little) == pytest.approx(math.log(2) + slope - noise, abs=error)
    for function, variance in (("linear", 1 / 3), ("cubic", 1 / 7), ("sine", 0.5 - math.sin(2) / 4)):
        assert dependence.truth(function, much) == pytest.approx(variance / (2 * much**2), rel=0.02)
        assert dependence.truth(function, 0.0) == math.inf
    with pytest.raises(ValueError, match="a noise of 1e-14 is too small for the true value; expected 0 or at least"):
        dependence.truth("linear", 1e-14)


@pytest.mark.parametrize("function", dependence.FUNCTIONS)
def test_inverses_are_inverse(function):
    f, inverse = dependence.FUNCTIONS[function]
    x = torch.linspace(-1, 1, 11).double().numpy()
    assert inverse(f(x)) == pytest.approx(x, abs=1e-7)


def test_methods_are_near_the_truth_with_noise_and_finite_without():
    """Within 0.1 nats at 0.4: measured errors are below 0.06. Without noise, estimates are larger but finite."""
    torch.set_num_threads(1)
    rows = dependence.run(
        seed=lambda replicate, purpose: seed_of(0, "test", None, replicate, purpose),
        device=torch.device("cpu"),
        mine=MINE,
        minde=MINDE,
        ksg={"neighbors": 3},
        **SETTINGS,
    )
    truths = {(row.panel, row.x): row.value for row in rows if row.series == "truth"}
    estimates = [row for row in rows if row.series != "truth"]
    assert {row.series for row in estimates} == {"mine", "minde-c", "ksg"}
    assert len(estimates) == 2 * 2 * 2 * 3
    for row in estimates:
        if row.x:
            assert row.value == pytest.approx(truths[row.panel, row.x], abs=0.1), row
        else:
            assert truths[row.panel, row.x] == math.inf
            assert 1.5 < row.value < math.inf, row
