"""Stacked perceptrons and the draws of members: each as if it were alone."""

import pytest
import torch

from minde.experiments.networks import Draws, adam, check_finite, cool, perceptrons, split_rows


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
        optimizer = adam([network], 0.01)
        for step in range(1, 6):
            cool([optimizer], 0.01, step, 5)
            loss = (network(one.normals(16, 3)) - one.normals(16, 1)).square().mean(dim=(1, 2))
            optimizer.zero_grad()
            loss.sum().backward()
            optimizer.step()
    torch.testing.assert_close(together.weights[0][1], alone.weights[0][0])


def test_conditions_see_the_same_numbers_and_replicates_others():
    draws = Draws([1, 2], conditions=2)
    for drawn in (draws.normals(3, 2), draws.integers(100, 8)):
        assert torch.equal(drawn[:2], drawn[2:])
        assert not torch.equal(drawn[0], drawn[1])


def test_rows_are_split_into_parts_that_are_not_empty():
    order = torch.arange(10).repeat(2, 1)
    first, rest = split_rows(order, 0.3, "share")
    assert (first.shape, rest.shape) == ((2, 3), (2, 7))
    with pytest.raises(ValueError, match=r"share is 0\.99, which makes 10 of 10 rows; expected some, and not all"):
        split_rows(order, 0.99, "share")


def test_a_loss_that_is_not_finite_names_its_member():
    with pytest.raises(FloatingPointError, match="the loss of second is not finite at step 9; lower learning_rate"):
        check_finite(torch.tensor([1.0, float("nan")]), ["first", "second"], 9, "loss")
