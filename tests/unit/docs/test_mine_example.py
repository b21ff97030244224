"""The example of MINE inside a user's model, in docs/mine.md, finds the optimal code."""

import re
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[3]


def example() -> str:
    """The block of Python that uses `Mine`."""
    page = (ROOT / "docs/mine.md").read_text()
    (found,) = re.findall(r"^```python\n(.*?import Mine.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    return found


def test_the_example_finds_the_optimal_code(capsys) -> None:
    """log(1 + P) / 2 - P / 10 is largest for the power P = 4, which carries 0.80 nats."""
    torch.set_num_threads(1)
    names: dict = {}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        exec(example(), names)
        x = torch.randn(10_000, 3)
        signal = names["encoder"](x)
        found = names["mine"].information(x, signal + torch.randn_like(signal))
    assert signal.var().item() == pytest.approx(4, abs=1)
    assert found.item() == pytest.approx(0.80, abs=0.1)
    assert capsys.readouterr().out.startswith("tensor(")
