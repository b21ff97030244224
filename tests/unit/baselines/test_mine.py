"""MINE as a building block: its losses against their formulas, and that measuring changes nothing."""

import math

import pytest
import torch
from torch import nn

from minde import Mine, clip_adaptively
from minde.baselines.mine import LOSSES, shuffle
from minde.baselines.perceptrons import Perceptrons


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def generators(*seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def pairs(*shape, seed=0, rho=0.8):
    """Correlated standard normals x and z, `(*shape, 1)` each."""
    x, noise = torch.randn(2, *shape, 1, generator=generators(seed)[0])
    return x, rho * x + math.sqrt(1 - rho**2) * noise


class Product(nn.Module):
    """T(x, z) = weight x z: small enough for formulas by hand."""

    def __init__(self, weight=0.3):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, pair):
        return self.weight * pair[..., :1] * pair[..., 1:]


def test_losses_are_the_formulas_of_the_paper():
    x, z = pairs(50)
    (_, marginal), network = pairs(50, seed=1), Product()
    joint, product = 0.3 * (x * z).squeeze(-1), 0.3 * (x * marginal).squeeze(-1)
    donsker_varadhan = joint.mean() - product.exp().mean().log()
    expected = {"mine": donsker_varadhan, "mine_biased": donsker_varadhan}
    expected["fdiv"] = joint.mean() - (product - 1).exp().mean()
    for loss in LOSSES:
        mine = Mine(network, loss=loss)
        assert mine.loss(x, z, z_marginal=marginal).item() == pytest.approx(-expected[loss].item(), abs=1e-6)
        assert mine.information(x, z, z_marginal=marginal).item() == pytest.approx(expected[loss].item(), abs=1e-6)


def test_the_gradient_of_mine_is_divided_by_the_running_mean():
    """Equation 12: E ∇T - E' ∇T exp T / (running mean of E' exp T)."""
    network, smoothing, running = Product(), 0.1, None
    mine = Mine(network, smoothing=smoothing)
    for seed in range(3):
        x, z = pairs(40, seed=seed)
        (_, marginal) = pairs(40, seed=100 + seed)
        slope_joint, slope = (x * z).squeeze(-1), (x * marginal).squeeze(-1)  # ∇T
        exponential = (network.weight.detach() * slope).exp()
        batch = exponential.mean()
        running = batch if running is None else (1 - smoothing) * running + smoothing * batch
        expected = (slope * exponential).mean() / running - slope_joint.mean()
        network.zero_grad()
        mine.loss(x, z, z_marginal=marginal).backward()
        assert network.weight.grad.item() == pytest.approx(expected.item(), rel=1e-4)
        assert mine.log_mean.exp().item() == pytest.approx(running.item(), rel=1e-5)


@pytest.mark.parametrize("loss", ["mine_biased", "fdiv"])
def test_other_gradients_are_those_of_the_value(loss):
    x, z, marginal = (tensor.double().requires_grad_() for tensor in (*pairs(20), pairs(20, seed=1)[1]))
    mine = Mine(Product().double(), loss=loss)
    assert torch.autograd.gradcheck(lambda *given: mine.loss(*given[:2], z_marginal=given[2]), (x, z, marginal))


@pytest.mark.parametrize("loss", LOSSES)
def test_measuring_changes_nothing(loss):
    network = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
    mine, (x, z) = Mine(network, loss=loss), pairs(100)
    network[2].eval()  # a mode of its own
    mine.loss(x, z, *generators(1))
    before, state = {name: value.clone() for name, value in mine.state_dict().items()}, torch.get_rng_state()
    first, again = mine.information(x, z), mine.information(x, z)
    assert first == again
    assert not first.requires_grad
    assert all(torch.equal(value, before[name]) for name, value in mine.state_dict().items())
    assert mine.training
    assert network[1].training
    assert not network[2].training
    assert torch.equal(torch.get_rng_state(), state)


def test_in_evaluation_mode_the_running_mean_stays():
    mine, (x, z) = Mine(Product()), pairs(100)
    mine.loss(x, z, *generators(1))
    before = mine.log_mean.clone()
    for scale in (2, 100):  # the latter's statistics are far above the mean
        loss = mine.eval().loss(scale * x, scale * z, *generators(1))
        loss.backward()
        assert loss.isfinite()
        assert mine.network.weight.grad.isfinite()
    assert torch.equal(mine.log_mean, before)


def test_a_batch_that_is_not_finite_does_not_stay_in_the_running_mean():
    mine, (x, z) = Mine(Product()), pairs(100)
    infinite = torch.full_like(x, torch.inf)
    mine.loss(infinite, infinite, *generators(1))
    assert mine.log_mean.isnan()
    mine.loss(x, z, *generators(1))
    before = mine.log_mean.clone()
    mine.loss(infinite, infinite, *generators(1))
    assert torch.equal(mine.log_mean, before)


