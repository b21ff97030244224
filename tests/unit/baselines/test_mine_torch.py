"""Our MINE on correlated Gaussians of known mutual information, and against benchmark-mi's."""

import numpy as np
import pytest
import torch
from test_trained_competitors import CRITICS, gaussian_replicate

from minde.baselines import Replicate, estimates
from minde.baselines.mine import LOSSES

OPTIONS = {"hidden": 32, "layers": 2, "batch_size": 256, "learning_rate": 2e-3, "smoothing": 0.01, "steps": 500}
TRUTHS = (0.0, 0.2, 0.5, 1.0)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def estimates_of(replicates, **changes):
    return list(estimates("mine-torch", replicates, OPTIONS | {"loss": "mine"} | changes))


# The bounds of 2,000 pairs scatter by about 0.04 nats at 1 nat.
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_finds_known_information(loss):
    replicates = [gaussian_replicate(number, nats, test=2000) for number, nats in enumerate(TRUTHS)]
    assert [e.nats for e in estimates_of(replicates, loss=loss)] == pytest.approx(TRUTHS, abs=0.12)


def test_as_benchmark_mis_mine_to_a_tenth_of_a_nat():
    """Both use the same samples; theirs takes the best of its evaluations, ours the last state."""
    replicates = [gaussian_replicate(number, nats, test=2000) for number, nats in enumerate((0.2, 1.0))]
    theirs = CRITICS | {"hidden": [32, 32], "batch_size": 256, "max_steps": 500, "mean_decay": 0.99}
    expected = [e.nats for e in estimates("mine", replicates, theirs)]
    assert [e.nats for e in estimates_of(replicates)] == pytest.approx(expected, abs=0.1)


def test_a_stack_trains_each_replicate_as_if_alone():
    replicates = [gaussian_replicate(number, nats) for number, nats in enumerate((0.2, 0.5, 1.0))]
    together = [e.nats for e in estimates_of(replicates, steps=50)]  # rounding grows with the steps
    alone = [estimates_of([replicate], steps=50)[0].nats for replicate in replicates]
    assert together == pytest.approx(alone, abs=1e-4)


def test_units_do_not_matter_and_the_seed_decides():
    plain, scaled = gaussian_replicate(), gaussian_replicate(scale=64)
    reseeded = Replicate(**vars(plain) | {"seed": plain.seed + 1})
    first, again, other_units, other_seed = (
        estimates_of([replicate], steps=5)[0].nats for replicate in (plain, plain, scaled, reseeded)
    )
    assert first == again == pytest.approx(other_units, abs=1e-3)
    assert other_seed != first


def test_a_training_that_diverges_is_a_result_with_its_reason_and_its_own():
    fine, broken = gaussian_replicate(0), gaussian_replicate(1)
    broken = Replicate(**vars(broken) | {"x_test": broken.x_test * np.float32(1e37)})
    broken.x_train[:] *= 1e-3  # so that standardized test samples exceed float32
    alone, together = estimates_of([fine], steps=50)[0], estimates_of([fine, broken], steps=50)
    assert together[0].nats == pytest.approx(alone.nats, abs=1e-4)
    assert together[1].nats is None
    assert "the bound on the test samples is" in together[1].not_converged
    (lost,) = estimates_of([fine], learning_rate=1e30, steps=20)
    assert "the loss was not finite at step" in lost.not_converged


def test_a_batch_larger_than_the_training_split_is_refused():
    with pytest.raises(ValueError, match="a batch of 3000 cannot be drawn from 2000 training samples"):
        estimates_of([gaussian_replicate()], batch_size=3000)
