"""The information bottleneck: the mixture's information against a known answer, and what beta does."""

import math

import pytest
import torch

from minde.experiments import bottleneck

NETWORK = {
    "latent": 4,
    "hidden": 32,
    "layers": 1,
    "statistics": 32,
    "smoothing": 0.01,
    "batch_size": 100,
    "learning_rate": 5e-3,
    "steps": 300,
}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0])
def test_the_mixture_s_information_of_gaussian_means_is_that_of_a_channel(scale):
    """Means of variance s² and noise of variance 1, in each of 2 coordinates: log(1 + s²) / 2 nats each."""
    generator = torch.Generator().manual_seed(0)
    mean = scale * torch.randn(1, 4000, 2, generator=generator)
    z = mean + torch.randn(1, 4000, 2, generator=generator)
    assert bottleneck.mixture_information(z, mean).item() == pytest.approx(math.log(1 + scale**2), abs=0.03)


def test_means_far_apart_tell_every_image():
    mean = 100.0 * torch.arange(50.0).reshape(1, 50, 1)
    assert bottleneck.mixture_information(mean + 0.1, mean).item() == pytest.approx(math.log(50), abs=1e-5)


def test_beta_trades_information_for_error():
    rows = bottleneck.run(
        seed=lambda replicate, purpose: 10 * replicate + len(purpose),
        device=torch.device("cpu"),
        replicates=1,
        images="digits",
        test_share=0.4,
        betas=[0, 0.1, 10],
        network=NETWORK,
        evaluation=1000,
    )
    found = {(row.series, row.x): row.value for row in rows}
    free, some, all_of_it = ({name: found[name, beta] for name in bottleneck.QUANTITIES} for beta in (0, 0.1, 10))
    assert free["error"] < 0.2
    assert all_of_it["error"] > 0.5
    assert free["mixture"] > some["mixture"] > all_of_it["mixture"]
    assert all_of_it["mixture"] < 0.3
    # A lower bound up to sampling noise; the mixture's estimate is at most the logarithm of 1000.
    assert some["mine"] == pytest.approx(some["mixture"], abs=1.0)
    for measured in (free, some, all_of_it):
        assert measured["label"] <= math.log(10)
        assert measured["mixture"] <= math.log(1000) + 1e-4