def test_the_running_mean_of_half_precision_moves():
    x, z = pairs(100)
    found = []
    for dtype in (torch.float32, torch.bfloat16):
        mine = Mine(Product()).to(dtype)
        mine.loss(3 * x.to(dtype), 3 * z.to(dtype), *generators(1))
        for _ in range(300):
            mine.loss(0 * x.to(dtype), z.to(dtype), *generators(1))
        found.append(mine.log_mean.item())
    assert found[1] == pytest.approx(found[0], rel=0.05)


@pytest.mark.parametrize("loss", LOSSES)
def test_bounds_of_half_precision_are_computed_in_single(loss):
    """Statistics near 8 have no digits after 1/32 in bfloat16, and their differences are the estimate."""

    class Shifted(Product):
        def forward(self, pair):
            return super().forward(pair) + 8

    x, z = (rows.bfloat16() for rows in pairs(2000))
    mine = Mine(Shifted(), loss=loss)
    single = mine.information(x.float(), z.float())
    half = mine.bfloat16().information(x, z)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, single, rtol=0.02, atol=0.02)


def test_copies_of_a_module_that_share_its_buffers_move_the_running_mean():
    """As `nn.DataParallel` makes them."""
    mine, (x, z) = Mine(Product()), pairs(100)
    buffers = dict(mine.named_buffers())
    copy = mine._replicate_for_data_parallel()
    copy._parameters, copy._modules = mine._parameters, mine._modules
    copy(x, z, *generators(1))
    assert mine.log_mean.isfinite()
    assert buffers["log_mean"] is mine.log_mean


def test_more_shuffles_make_the_estimate_of_the_same_samples_vary_less():
    mine = Mine(Product(), loss="mine_biased")
    spreads = []
    for shuffles in (1, 16):
        found = [mine.information(*pairs(100), *generators(seed), shuffles=shuffles) for seed in range(20)]
        spreads.append(torch.stack(found).std())
    assert spreads[1] < 0.5 * spreads[0]
    with pytest.raises(ValueError, match="shuffles is 0; expected at least 1"):
        mine.information(*pairs(100), shuffles=0)


def test_a_call_is_the_loss():
    mine, (x, z) = Mine(Product()), pairs(100)
    assert torch.equal(mine.eval()(x, z, *generators(1)), mine.loss(x, z, *generators(1)))


def test_the_running_mean_is_part_of_the_state():
    mine, (x, z) = Mine(Product()), pairs(3, 100)
    mine.loss(x, z, generators(1, 2, 3))
    other = Mine(Product())
    other.load_state_dict(mine.state_dict())
    assert other.log_mean.shape == (3,)
    assert torch.equal(other.log_mean, mine.log_mean)


def test_gradients_reach_x_and_z_and_combine_may_be_any_function():
    x, z = pairs(20)
    mine = Mine(nn.Identity(), loss="fdiv", combine=lambda x, z: x * z)
    for tensor in (x, z):
        tensor.requires_grad_()
    mine.loss(x, z, *generators(1)).backward()
    assert x.grad.abs().sum() > 0
    assert z.grad.abs().sum() > 0


def test_large_statistics_do_not_overflow():
    mine, (x, z) = Mine(Product(weight=1000.0)), pairs(100)
    loss = mine.loss(x, z, *generators(1))
    loss.backward()
    assert loss.isfinite()
    assert mine.network.weight.grad.isfinite()


def test_every_sample_takes_the_place_of_another():
    z = torch.arange(6.0).reshape(1, 6, 1).repeat(4, 1, 2)
    moved = shuffle(z, generators(1, 2, 3, 4))
    assert torch.equal(moved.sort(dim=1).values, z)
    assert (moved != z).all()
    assert len({tuple(row) for row in moved[..., 0].tolist()}) > 1
    assert torch.equal(shuffle(z[2:3], generators(3)), moved[2:3])


def test_a_stack_computes_each_replicate_as_if_alone():
    """Losses, their gradients and the running means of three networks together, and of the second one alone."""
    x, z = pairs(3, 64)
    found = []
    for chosen, seeds in ((slice(None), (5, 6, 7)), (slice(1, 2), (6,))):
        network = Perceptrons([2, 16, 16, 1], generators(*seeds), "elu")
        mine, drawn = Mine(network), generators(*seeds)
        for _ in range(3):
            losses = mine.loss(x[chosen], z[chosen], drawn)
        losses.sum().backward()
        found.append([losses, mine.log_mean, mine.information(x[chosen], z[chosen], generators(*seeds))])
        found[-1] += [weights.grad for weights in network.parameters()]
    for together, alone in zip(*found, strict=True):
        torch.testing.assert_close(together[1:2], alone)


