"""What the benchmarks train, for as long as a first look takes: they measure what the package is now."""

import sys
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import trainers


def test_our_training_runs():
    tick = Mock(side_effect=StopIteration)  # by itself a training that is measured does not end
    with pytest.raises(StopIteration):
        trainers.ours(1, 2, torch.device("cpu"), tick)
    steps, _ = tick.call_args.args
    assert steps > 0
