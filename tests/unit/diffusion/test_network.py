"""The stacked network, against the paper's parameter counts and a plain torch.nn version of one network."""

import pytest
import torch
from torch import nn

from minde.diffusion.network import ARCHITECTURES, Network
from minde.diffusion.width import hidden_width


def network(dim_in: int, dim_out: int, hidden: int, **kwargs) -> Network:
    """The paper's network, except for kwargs."""
    paper = {"middle_blocks": 2, "architecture": "residual"}
    return Network(dim_in=dim_in, dim_out=dim_out, hidden=hidden, **paper | kwargs)


@pytest.mark.parametrize(
    ("dim", "hidden", "conditional", "joint"),
    [(1, 64, 55_425, 55_490), (5, 64, 56_197, 56_522), (25, 128, 226_585, 229_810), (50, 256, 898_354, 911_204)],
)
def test_parameter_counts_are_the_papers(dim: int, hidden: int, conditional: int, joint: int) -> None:
    assert hidden_width(2 * dim) == hidden
    assert network(2 * dim, dim, hidden).n_parameters == conditional
    assert network(2 * dim, 2 * dim, hidden).n_parameters == joint


def test_one_middle_block_is_the_authors_later_network() -> None:
    assert network(2, 2, 64, middle_blocks=1).n_parameters == 42_754


