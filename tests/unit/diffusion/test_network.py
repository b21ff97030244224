"""The stacked network, against the paper's parameter counts and a plain torch.nn version of one network."""

import pytest
import torch
from torch import nn

from minde.diffusion.network import Network, hidden_width


@pytest.mark.parametrize(
    ("dim", "hidden", "conditional", "joint"),
    [(1, 64, 55_425, 55_490), (5, 64, 56_197, 56_522), (25, 128, 226_585, 229_810), (50, 256, 898_354, 911_204)],
)
def test_parameter_counts_are_the_papers(dim: int, hidden: int, conditional: int, joint: int) -> None:
    assert hidden_width(2 * dim) == hidden
    assert Network(dim_in=2 * dim, dim_out=dim, hidden=hidden).n_parameters == conditional
    assert Network(dim_in=2 * dim, dim_out=2 * dim, hidden=hidden).n_parameters == joint


def test_one_middle_block_is_the_authors_later_network() -> None:
    assert Network(dim_in=2, dim_out=2, hidden=64, middle_blocks=1).n_parameters == 42_754


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


class PlainNetwork(nn.Module):
    """The paper's network written the usual way, for one replicate."""

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

    def named(self, *, gradients: bool = False) -> dict[str, torch.Tensor]:
        """Its parameters, or their gradients, under the stack's names and shapes."""
        own = {name: p.grad if gradients else p for name, p in self.named_parameters()}
        blocks = ["middle0", "middle1", "merge"]
        named = {
            "time_blocks.weight": torch.cat([own[f"{b}.time.weight"] for b in blocks]),
            "time_blocks.bias": torch.cat([own[f"{b}.time.bias"] for b in blocks]),
        }
        for name, value in own.items():
            if ".time." not in name:
                key = name.replace("output_norm", "output.norm")
                named[key] = value
        return named


def test_every_member_of_a_stack_equals_a_plain_network() -> None:
    """Outputs and gradients, with every parameter different between members."""
    torch.manual_seed(0)
    network = Network(dim_in=5, dim_out=3, hidden=32)
    members = [PlainNetwork(5, 3, 32) for _ in range(3)]
    for parameter in (p for member in members for p in member.parameters()):
        nn.init.normal_(parameter, std=0.3)
    flat = torch.stack([torch.cat([m.named()[name].reshape(-1) for name in network.shapes]) for m in members])
    flat = nn.functional.pad(flat.detach(), (0, network.flat_size - network.n_parameters)).requires_grad_()
    x, t, target = torch.randn(3, 16, 5), torch.rand(3, 16, 2), torch.randn(3, 16, 3)

    predicted = network(network.unflatten(flat), x, t)
    (gradient,) = torch.autograd.grad(((predicted - target) ** 2).sum(), flat)
    gradients = network.unflatten(gradient)
    for r, member in enumerate(members):
        plain = member(x[r], t[r])
        torch.testing.assert_close(predicted[r], plain, rtol=1e-4, atol=1e-5)
        ((plain - target[r]) ** 2).sum().backward()
        for name, value in member.named(gradients=True).items():
            torch.testing.assert_close(gradients[name][r], value, rtol=1e-3, atol=1e-3)


def test_initial_parameters_depend_on_their_own_seed_only() -> None:
    network, cpu = Network(dim_in=2, dim_out=1, hidden=16), torch.device("cpu")
    stack = network.initialise([3, 4, 5], cpu)
    assert torch.equal(stack[1:2], network.initialise([4], cpu))
    assert not torch.equal(stack[0], stack[1])


def test_initial_layers_have_torchs_spread_and_a_silent_output() -> None:
    network = Network(dim_in=2, dim_out=1, hidden=64)
    parameters = network.unflatten(network.initialise([0], torch.device("cpu")))
    assert parameters["middle0.linear1.weight"].abs().max() <= 1 / 8
    assert parameters["middle0.linear1.weight"].std().item() == pytest.approx(1 / 8 / 3**0.5, rel=0.05)
    assert parameters["output.weight"].abs().max() == 0
    assert (parameters["merge.norm1.weight"] == 1).all()
    assert (parameters["merge.norm1.bias"] == 0).all()


def test_a_width_that_groups_cannot_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 8, found 20"):
        Network(dim_in=2, dim_out=1, hidden=20)
