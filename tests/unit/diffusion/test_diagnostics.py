"""Errors of scores by time, for predictors whose error is known."""

import pytest
import torch
from gaussians import gaussian_with

from minde.diffusion.conditioning import VARIANTS
from minde.diffusion.diagnostics import score_errors
from minde.diffusion.estimators import Scores
from minde.diffusion.sde import SDE
from minde.diffusion.times import Times

TIMES = Times(sde=SDE())
GAUSSIAN = gaussian_with(0.5, 2)


def errors(variant: str, offset: float):
    """Errors of the Gaussian's own scores, off by a constant."""

    def predict(*question):
        return GAUSSIAN.noise(TIMES.sde, *question) + offset

    scores = Scores(predict=predict, variant=variant, dim_x=2, times=TIMES)
    return score_errors(scores, GAUSSIAN.sample(2, 20_000, seed=0), parts=5, seeds=[1, 2])


@pytest.mark.parametrize("variant", ["c", "j"])
def test_a_gaussians_own_scores_have_no_error(variant: str) -> None:
    times, found = errors(variant, 0.0)
    assert (times.diff() > 0).all()
    assert list(found) == list(VARIANTS[variant])
    for name, by_time in found.items():
        assert by_time.shape == (2, 5)
        assert by_time.abs().max() < 2e-3, name


@pytest.mark.parametrize("variant", ["c", "j"])
def test_the_error_of_a_score_that_is_off_is_measured_at_every_time(variant: str) -> None:
    for name, by_time in errors(variant, 0.3)[1].items():
        torch.testing.assert_close(by_time, torch.full_like(by_time, 0.09), atol=0.03, rtol=0, msg=name)


def test_every_sample_counts_in_its_part_and_too_few_are_refused() -> None:
    """An error equal to the clock: its square at the middle of each part, for any number of samples."""

    def measured(n: int):
        def predict(clean, noisy, t, name):
            return GAUSSIAN.noise(TIMES.sde, clean, noisy, t, name) + 100 * TIMES.clock(t).unsqueeze(-1)

        clean = GAUSSIAN.sample(1, n, seed=0)
        scores = Scores(predict=predict, variant="c", dim_x=2, times=TIMES)
        return score_errors(scores, clean, parts=20, seeds=[1])

    times, found = measured(39)
    squared = found["marginal"][0] / 100**2
    torch.testing.assert_close(squared, TIMES.clock(times).square(), atol=0.06, rtol=0)
    with pytest.raises(ValueError, match="19 test samples are too few for the error of scores at 20 times"):
        measured(19)