class PlainBlock(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.norm1, self.linear1 = nn.GroupNorm(8, width), nn.Linear(width, hidden)
        self.norm2, self.linear2 = nn.GroupNorm(8, hidden), nn.Linear(hidden, hidden)
        self.time = nn.Linear(hidden, hidden)
        self.skip = nn.Identity() if width == hidden else nn.Linear(width, hidden)

    def forward(self, x, embedding):
        h = self.linear1(nn.functional.silu(self.norm1(x))) + self.time(nn.functional.silu(embedding))
        return self.skip(x) + self.linear2(nn.functional.silu(self.norm2(h)))


class PlainResidual(nn.Module):
    """The paper's network written the usual way, for one replicate."""

    blocks = ("middle0", "middle1", "merge")

    def __init__(self, dim_in: int, dim_out: int, hidden: int) -> None:
        super().__init__()
        self.input = nn.Linear(dim_in, hidden)
        self.time1, self.time2 = nn.Linear(2, hidden), nn.Linear(hidden, hidden)
        self.middle0, self.middle1 = PlainBlock(hidden, hidden), PlainBlock(hidden, hidden)
        self.merge = PlainBlock(2 * hidden, hidden)
        self.output_norm, self.output = nn.GroupNorm(8, hidden), nn.Linear(hidden, dim_out)

    def forward(self, x, t):
        embedding = self.time2(nn.functional.gelu(self.time1(t)))
        first = self.input(x)
        h = self.middle1(self.middle0(first, embedding), embedding)
        h = self.merge(torch.cat([h, first], dim=1), embedding)
        return self.output(nn.functional.silu(self.output_norm(h)))


class PlainUnits(nn.Module):
    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.units, self.linear = nn.Linear(hidden, 2 * hidden, bias=False), nn.Linear(hidden, hidden)
        self.time = nn.Linear(hidden, 2 * hidden)

    def forward(self, x, embedding):
        normed = x / (1 + x.square().mean(dim=1, keepdim=True)).sqrt()
        gate, value = (self.units(normed) + self.time(nn.functional.silu(embedding))).chunk(2, dim=1)
        return x + self.linear(nn.functional.silu(gate) * value)


class PlainGated(nn.Module):
    """The network of gated linear units written the usual way, for one replicate."""

    blocks = ("middle0", "middle1", "last")

    def __init__(self, dim_in: int, dim_out: int, hidden: int) -> None:
        super().__init__()
        self.input = nn.Linear(dim_in, hidden)
        self.time1, self.time2 = nn.Linear(2, hidden), nn.Linear(hidden, hidden)
        self.middle0, self.middle1, self.last = (PlainUnits(hidden) for _ in self.blocks)
        self.output = nn.Linear(hidden, dim_out)

    def forward(self, x, t):
        embedding = self.time2(nn.functional.gelu(self.time1(t)))
        h = self.input(x)
        for block in (self.middle0, self.middle1, self.last):
            h = block(h, embedding)
        return self.output(h)


def named(plain: nn.Module, *, gradients: bool = False) -> dict[str, torch.Tensor]:
    """The parameters of a plain network, or their gradients, under the stack's names and shapes."""
    own = {name: p.grad if gradients else p for name, p in plain.named_parameters()}
    found = {name.replace("output_norm", "output.norm"): value for name, value in own.items() if ".time." not in name}
    for kind in ("weight", "bias"):
        found[f"time_blocks.{kind}"] = torch.cat([own[f"{block}.time.{kind}"] for block in plain.blocks])
    return found


@pytest.mark.parametrize(("architecture", "plain_network"), [("residual", PlainResidual), ("gated", PlainGated)])
def test_every_member_of_a_stack_equals_a_plain_network(architecture: str, plain_network: type[nn.Module]) -> None:
    """Outputs and gradients, with every parameter different between members."""
    torch.manual_seed(0)
    stack = network(5, 3, 32, architecture=architecture)
    members = [plain_network(5, 3, 32) for _ in range(3)]
    for parameter in (p for member in members for p in member.parameters()):
        nn.init.normal_(parameter, std=0.3)
    flat = torch.stack([torch.cat([named(member)[name].reshape(-1) for name in stack.shapes]) for member in members])
    flat = nn.functional.pad(flat.detach(), (0, stack.flat_size - stack.n_parameters)).requires_grad_()
    x, t, target = torch.randn(3, 16, 5), torch.rand(3, 16, 2), torch.randn(3, 16, 3)

    predicted = stack(stack.unflatten(flat), x, t)
    (gradient,) = torch.autograd.grad(((predicted - target) ** 2).sum(), flat)
    gradients = stack.unflatten(gradient)
    for r, member in enumerate(members):
        plain = member(x[r], t[r])
        torch.testing.assert_close(predicted[r], plain, rtol=1e-4, atol=1e-5)
        ((plain - target[r]) ** 2).sum().backward()
        for name, value in named(member, gradients=True).items():
            torch.testing.assert_close(gradients[name][r], value, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_initial_parameters_depend_on_their_own_seed_only(architecture: str) -> None:
    shape, cpu = network(2, 1, 16, architecture=architecture), torch.device("cpu")
    stack = shape.initialize([3, 4, 5], cpu)
    assert torch.equal(stack[1:2], shape.initialize([4], cpu))
    assert not torch.equal(stack[0], stack[1])


def test_initial_layers_have_torchs_spread_and_a_silent_output() -> None:
    shape = network(2, 1, 64)
    parameters = shape.unflatten(shape.initialize([0], torch.device("cpu")))
    assert parameters["middle0.linear1.weight"].abs().max() <= 1 / 8
    assert parameters["middle0.linear1.weight"].std().item() == pytest.approx(1 / 8 / 3**0.5, rel=0.05)
    assert parameters["output.weight"].abs().max() == 0
    assert (parameters["merge.norm1.weight"] == 1).all()
    assert (parameters["merge.norm1.bias"] == 0).all()


def test_a_width_that_groups_cannot_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 8, found 20"):
        network(2, 1, 20)


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown architecture 'unet'; expected one of residual, gated"):
        network(2, 1, 16, architecture="unet")


@pytest.mark.parametrize(("dim", "hidden"), [(10, 64), (11, 128), (50, 128), (51, 256)])
def test_the_width_grows_above_ten_and_fifty_dimensions(dim: int, hidden: int) -> None:
    assert hidden_width(dim) == hidden
    assert hidden_width(dim, 32) == 32
