"""A small cell for tests: its settings, and a folder with the inputs and outputs of its training."""

import json
import signal

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from minde.diffusion.batches import CHUNK
from minde.steps import checkpointing, stacks, train
from minde.steps.__main__ import main
from minde.study import weights

TASK = "1v1-normal-0.75"
SAMPLE = {"task": TASK, "seed": 0, "replicates": 3, "n_train": 400, "n_test": 100}
STEPS = 5 * CHUNK + 8
LONG = 40 * CHUNK + 8
CPU = torch.device("cpu")


def settings(steps: int = STEPS, **training) -> dict:
    """Settings of the training; epochs end within a chunk."""
    return {
        "task": TASK,
        "train_size": 400,
        "seed": 0,
        "replicates": 3,
        "variant": "c",
        "preprocess": "standardize",
        "network": {"hidden": 16, "middle_blocks": 1},
        "sde": {"beta_min": 0.1, "beta_max": 20, "t_eps": 0.001},
        "curve": {"points": 4, "test_rows": 50},
        "training": {
            "duration": {"steps": steps},
            "batch_size": 32,
            "learning_rate": 0.001,
            "schedule": "cosine",
            "weight_decay": 0,
            "ema_decay": 0.99,
            "importance_sampling": True,
            "score_choice": "per_sample",
            "times": "stratified",
            "base": "gaussian",
            "architecture": "gated",
        }
        | training,
    }


def on_every_state(monkeypatch, act) -> None:
    """Call `act` with every state of every training."""
    original = stacks.train_stack

    def train_stack(*arguments):
        for state in original(*arguments):
            act(state)
            yield state

    monkeypatch.setattr(stacks, "train_stack", train_stack)


class Folder:
    """A folder to train the small cell in: its samples, weights, curve and state."""

    def __init__(self, path, samples) -> None:
        self.path, self.samples = path, samples
        self.weights, self.curve, self.state = (path / name for name in ("weights", "curve", "state/cell.safetensors"))

    def command(self, *options: str, **changes) -> list[str]:
        paths = ["--samples", self.samples, "--weights", self.weights, "--curve", self.curve, "--state", self.state]
        start = ["train", "--settings", json.dumps(self.settings(**changes)), "--device", "cpu", *map(str, paths)]
        return [*start, *options]

    def settings(self, **changes) -> dict:
        return settings(**changes)

    def prepare(self, checkpointer=None, stack: int | None = None, **changes) -> stacks.Training:
        paths = (self.samples, self.weights, self.curve)
        checkpointer = checkpointer or checkpointing.Checkpointer(self.state)
        return train.prepare(self.settings(**changes), *paths, CPU, stack, checkpointer)

    def train(self, *options: str, **changes) -> None:
        main(self.command(*options, **changes))

    def stop(self, step: int = CHUNK, stack: int | None = None, **changes) -> None:
        """Train until a replicate is at the step, then stop as after a signal."""
        checkpointer = checkpointing.Checkpointer(self.state)

        def signal_at_step(state) -> None:
            if state.step == step:
                checkpointer.interruption.signal = signal.SIGUSR2

        with pytest.MonkeyPatch.context() as patch:
            on_every_state(patch, signal_at_step)
            with pytest.raises(SystemExit):
                train.train(self.prepare(checkpointer, stack, **changes))
        assert self.state.exists()

    def results(self) -> tuple[dict[str, np.ndarray], list[dict]]:
        """The weights, and the curve without its seconds."""
        curve = pq.read_table(self.curve).drop_columns("seconds").to_pylist()
        return weights.read(self.weights)[0], curve

    def assert_same(self, other: "Folder") -> None:
        (weights, curve), (expected_weights, expected_curve) = self.results(), other.results()
        assert weights.keys() == expected_weights.keys()
        for name, weight in weights.items():
            np.testing.assert_array_equal(weight, expected_weights[name], err_msg=name)
        assert curve == expected_curve

    def assert_nothing_left(self) -> None:
        assert list(self.state.parent.iterdir()) == []
