"""Stacked perceptrons and random numbers of members, which are independent."""

import numpy as np
import pytest
import torch

from minde.experiments.networks import (
    Draws,
    adam,
    check_finite,
    mean_cross_entropy,
    members_of,
    perceptrons,
    split_rows,
    train,
)
from minde.progress import Progress


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def test_a_perceptron_is_what_torch_computes_layer_by_layer():
    network = perceptrons([3, 5, 2], [7], "test", "leaky_relu")
    x = torch.randn(1, 4, 3, generator=torch.Generator().manual_seed(0))
    hidden = torch.nn.functional.leaky_relu(x[0] @ network.weights[0][0] + network.biases[0][0], 0.2)
    expected = hidden @ network.weights[1][0] + network.biases[1][0]
    torch.testing.assert_close(network(x)[0], expected)
    assert max(weight.abs().max() for weight in network.weights) <= 3**-0.5


def test_a_member_trains_as_if_alone():
    together, alone = perceptrons([3, 8, 1], [1, 2, 3], "test"), perceptrons([3, 8, 1], [2], "test")
    draws, draws_alone = Draws([1, 2, 3]), Draws([2])
    for network, one in ((together, draws), (alone, draws_alone)):
        optimizer = adam([network], "cpu", 0.01)

        def step(network=network, one=one, optimizer=optimizer):
            loss = (network(one.normals(16, 3)) - one.normals(16, 1)).square().mean(dim=(1, 2))
            optimizer.zero_grad()
            loss.sum().backward()
            optimizer.step()
            return loss.detach()

        train(step, [optimizer], 5, ["one"], Progress("members", 5, "steps"))
    torch.testing.assert_close(together.weights[0][1], alone.weights[0][0])


def test_learning_rates_fall_as_half_a_cosine():
    optimizers = [torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate) for rate in (0.1, 0.02)]
    rates = []

    def step():
        rates.append([optimizer.param_groups[0]["lr"] for optimizer in optimizers])
        for optimizer in optimizers:
            optimizer.step()
        return torch.zeros(1)

    train(step, optimizers, 4, ["one"], Progress("rates", 4, "steps"))
    expected = (1 + np.cos(np.pi * np.arange(4) / 4)) / 2
    np.testing.assert_allclose(rates, np.outer(expected, [0.1, 0.02]))


def test_conditions_see_the_same_numbers_and_replicates_others():
    draws = Draws([1, 2], conditions=2)
    for drawn in (draws.normals(3, 2), draws.integers(100, 8)):
        assert torch.equal(drawn[:2], drawn[2:])
        assert not torch.equal(drawn[0], drawn[1])


def test_members_of_two_conditions_differ_in_their_weights_only():
    members = members_of(lambda r, purpose: 10 * r + len(purpose), 2, {"gan": 0.0, "mine": 0.5}, "cpu", "/x")
    assert members.names == ["gan, replicate 0", "gan, replicate 1", "mine, replicate 0", "mine, replicate 1"]
    assert members.betas.tolist() == [0, 0, 0.5, 0.5]
    assert members.seeds == [10, 20, 10, 20]  # "networks/x" has 10 letters
    assert torch.equal(members.train.normals(3), Draws([7, 17], conditions=2).normals(3))


def test_a_mean_cross_entropy_is_that_of_each_member():
    logits, y = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([[0, 1, 2, 0, 1]] * 2)
    expected = [torch.nn.functional.cross_entropy(*member).item() for member in zip(logits, y, strict=True)]
    assert mean_cross_entropy(logits, y).tolist() == pytest.approx(expected, abs=1e-6)


def generators():
    return [np.random.default_rng(seed) for seed in (1, 2)]


def test_rows_are_split_at_random():
    first, rest = split_rows(generators(), 10, 0.3, "cpu")
    assert (first.shape, rest.shape) == ((2, 3), (2, 7))
    assert torch.cat([first, rest], dim=1).tolist() == [one.permutation(10).tolist() for one in generators()]


def test_a_loss_that_is_not_finite_names_its_member():
    with pytest.raises(FloatingPointError, match="the loss of second is not finite at step 9; lower learning_rate"):
        check_finite(torch.tensor([1.0, float("nan")]), ["first", "second"], 9)