def test_perceptrons_start_from_their_own_generators():
    both, second = (Perceptrons([3, 8, 8, 1], generators(*seeds)) for seeds in ((1, 2), (2,)))
    for together, alone in zip(both.parameters(), second.parameters(), strict=True):
        assert torch.equal(together[1], alone[0])
        assert together.abs().max() <= 1 / math.sqrt(3)
    assert both(torch.zeros(2, 5, 3)).shape == (2, 5, 1)


@pytest.mark.parametrize("length", [0.5, 4.0])
def test_information_gradients_are_no_longer_than_adversarial_ones(length):
    adversarial = [torch.tensor([3.0, 0.0]), torch.tensor([[4.0]])]  # norm 5
    information = [length * gradient for gradient in (torch.tensor([0.0, 2.0]), torch.tensor([[1.5]]))]  # 2.5 length
    clipped = clip_adaptively(adversarial, information)
    factor = min(5.0, 2.5 * length) / (2.5 * length)
    for before, after in zip(information, clipped, strict=True):
        torch.testing.assert_close(after, factor * before)


def test_clipped_gradients_have_the_shapes_of_their_parameters_and_none_stays():
    clipped = clip_adaptively([torch.tensor(1.0), None, torch.ones(2)], [torch.tensor(5.0), torch.ones(3), None])
    assert [None if gradient is None else gradient.shape for gradient in clipped] == [(), (3,), None]


def test_gradients_of_half_precision_are_clipped_as_others():
    adversarial, information = [torch.full((10,), 100.0)], [torch.full((10,), 300.0)]
    (single,) = clip_adaptively(adversarial, information)
    (half,) = clip_adaptively([g.half() for g in adversarial], [g.half() for g in information])
    assert half.dtype == torch.float16
    torch.testing.assert_close(half.float(), single, rtol=1e-3, atol=0)


def test_clipping_nothing_is_nothing():
    assert clip_adaptively([None, torch.ones(2)], [None, None]) == [None, None]


@pytest.mark.parametrize("stacked", [False, True])
def test_an_adversarial_loss_of_no_parameter_leaves_zeros(stacked):
    assert clip_adaptively([], [], stacked=stacked) == []
    information = [torch.ones(3, 2), None, torch.zeros(3)]
    first, second, third = clip_adaptively([None] * 3, information, stacked=stacked)
    assert torch.equal(first, torch.zeros(3, 2))
    assert second is None
    assert torch.equal(third, torch.zeros(3))


def test_clipping_is_each_replicates_own_and_keeps_zeros():
    adversarial = [torch.tensor([[3.0], [0.1], [1.0]]), torch.tensor([4.0, 0.0, 0.0])]
    information = [torch.tensor([[6.0], [1.0], [0.0]]), torch.tensor([8.0, 0.0, 0.0])]
    first, second = clip_adaptively(adversarial, information, stacked=True)
    torch.testing.assert_close(first, torch.tensor([[3.0], [0.1], [0.0]]))
    torch.testing.assert_close(second, torch.tensor([4.0, 0.0, 0.0]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "nce"}, "unknown loss 'nce' of MINE; expected mine, mine_biased, fdiv"),
        ({"combine": "add"}, "unknown way to combine x and z: 'add'; expected 'concat' or a function"),
        ({"smoothing": 0.0}, "smoothing is 0.0; expected the newest batch's weight, above 0"),
    ],
)
def test_what_is_not_offered_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Mine(Product(), **options)


def test_samples_that_do_not_pair_are_refused():
    mine, (x, z) = Mine(Product()), pairs(20)
    with pytest.raises(ValueError, match=r"found \(20, 1\) and \(19, 1\)"):
        mine.loss(x, z[1:])
    with pytest.raises(ValueError, match="1 samples have no pairs of the marginals; expected 2 or more"):
        mine.loss(x[:1], z[:1])
    with pytest.raises(ValueError, match=r"z_marginal has shape \(19, 1\); expected that of z, \(20, 1\)"):
        mine.loss(x, z, z_marginal=z[1:])
    with pytest.raises(
        ValueError, match=r"the network returns shape \(20, 2\); expected one number per sample, \(20, 1\)"
    ):
        Mine(torch.nn.Linear(2, 2)).loss(x, z)
    with pytest.raises(ValueError, match="2 generators for 3 replicates; expected one for each"):
        mine.loss(*pairs(3, 20), generators(1, 2))
    with pytest.raises(ValueError, match="unknown activation 'sine'; expected relu, elu, leaky_relu, tanh"):
        Perceptrons([2, 8, 1], generators(1), "sine")
