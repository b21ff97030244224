"""Cells trained in one process, as one program or in turns, end like those trained separately."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import pytest
import torch
from small_cell import LONG, SAMPLE, TASK, Folder, settings

from minde.diffusion.batches import CHUNK
from minde.interruption import STATUSES, Interruption
from minde.steps import requests, stacks, together, train
from minde.steps.__main__ import main
from minde.steps.trainer import Trainer
from minde.study import samples

OTHER = "1v1-bimodal-0.75"


class Cell(Folder):
    """A cell, with its own `task` and `variant`, that is trained together with others."""

    def __init__(self, path, samples, task=TASK, variant="c") -> None:
        path.mkdir()
        super().__init__(path, samples)
        self.own = {"task": task, "variant": variant}

    def settings(self, **changes) -> dict:
        return settings(**changes) | self.own

    def start(self, cells: int, **changes) -> subprocess.Popen:
        """Start a process that trains the cell with others."""
        command = self.command("--together", str(cells), "--checkpoint-seconds", "0.5", **changes)
        environment = os.environ | {"OMP_NUM_THREADS": "1", "TMPDIR": str(self.path.parent)}
        with (self.path / "log").open("a") as log:
            start = [sys.executable, "-m", "minde.steps", *command]
            return subprocess.Popen(start, stderr=log, env=environment, cwd=self.path.parent)

    def arguments(self) -> dict:
        """Those of the verb, as a process posts them."""
        paths = {name: str(getattr(self, name)) for name in ("samples", "weights", "curve", "state")}
        return {"settings": self.settings(), "device": "cpu", "stack": None, "checkpoint_seconds": 60} | paths

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
    """Two cells with the same stack key and one of the other variant, each trained separately."""
    _, *others = cells(tmp_path_factory.mktemp("alone"), undisturbed, other_samples)
    for cell in others:
        train.train(cell.prepare())
    return [undisturbed, *others]


@pytest.fixture(scope="session")
def alone_for_long(long, undisturbed, other_samples, tmp_path_factory):
    """The two with the same stack key, each trained separately for enough steps to be stopped in the middle."""
    _, alike, _ = cells(tmp_path_factory.mktemp("alone"), undisturbed, other_samples)
    train.train(alike.prepare(steps=LONG))
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


def turns(trainer: Trainer) -> dict:
    """Train all cells to the end; return the error of each training."""
    ended = {}
    while trainer.idle or trainer.stacks:
        ended |= dict(trainer.advance())
    return ended


def wait_for(condition, processes=()) -> None:
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        assert all(process.poll() is None for process in processes)
        time.sleep(0.05)


def is_training(cell: Cell) -> bool:
    return " steps " in cell.log


def test_cells_of_one_stack_key_share_a_stack_and_end_like_separate_ones(alone, three) -> None:
    trainer = Trainer([cell.prepare() for cell in three])
    trainer.advance()
    tasks = [[member.settings["task"] for member in stack.members] for stack in trainer.stacks]
    assert tasks == [[TASK, OTHER], [OTHER]]
    assert set(turns(trainer).values()) == {None}
    for cell, expected in zip(three, alone, strict=True):
        cell.assert_same(expected)


def test_a_stopped_cell_saves_its_state_and_the_others_continue(alone, three) -> None:
    trainings = [cell.prepare() for cell in three]
    trainer = Trainer(list(trainings))
    trainer.advance()
    trainings[0].checkpointer.interruption.signal = signal.SIGUSR2
    ended = turns(trainer)
    assert ended[trainings[0]].code == STATUSES[signal.SIGUSR2]
    assert three[0].state.exists()
    assert turns(Trainer([three[0].prepare()])).popitem()[1] is None
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
    ended = turns(Trainer(list(trainings)))
    assert [type(ended[training]) for training in trainings] == [type(None), FloatingPointError, type(None)]
    assert f"The loss of replicate 0 is nan in the {CHUNK} steps up to step {CHUNK}" in str(ended[trainings[1]])
    three[0].assert_same(alone[0])


def limit_memory(monkeypatch, is_too_much) -> list[int]:
    """Run out of memory where `is_too_much(seeds, running)`; return how many stacks ran at once, for each that ran."""
    original, running, at_once = stacks.train_stack, set(), []

    def train_stack(model, clean, recipe, seeds, state):
        if is_too_much(seeds, running):
            raise torch.OutOfMemoryError("CUDA out of memory.")
        running.add(id(state))
        at_once.append(len(running))
        try:
            yield from original(model, clean, recipe, seeds, state)
        finally:
            running.discard(id(state))

    monkeypatch.setattr(stacks, "train_stack", train_stack)
    return at_once


def test_cells_too_large_for_memory_together_continue_one_after_another(alone, three, monkeypatch, capsys) -> None:
    at_once = limit_memory(monkeypatch, lambda seeds, running: len(seeds) > 3)
    ended = turns(Trainer([cell.prepare() for cell in three]))
    assert list(ended.values()) == [None, None, None]
    assert set(at_once) == {1}  # also while the third cell is trained, which cannot share a stack
    log = capsys.readouterr().err
    assert "out of memory with a stack of 6" in log
    assert "lower run.together" in log
    for cell, expected in zip(three, alone, strict=True):
        cell.assert_same(expected)


def test_a_stack_too_large_for_memory_next_to_another_one_waits_for_it(alone, three, monkeypatch, capsys) -> None:
    limit_memory(monkeypatch, lambda seeds, running: bool(running))
    ended = turns(Trainer([cell.prepare() for cell in three]))
    assert list(ended.values()) == [None, None, None]
    assert "lower run.together" in capsys.readouterr().err
    for cell, expected in zip(three, alone, strict=True):
        cell.assert_same(expected)


def test_a_cell_that_memory_does_not_hold_next_to_another_one_waits_for_it(
    alone, three, monkeypatch, tmp_path, capsys
) -> None:
    """This process trains its own cell after that of another process, which has asked first."""
    own, other, _ = three
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    waiting = requests.Request(requests._folder() / "1.json")
    waiting.path.parent.mkdir()
    waiting.path.write_text(json.dumps(other.arguments()))
    read = train.read_cell

    def read_cell(settings, *arguments):
        if settings["task"] == own.own["task"] and not waiting.status.exists():
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return read(settings, *arguments)

    monkeypatch.setattr(train, "read_cell", read_cell)
    with requests.lock(waiting.path):  # as its process does
        together.train(own.arguments(), 2, Interruption())
        assert waiting.status.read_text() == "0"
    log = capsys.readouterr().err
    assert log.count("out of memory with all replicates' samples") == 1
    assert "the cell waits until another one has ended: lower run.together" in log
    for cell, expected in zip((own, other), alone, strict=False):
        cell.assert_same(expected)


def test_one_of_three_processes_trains_all_cells(alone, three) -> None:
    running = [cell.start(3) for cell in three]
    assert [process.wait(300) for process in running] == [0, 0, 0]
    for cell, expected in zip(three, alone, strict=True):
        cell.assert_same(expected)
        assert (
            f"minde-{cell.own['variant']}, {cell.own['task']}, 400 samples, 3 replicates on cpu: steps 168" in cell.log
        )
        cell.assert_nothing_left()
    assert sum("Trained by process" in cell.log for cell in three) == 2
    assert not list(three[0].path.parent.glob("minde-*"))  # the last process removes the shared folder


def test_a_failed_cell_is_reported_to_its_own_process_only(alone, three) -> None:
    three[1].samples = three[1].path / "nowhere"
    running = [cell.start(3) for cell in three]
    assert [process.wait(300) for process in running] == [0, 1, 0]
    assert "FileNotFoundError" in three[1].log
    three[0].assert_same(alone[0])


def test_after_signals_to_all_processes_the_same_commands_resume(alone_for_long, three) -> None:
    two = three[:2]
    running = [cell.start(2, steps=LONG) for cell in two]
    wait_for(lambda: all(map(is_training, two)), running)
    for process in running:
        process.send_signal(signal.SIGUSR2)
    assert [process.wait(300) for process in running] == [75, 75]
    for cell in two:
        assert "Stopped by SIGUSR2; the same command resumes" in cell.log
    running = [cell.start(2, steps=LONG) for cell in two]
    assert [process.wait(300) for process in running] == [0, 0]
    for cell, expected in zip(two, alone_for_long, strict=True):
        assert "resumed at step" in cell.log
        cell.assert_same(expected)


def test_a_leader_exits_with_its_own_cell_and_another_process_resumes_the_rest(alone, alone_for_long, three) -> None:
    short, long, _ = three
    leader = short.start(2)
    wait_for(lambda: list(short.path.parent.glob("minde-*/lock")), [leader])
    follower = long.start(2, steps=LONG)
    assert leader.wait(300) == 0
    assert follower.poll() is None
    assert not long.weights.exists()
    assert follower.wait(300) == 0
    assert f"Paused: another process on this machine resumes from {long.state}." in long.log
    assert "Stopped by" not in long.log
    assert "resumed at step" in long.log
    short.assert_same(alone[0])
    long.assert_same(alone_for_long[1])


def test_the_training_of_a_process_that_is_gone_is_stopped(tmp_path) -> None:
    """Its request is unlocked, or a leader has removed it."""
    request = requests.Request(tmp_path / "1.json")
    assert request.stop_signal() is signal.SIGTERM
    request.path.write_text("{}")
    with requests.lock(request.path):
        assert request.stop_signal() is None
    assert request.stop_signal() is signal.SIGTERM


def test_the_request_of_a_process_that_is_gone_is_removed_even_if_it_was_told_to_stop_before(tmp_path) -> None:
    gone, alive = (requests.Request(tmp_path / name) for name in ("1.json", "2.json"))
    for request in (gone, alive):
        request.path.write_text("{}")
        request.stopped_by.write_text("SIGTERM")
    with requests.lock(alive.path):
        assert requests.pending(tmp_path) == [alive]
    assert {path.name for path in tmp_path.iterdir()} == {"2.json", "2.signal"}


def test_the_folder_is_removed_by_the_last_process_only(tmp_path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("1.json", "2.log", "2.signal", "2.status", requests.LOCK):
        (folder / name).touch()
    requests._remove_if_last(folder)
    assert (folder / requests.LOCK).exists()
    (folder / "1.json").unlink()
    partial = folder / "3.partial"  # another process is about to post a request
    partial.touch()
    requests._remove_if_last(folder)
    assert partial.exists()
    partial.unlink()
    requests._remove_if_last(folder)
    assert not folder.exists()


def test_a_lock_that_was_removed_since_it_was_opened_is_not_held(tmp_path, monkeypatch) -> None:
    """Another process may lock the file that has taken its place."""
    path = tmp_path / "lock"
    flock = requests.fcntl.flock

    def replace(file, operation) -> None:
        flock(file, operation)
        path.unlink()

    with requests.lock(path, "a") as is_held:
        assert is_held
    monkeypatch.setattr(requests.fcntl, "flock", replace)
    with requests.lock(path, "a") as is_held:
        assert not is_held


def test_if_the_leader_is_killed_another_process_resumes(alone_for_long, three) -> None:
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
