"""What the benchmarks train, for as long as a first look takes: they measure what the package is now."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import trainers


class Enough(Exception):  # noqa: N818 (no error)
    """Raised by the clock of a training that would not end."""


def test_our_training_runs():
    ticks = []

    def tick(steps, trained):
        ticks.append(steps)
        raise Enough

    with pytest.raises(Enough):
        trainers.ours(1, 2, torch.device("cpu"), tick)
    assert ticks[0] > 0
