"""GANs and BiGANs with MINE, in few steps: what the term must change, and what it must not."""

import pytest
import torch

from minde.experiments import bigan, gans
from minde.experiments.adversarial import Gans
from minde.experiments.networks import Draws, train
from minde.experiments.patterns import coverage, gaussians
from minde.progress import Progress

GAN = {
    "noise": 2,
    "codes": [5],
    "hidden": 32,
    "layers": 2,
    "statistics": 32,
    "smoothing": 0.01,
    "batch_size": 64,
    "learning_rate": 3e-3,
    "steps": 60,
}
BIGAN = {key: value for key, value in GAN.items() if key != "codes"} | {"latent": 2}
MEASURED = {"sigma": 0.1, "beta": 1.0, "samples": 500, "points": 20, "quorum": 0.2}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def seed(replicate, purpose):
    return sum(map(ord, purpose)) + 1000 * replicate


def values(rows, quantity):
    return {(row.series, row.replicate): row.value for row in rows if row.quantity == quantity}


def run_gans(**changes):
    return gans.run(
        seed=seed,
        device=torch.device("cpu"),
        **{"replicates": 2, "patterns": ["gaussians"], "gan": GAN} | MEASURED | changes,
    )


def test_a_term_of_no_weight_leaves_the_gan_as_it_is():
    rows = run_gans(beta=0.0)
    for quantity in ("modes", "touched", "high_quality", "information"):
        found = values(rows, quantity)
        for replicate in range(2):
            assert found["gan", replicate] == pytest.approx(found["mine", replicate], abs=1e-5)


def test_a_replicate_does_not_depend_on_how_many_there_are():
    two, one = values(run_gans(), "information"), values(run_gans(replicates=1), "information")
    for series in gans.SERIES:
        assert two[series, 0] == pytest.approx(one[series, 0], abs=1e-4)


def test_the_term_makes_samples_tell_their_code():
    """One of 5 codes has log 5 = 1.6 nats. Without the term, a GAN has no reason to make it recognisable."""
    found = values(run_gans(replicates=1, gan=GAN | {"steps": 500}), "information")
    assert found["mine", 0] > 1.0
    assert found["mine", 0] > found["gan", 0] + 0.5


@pytest.mark.slow
def test_with_the_term_a_gan_covers_at_least_as_many_modes():
    replicates, pattern = 2, gaussians(0.2)
    seeds = [seed(replicate, "networks") for replicate in range(replicates)]
    draws = Draws(seeds, 2)
    settings = GAN | {"codes": [25], "hidden": 64, "steps": 3000}
    models = Gans(2, seeds * 2, torch.tensor([0.0, 0.0, 1.0, 1.0]), **settings)

    def step():
        return models.step(pattern.draw(draws, models.batch_size), draws)

    train(step, models.optimizers, models.steps, ["a", "b", "c", "d"], Progress("GANs", models.steps, "steps"))
    found = coverage(models.sample(draws, 2500)[0], pattern, 0.2)
    without, with_term = found.modes.float().split(replicates)
    assert with_term.mean() >= without.mean()
    assert with_term.mean() >= 20


def test_bigans_with_the_term_keep_more_of_a_sample_in_its_code():
    rows = bigan.run(
        seed=seed, device=torch.device("cpu"), replicates=2, bigan=BIGAN | {"steps": 300, "noise": 2}, **MEASURED
    )
    found = values(rows, "information")
    mean = {series: sum(found[series, r] for r in range(2)) / 2 for series in bigan.SERIES}
    assert mean["mine"] > mean["bigan"]
    assert set(values(rows, "reconstruction")) == {(series, r) for series in bigan.SERIES for r in range(2)}


def test_a_training_that_diverges_stops_and_names_the_member():
    with pytest.raises(FloatingPointError, match=r"the loss of gan, replicate 0.* is not finite at step 60"):
        run_gans(gan=GAN | {"learning_rate": 1e30})
