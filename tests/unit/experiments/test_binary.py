"""Tishby's binary network: the decision rule, binned mutual information against known answers, and the training."""

import numpy as np
import pytest
import torch

from minde.experiments import binary
from minde.study.sizes import BINARY_PATTERNS


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.mark.parametrize("information", [0.3, 0.99])
def test_the_rule_has_the_information_asked_for(information):
    chance = binary.rule(binary.all_patterns(), information)
    joint = np.stack([1 - chance, chance]) / len(chance)  # of Y and X, as a table
    product = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    there = joint > 0
    assert (joint[there] * np.log2(joint[there] / product[there])).sum() == pytest.approx(information, abs=1e-6)
    assert binary.binary_information(chance) == pytest.approx(information, abs=1e-6)


def test_the_rule_is_the_same_for_a_pattern_and_its_opposite():
    patterns = binary.all_patterns()
    assert len(np.unique(patterns, axis=0)) == BINARY_PATTERNS  # what the config is checked against
    chance = binary.rule(patterns, 0.99)
    np.testing.assert_allclose(chance, chance[::-1])  # the numbers count up, so the opposite is the mirror image


@pytest.mark.parametrize("information", [0.0, 0.9999])
def test_a_rule_that_does_not_exist_is_refused(information):
    """4 of the 4,096 patterns lie at the median, so that at most 4,092 / 4,096 bits are possible."""
    with pytest.raises(ValueError, match=rf"is {information} bits; expected more than 0 and less than 0\.9990"):
        binary.rule(binary.all_patterns(), information)


def test_binned_information_of_known_layers():
    patterns = binary.all_patterns()
    chance = binary.rule(patterns, 0.99)
    whole = binary.binned_information(patterns, chance, 30)
    assert whole == pytest.approx((12, 0.99), abs=1e-6)  # all of X
    three = binary.binned_information(patterns[:, :3], chance, 30)
    assert three[0] == pytest.approx(3, abs=1e-9)  # three of its bits
    assert binary.binned_information(0 * patterns, chance, 30) == pytest.approx((0, 0), abs=1e-9)
    label = 2.0 * (chance[:, None] > 0.5) - 1
    assert binary.binned_information(label, chance, 30)[0] == pytest.approx(1, abs=1e-3)


def test_fewer_bins_hold_less():
    activations = np.tanh(binary.all_patterns()[:, :6] @ np.random.default_rng(0).standard_normal((6, 2)))
    chance = binary.rule(binary.all_patterns(), 0.99)
    found = [binary.binned_information(activations, chance, bins) for bins in (2, 8, 64)]
    assert found == sorted(found)
    assert found[-1][0] <= 6 + 1e-9  # of the six bits that the layer sees


def test_epochs_are_spread_in_logarithm():
    assert binary.logarithmic(100, 3) == [0, 1, 10, 100]


def test_layers_hold_less_and_less_and_learn_the_label():
    rows = binary.run(
        seed=lambda replicate, purpose: 10 * replicate + len(purpose),
        device=torch.device("cpu"),
        replicates=2,
        information=0.99,
        widths=[10, 5, 3],
        train_share=0.8,
        batch_size=128,
        learning_rate=0.1,
        momentum=0.9,
        epochs=30,
        bins=30,
        snapshots=4,
    )
    found = {(row.panel, row.series, row.replicate, row.x): row.value for row in rows}
    for replicate in range(2):
        held = [found["input", f"layer {number}", replicate, 30.0] for number in (1, 2, 3, 4)]
        assert held == sorted(held, reverse=True)
        assert held[0] <= 12 + 1e-9
        assert max(value for (panel, *_), value in found.items() if panel == "label") <= 0.99 + 1e-6
        assert found["error", "output", replicate, 30.0] < 0.35 < found["error", "output", replicate, 0.0]
