"""A killed or stopped training resumes from its checkpoint and ends the same; a wrong checkpoint is not used."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import pyarrow.parquet as pq
import pytest
from safetensors import safe_open
from small_cell import LONG, SAMPLE, Folder

from minde.diffusion.batches import CHUNK
from minde.steps import train
from minde.steps.__main__ import main
from minde.study import checkpoints


def process(folder: Folder, *options: str, **changes) -> subprocess.Popen:
    """Start a training in a separate process, with one thread."""
    command = [sys.executable, "-m", "minde.steps", *folder.command(*options, **changes)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


# Killed.


def kill_in_training(running: subprocess.Popen, folder: Folder, dice: random.Random) -> None:
    """Send SIGKILL between, or in the middle of, the next few checkpoints."""

    def next_checkpoint(before: int | None) -> int:
        while (inode := folder.state.stat().st_ino if folder.state.exists() else None) == before:
            assert running.poll() is None, running.stderr.read()
            time.sleep(0.0005)
        return inode

    inode = folder.state.stat().st_ino if folder.state.exists() else None
    for _ in range(dice.randint(2, 4)):
        since = time.monotonic()
        inode = next_checkpoint(inode)
    time.sleep(dice.random() * (time.monotonic() - since))
    running.kill()


@pytest.mark.slow
def test_a_training_killed_twenty_times_ends_in_the_same_weights(long, folder) -> None:
    """Replicates one after another with as many checkpoints as possible, against one stack without any."""
    dice, log = random.Random(3), ""
    for _ in range(20):
        running = process(folder, "--checkpoint-seconds", "0.001", "--stack", "1", steps=LONG)
        kill_in_training(running, folder, dice)
        log += running.communicate()[1]
        assert running.returncode == -signal.SIGKILL
        assert not folder.weights.exists()
    assert log.count("resumed at step") >= 15  # all but the first, and those that began with the next replicate
    assert "not used" not in log
    folder.train("--stack", "1", steps=LONG)
    folder.assert_same(long)
    folder.assert_nothing_left()


# Stopped.


@pytest.mark.parametrize(("number", "status"), [(signal.SIGUSR2, 75), (signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_stops_a_training_that_resumes_later(long, folder, capsys, number, status) -> None:
    running = process(folder, "--checkpoint-seconds", "0", steps=LONG)
    running.stderr.readline()  # of its first steps
    assert not folder.state.exists()
    running.send_signal(number)
    log = running.communicate()[1]
    assert running.returncode == status
    assert f"Stopped by {signal.Signals(number).name}; the same command resumes from {folder.state}." in log
    assert not folder.weights.exists()
    folder.train(steps=LONG)
    assert re.search(rf"3 replicates on cpu: resumed at step \d+/{LONG}, after \d+ seconds", capsys.readouterr().err)
    folder.assert_same(long)
    folder.assert_nothing_left()


def test_a_resumed_training_keeps_its_base(undisturbed, folder, monkeypatch) -> None:
    """On another machine a fit may differ, in the last bits or in the number of clusters."""
    folder.stop()
    monkeypatch.setattr(train, "fit_base", lambda *_: pytest.fail("the base was fitted again"))
    folder.train()
    folder.assert_same(undisturbed)


def test_the_clock_of_a_resumed_training_continues(folder, capsys) -> None:
    folder.stop()
    change(folder.state, lambda tensors, _: tensors["seconds"].__iadd__(1000))
    folder.train()
    assert re.search(r"resumed at step 32/168, after 10\d\d seconds", capsys.readouterr().err)
    curve = pq.read_table(folder.curve).to_pylist()
    assert all(row["seconds"] > 1000 / 3 for row in curve if row["step"] > CHUNK)


def test_a_training_that_was_stopped_at_its_last_step_writes_what_it_has(undisturbed, folder, monkeypatch) -> None:
    monkeypatch.setattr(train, "_write", lambda *_: sys.exit("killed"))
    with pytest.raises(SystemExit):
        folder.train("--checkpoint-seconds", "0.0001")
    monkeypatch.undo()
    folder.train()
    folder.assert_same(undisturbed)
    folder.assert_nothing_left()


def test_a_periodic_checkpoint_that_cannot_be_written_stops_no_training(
    undisturbed, folder, monkeypatch, capsys
) -> None:
    def full(*_) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "write", full)
    folder.train("--checkpoint-seconds", "0.0001")
    assert (
        "could not be written ([Errno 28] No space left on device). The training continues." in capsys.readouterr().err
    )
    folder.assert_same(undisturbed)


# Wrong checkpoints.


def change(path, how) -> None:
    """Change the tensors and the identity of a checkpoint and write it as a valid one."""
    with safe_open(path, "numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        held = json.loads(file.metadata()["minde"])
    how(tensors, held["identity"])
    checkpoints.write(path, tensors, held["curve"], held["identity"])


def truncate(path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(path) -> None:
    content = bytearray(path.read_bytes())
    content[-1000] ^= 4
    path.write_bytes(content)


def of_another_code(path) -> None:
    change(path, lambda _, identity: identity.update(code="0" * 64))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (truncate, "it is damaged"),
        (flip_a_bit, "it is damaged (its content does not have the checksum that it was written with)"),
        (of_another_code, "it is of another training (code 000000000000 there"),
    ],
)
def test_a_wrong_checkpoint_is_named_and_the_training_starts_over(undisturbed, folder, capsys, spoil, reason) -> None:
    folder.stop()
    spoil(folder.state)
    folder.train()
    log = capsys.readouterr().err
    assert f"The checkpoint {folder.state} is not used: {reason}" in log
    assert "The training starts over." in log
    assert "resumed" not in log
    folder.assert_same(undisturbed)
    folder.assert_nothing_left()


def test_a_checkpoint_of_other_settings_is_named(undisturbed, folder, capsys) -> None:
    folder.stop(learning_rate=0.5)
    folder.train()
    reason = "it is of another training (settings.training.learning_rate 0.5 there, 0.001 here)"
    assert f"The checkpoint {folder.state} is not used: {reason}. The training starts over." in capsys.readouterr().err
    folder.assert_same(undisturbed)


def test_a_checkpoint_of_other_samples_is_named(folder, capsys) -> None:
    folder.stop()
    folder.samples = folder.path / "samples"
    main(["sample", "--settings", json.dumps(SAMPLE | {"seed": 1}), "--out", f"{folder.samples}"])
    folder.train()
    found = re.search(r"is not used: it is of another training \((.*)\)", capsys.readouterr().err)
    assert re.fullmatch(r"samples \w{12} there, \w{12} here", found[1])


def test_other_training_code_has_another_identity(folder, capsys, monkeypatch) -> None:
    folder.stop()
    monkeypatch.setitem(train.SOURCES, "train", (*train.SOURCES["train"], "progress.py"))
    folder.train()
    assert re.search(r"is not used: it is of another training \(code \w+ there, \w+ here\)", capsys.readouterr().err)
