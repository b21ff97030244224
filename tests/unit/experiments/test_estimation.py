"""The experiment `estimation`, small: MINE and KSG against the true mutual information of Gaussians."""

import math

import pytest
import torch

from minde.experiments import estimation
from minde.study.seeds import seed_of

SETTINGS = {"replicates": 2, "correlations": [-0.7, 0, 0.7], "dims": [1], "samples": 2000, "ksg": {"neighbors": 3}}
MINE = {"hidden": 32, "layers": 2, "batch_size": 256, "learning_rate": 2e-3, "smoothing": 0.01, "steps": 300}
LOSSES = ["mine", "mine_biased", "fdiv"]


def seed(replicate, purpose):
    return seed_of(0, "test", None, replicate, purpose)


def run(**changes):
    torch.set_num_threads(1)
    settings = SETTINGS | {"losses": LOSSES, "mine": MINE} | changes
    return estimation.run(seed=seed, device=torch.device("cpu"), **settings)


def test_every_method_is_near_the_truth_in_one_dimension():
    """Within 0.08 nats up to a correlation of 0.7 (0.34 nats): 2,000 samples scatter by about 0.02."""
    rows = run()
    assert {row.series for row in rows} == {*LOSSES, "ksg", "truth"}
    assert len(rows) == 3 * (4 * 2 + 1)
    for row in rows:
        assert row.value == pytest.approx(-0.5 * math.log(1 - row.x**2), abs=0.08), row
    assert {row.value for row in rows if row.series == "truth"} == {estimation.truth(0.7, 1), 0.0}


def test_losses_see_the_same_random_numbers_whatever_others_there_are():
    changes = {"mine": MINE | {"steps": 20}, "replicates": 1, "correlations": [0.7]}
    together = {row.series: row.value for row in run(**changes)}
    for loss in LOSSES:
        (alone,) = (row.value for row in run(losses=[loss], **changes) if row.series == loss)
        assert alone == pytest.approx(together[loss], abs=1e-5)


def test_another_correlation_or_replicate_changes_no_samples():
    """Not tested for `mine`: the gradient of its last bias is only rounding, which differs in a stack of one. Adam
    turns it into steps, which change no bound, but the running mean, and through it the gradient of `mine`."""
    changes = {"mine": MINE | {"steps": 20}, "losses": ["mine_biased", "fdiv"]}
    few = run(correlations=[0.7], replicates=1, **changes)
    many = {(row.series, row.x, row.replicate): row.value for row in run(**changes)}
    for row in few:
        tolerance = 1e-5 if row.series == "mine_biased" else 1e-6 if row.series == "fdiv" else 0
        assert row.value == pytest.approx(many[row.series, row.x, row.replicate], abs=tolerance, rel=0)


def test_the_truth_is_that_of_independent_pairs():
    assert estimation.truth(0.5, 20) == pytest.approx(20 * 0.14384, abs=1e-3)
