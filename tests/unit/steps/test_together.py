"""Cells that are trained in one process, as one program or in turns, end as each does in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from small_cell import CPU, LONG, SAMPLE, TASK, Folder, settings

from minde.diffusion.batches import CHUNK
from minde.interruption import STATUSES
from minde.steps import stacks, standing, together, train
from minde.steps.__main__ import main
from minde.study import samples

OTHER = "1v1-bimodal-0.75"


class Cell(Folder):
    """A cell that is trained together with others; `task` and `variant` are its own."""

    def __init__(self, path, samples, task=TASK, variant="c") -> None:
        path.mkdir()
        super().__init__(path, samples)
        self.own = {"task": task, "variant": variant}

    def settings(self, **changes) -> dict:
        return settings(**changes) | self.own

    def prepare(self, **changes) -> stacks.Training:
        paths = (self.samples, self.weights, self.curve)
        return train.prepare(self.settings(**changes), *paths, CPU, None, standing.Keeper(self.state))

    def start(self, cells: int, **changes) -> subprocess.Popen:
        """A process that trains the cell with others."""
        command = self.command("--together", str(cells), "--checkpoint-seconds", "0.5")
        command[command.index("--settings") + 1] = json.dumps(self.settings(**changes))
        environment = os.environ | {"OMP_NUM_THREADS": "1", "TMPDIR": str(self.path.parent)}
        with (self.path / "log").open("a") as log:
            start = [sys.executable, "-m", "minde.steps", *command]
            return subprocess.Popen(start, stderr=log, env=environment, cwd=self.path.parent)

    @property
    def log(self) -> str:
        return (self.path / "log").read_text()


@pytest.fixture(scope="session")
def other_samples(tmp_path_factory):
    """Samples of another task."""
    path = tmp_path_factory.mktemp("other") / "samples"
    main(["sample", "--settings", json.dumps(SAMPLE | {"task": OTHER}), "--out", str(path)])
    return path


@pytest.fixture(scope="session")
def alone(undisturbed, other_samples, tmp_path_factory):
    """Two cells that are alike and one of the other variant, each trained by itself."""
    _, *others = cells(tmp_path_factory.mktemp("alone"), undisturbed, other_samples)
    for cell in others:
        train.train(cell.settings(), cell.samples, cell.weights, cell.curve, CPU)
    return [undisturbed, *others]


@pytest.fixture(scope="session")
def alone_for_long(long, undisturbed, other_samples, tmp_path_factory):
    """The two that are alike, each trained by itself for so many steps that it can be met in the middle."""
    _, alike, _ = cells(tmp_path_factory.mktemp("alone"), undisturbed, other_samples)
    train.train(alike.settings(steps=LONG), alike.samples, alike.weights, alike.curve, CPU)
    return [long, alike]


def cells(folder, undisturbed, other_samples) -> list[Cell]:
    return [
        Cell(folder / "first", undisturbed.samples),
        Cell(folder / "alike", other_samples, OTHER),
        Cell(folder / "different", other_samples, OTHER, "j"),
    ]


@pytest.fixture
def three(undisturbed, other_samples, tmp_path) -> list[Cell]:
    return cells(tmp_path, undisturbed, other_samples)


def turns(trainer: stacks.Trainer) -> dict:
    """Train all to the end; the error of each, by its training."""
    ended = {}
    while trainer.between or trainer.stacks:
        ended |= dict(trainer.turn())
    return ended


def wait_for(condition, processes=()) -> None:
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        assert all(process.poll() is None for process in processes)
        time.sleep(0.05)


def is_training(cell: Cell) -> bool:
    return " steps " in cell.log


def test_cells_that_are_alike_are_one_stack_and_end_as_they_do_alone(alone, three) -> None:
    trainer = stacks.Trainer([cell.prepare() for cell in three])
    trainer.turn()
    assert [[part.settings["task"] for part in parts] for parts, _ in trainer.stacks] == [[TASK, OTHER], [OTHER]]
    assert set(turns(trainer).values()) == {None}
    for cell, expected in zip(three, alone, strict=True):
        cell.assert_same(expected)


def test_a_cell_that_is_stopped_keeps_its_standing_and_the_others_go_on(alone, three) -> None:
    trainings = [cell.prepare() for cell in three]
    trainer = stacks.Trainer(list(trainings))
    trainer.turn()
    trainings[0].keeper.interruption.signal = signal.SIGUSR2
    ended = turns(trainer)
    assert ended[trainings[0]].code == STATUSES[signal.SIGUSR2]
    assert three[0].state.exists()
    assert turns(stacks.Trainer([three[0].prepare()])).popitem()[1] is None
    for cell, expected in zip(three, alone, strict=True):
        cell.assert_same(expected)


def test_a_cell_that_fails_fails_alone(alone, three, monkeypatch) -> None:
    read = samples.read
    broken = three[1].samples
    three[2].samples = three[0].samples  # the broken samples are those of one cell only
    three[2].own["task"] = TASK

    def spoilt(path, *which):
        x, y = read(path, *which)
        return (x * np.inf, y) if path == broken else (x, y)

    monkeypatch.setattr(samples, "read", spoilt)
    trainings = [cell.prepare() for cell in three]
    ended = turns(stacks.Trainer(list(trainings)))
    assert [type(ended[training]) for training in trainings] == [type(None), FloatingPointError, type(None)]
    assert f"The loss of replicate 0 is nan in the {CHUNK} steps up to step {CHUNK}" in str(ended[trainings[1]])
    three[0].assert_same(alone[0])


def test_cells_that_do_not_fit_into_memory_together_go_on_one_by_one(alone, three, monkeypatch, capsys) -> None:
    original, running, most = stacks.train_stack, set(), [0]

    def train_stack(model, clean, recipe, seeds, state):
        if len(seeds) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        running.add(id(state))
        most[0] = max(most[0], len(running))
        try:
            yield from original(model, clean, recipe, seeds, state)
        finally:
            running.discard(id(state))

    monkeypatch.setattr(stacks, "train_stack", train_stack)
    two = three[:2]
    ended = turns(stacks.Trainer([cell.prepare() for cell in two]))
    assert list(ended.values()) == [None, None]
    assert most == [1]
    assert "out of memory with a stack of 6" in capsys.readouterr().err
    for cell, expected in zip(two, alone, strict=False):
        cell.assert_same(expected)


def test_of_three_processes_one_trains_for_all(alone, three) -> None:
    running = [cell.start(3) for cell in three]
    assert [process.wait(300) for process in running] == [0, 0, 0]
    for cell, expected in zip(three, alone, strict=True):
        cell.assert_same(expected)
        assert (
            f"minde-{cell.own['variant']}, {cell.own['task']}, 400 samples, 3 replicates on cpu: steps 168" in cell.log
        )
        cell.assert_nothing_left()
    assert sum("Trained by process" in cell.log for cell in three) == 2


def test_a_process_that_fails_is_told_why_and_the_others_are_not(alone, three) -> None:
    three[1].samples = three[1].path / "nowhere"
    running = [cell.start(3) for cell in three]
    assert [process.wait(300) for process in running] == [0, 1, 0]
    assert "FileNotFoundError" in three[1].log
    three[0].assert_same(alone[0])


def test_signals_to_all_keep_all_and_the_same_commands_go_on(alone_for_long, three) -> None:
    two = three[:2]
    running = [cell.start(2, steps=LONG) for cell in two]
    wait_for(lambda: all(map(is_training, two)), running)
    for process in running:
        process.send_signal(signal.SIGUSR2)
    assert [process.wait(300) for process in running] == [75, 75]
    running = [cell.start(2, steps=LONG) for cell in two]
    assert [process.wait(300) for process in running] == [0, 0]
    for cell, expected in zip(two, alone_for_long, strict=True):
        assert "resumed at step" in cell.log
        cell.assert_same(expected)


def test_a_process_ends_with_its_own_cell_and_another_one_trains_the_rest(alone, alone_for_long, three) -> None:
    short, long, _ = three
    leader = short.start(2)
    wait_for(lambda: list(short.path.parent.glob("minde-*/lock")), [leader])
    follower = long.start(2, steps=LONG)
    assert leader.wait(300) == 0
    assert follower.poll() is None
    assert not long.weights.exists()
    assert follower.wait(300) == 0
    assert "resumed at step" in long.log
    short.assert_same(alone[0])
    long.assert_same(alone_for_long[1])


def test_a_process_whose_file_is_gone_is_not_trained_for(tmp_path) -> None:
    """Who looks for what is asked removes what dead processes have left."""
    asked = together.Asked(tmp_path / "1.json")
    assert asked.signal() is signal.SIGTERM
    asked.path.write_text("{}")
    with together._lock(asked.path):
        assert asked.signal() is None
    assert asked.signal() is signal.SIGTERM


def test_where_the_process_that_trains_is_killed_another_one_goes_on(alone_for_long, three) -> None:
    first, second, _ = three
    leader = first.start(2, steps=LONG)
    wait_for(lambda: list(first.path.parent.glob("minde-*/lock")), [leader])
    follower = second.start(2, steps=LONG)
    wait_for(second.state.exists, [leader, follower])
    leader.kill()
    leader.wait()
    assert follower.wait(300) == 0
    assert "resumed at step" in second.log
    second.assert_same(alone_for_long[1])
