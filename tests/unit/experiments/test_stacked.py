"""Stacked digits: the classifier, the modes and their divergence, and the experiment in few steps."""

import math

import pytest
import torch

from minde.experiments import stacked
from minde.experiments.networks import Draws
from minde.images.loader import load

CLASSIFIER = {"hidden": 64, "batch_size": 100, "learning_rate": 3e-3, "steps": 600, "test_share": 0.2}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def digits():
    images, labels = load("digits")
    return torch.from_numpy(images).flatten(1), torch.from_numpy(labels)


def test_labels_are_those_of_the_images():
    _, labels = load("digits")
    assert labels[:10].tolist() == list(range(10))
    assert labels.shape == (1797,)


def test_modes_and_divergence_of_known_counts():
    uniform = torch.arange(1000).repeat(3).unsqueeze(0)
    ten = torch.arange(10).repeat(300).unsqueeze(0)
    modes, divergence = stacked.coverage(torch.cat([uniform, ten]))
    assert modes.tolist() == [1000, 10]
    assert divergence.tolist() == pytest.approx([0, math.log(100)], abs=1e-9)


def test_the_classifier_reads_the_channels_of_real_images(digits):
    x, y = digits
    judges, wrong = stacked.train_classifier(x, y, [1, 2], **CLASSIFIER)
    assert wrong.max() < 0.08
    draws = Draws([5])
    chosen = draws.integers(len(x), 500, 3)
    images = x[chosen].flatten(2).expand(2, -1, -1)
    truth = (y[chosen] * torch.tensor([100, 10, 1])).sum(dim=2)
    assert (stacked.read(judges, images) == truth).float().mean() > 0.9
    modes, divergence = stacked.coverage(stacked.read(judges, stacked.stack_digits(x, Draws([5, 6]), 10_000)))
    assert modes.min() == 1000
    assert divergence.max() < 0.1


def test_the_experiment_has_numbers_of_all_replicates_and_images_of_the_first():
    rows = stacked.run(
        seed=lambda replicate, purpose: 10 * replicate + len(purpose),
        device=torch.device("cpu"),
        replicates=2,
        images="digits",
        beta=1.0,
        samples=300,
        shown=4,
        classifier=CLASSIFIER,
        gan={
            "noise": 4,
            "codes": [10, 10, 10],
            "hidden": 32,
            "layers": 1,
            "statistics": 32,
            "smoothing": 0.01,
            "batch_size": 32,
            "learning_rate": 1e-3,
            "steps": 5,
        },
    )
    counts = {(row.series, row.replicate) for row in rows if row.quantity == "modes"}
    assert counts == {(series, r) for series in ("gan", "mine", "data") for r in range(2)}
    pixels = [row for row in rows if row.quantity in stacked.CHANNELS]
    assert len(pixels) == 3 * 4 * 3 * 64  # series, images, channels, pixels
    assert all(0 <= row.value <= 1 for row in pixels)
