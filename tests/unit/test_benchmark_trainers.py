"""What the benchmarks train, for as long as a first look takes: they measure what the package is now."""

import sys
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import trainers


@pytest.mark.parametrize("train", [partial(trainers.ours, replicates=2), trainers.plain])
def test_a_training_runs(train):
    tick = Mock(side_effect=StopIteration)  # by itself a training that is measured does not end
    with pytest.raises(StopIteration):
        train(1, device=torch.device("cpu"), tick=tick)
    steps, _ = tick.call_args.args
    assert steps > 0
