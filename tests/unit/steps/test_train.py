"""A training that is killed, stopped or run in smaller stacks ends in the same weights; failures say what to do."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from safetensors import safe_open

from minde.__main__ import main
from minde.diffusion.training import CHUNK
from minde.interruption import STATUSES
from minde.steps import estimate, standing, train
from minde.study import checkpoints, results, trained

TASK = "1v1-normal-0.75"
SAMPLE = {"task": TASK, "seed": 0, "replicates": 3, "n_train": 400, "n_test": 100}
STEPS = 5 * CHUNK + 8
LONG = 40 * CHUNK + 8
CPU = torch.device("cpu")


def settings(steps: int = STEPS, **training) -> dict:
    """What trains a small cell; epochs end in mid-chunk."""
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
            "ema_decay": 0.99,
            "importance_sampling": True,
            "score_choice": "per_sample",
            "times": "stratified",
            "precondition": "gaussian",
        }
        | training,
    }


def on_every_state(monkeypatch, act) -> None:
    """Have `act` see every state that a training is handed."""
    original = train.train_stack

    def train_stack(*arguments):
        for state in original(*arguments):
            act(state)
            yield state

    monkeypatch.setattr(train, "train_stack", train_stack)


class Folder:
    """A folder in which the small cell is trained, with its samples, weights, curve and state."""

    def __init__(self, path, samples) -> None:
        self.path, self.samples = path, samples
        self.weights, self.curve, self.state = (path / name for name in ("weights", "curve", "state/cell.safetensors"))

    def command(self, *options: str, **changes) -> list[str]:
        paths = ["--samples", self.samples, "--weights", self.weights, "--curve", self.curve, "--state", self.state]
        start = ["train", "--settings", json.dumps(settings(**changes)), "--device", "cpu", *map(str, paths)]
        return [*start, *options]

    def train(self, *options: str, **changes) -> None:
        main(self.command(*options, **changes))

    def stop(self, step: int = CHUNK, stack: int | None = None, **changes) -> None:
        """Train until a replicate is at the step, and stop as a signal would have it."""
        keeper = standing.Keeper(self.state)

        def signal_at_step(state) -> None:
            if state.step == step:
                keeper.interruption.signal = signal.SIGUSR2

        with pytest.MonkeyPatch.context() as patch:
            on_every_state(patch, signal_at_step)
            with pytest.raises(SystemExit):
                train.train(settings(**changes), self.samples, self.weights, self.curve, CPU, stack, keeper)
        assert self.state.exists()

    def results(self) -> tuple[dict[str, np.ndarray], list[dict]]:
        """What the training has left: weights, and the curve but for its seconds."""
        curve = pq.read_table(self.curve).drop_columns("seconds").to_pylist()
        return trained.read_weights(self.weights)[0], curve

    def assert_same(self, other: "Folder") -> None:
        (weights, curve), (expected_weights, expected_curve) = self.results(), other.results()
        assert weights.keys() == expected_weights.keys()
        for name, weight in weights.items():
            np.testing.assert_array_equal(weight, expected_weights[name], err_msg=name)
        assert curve == expected_curve

    def assert_nothing_left(self) -> None:
        assert list(self.state.parent.iterdir()) == []


@pytest.fixture(autouse=True)
def handlers():
    """Give signals back their handlers, which a training in this process has taken."""
    before = {number: signal.getsignal(number) for number in STATUSES}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Folder:
    """The cell, trained in one go, without a checkpoint."""
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("undisturbed")
    main(["sample", "--settings", json.dumps(SAMPLE), "--out", f"{path}/samples"])
    folder = Folder(path, path / "samples")
    train.train(settings(), folder.samples, folder.weights, folder.curve, CPU)
    return folder


@pytest.fixture(scope="module")
def long(undisturbed, tmp_path_factory) -> Folder:
    """The same for more steps, seconds of them, so that a process can be met in the middle."""
    folder = Folder(tmp_path_factory.mktemp("long"), undisturbed.samples)
    train.train(settings(LONG), folder.samples, folder.weights, folder.curve, CPU)
    return folder


@pytest.fixture
def folder(undisturbed, tmp_path) -> Folder:
    """A folder for another training of the cell."""
    return Folder(tmp_path, undisturbed.samples)


def process(folder: Folder, *options: str, **changes) -> subprocess.Popen:
    """A training in a process of its own, with one thread."""
    command = [sys.executable, "-m", "minde", *folder.command(*options, **changes)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


# Killed ---------------------------------------------------------------------------------------------------------------


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
    """Replicates one after the other with a checkpoint at every chance, against all at once without any."""
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


# Stopped --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "status"), [(signal.SIGUSR2, 75), (signal.SIGTERM, 143)])
def test_a_signal_stops_a_training_that_goes_on_later(long, folder, capsys, number, status) -> None:
    running = process(folder, "--checkpoint-seconds", "0", steps=LONG)
    running.stderr.readline()  # of its first steps
    assert not folder.state.exists()
    running.send_signal(number)
    log = running.communicate()[1]
    assert running.returncode == status
    assert f"Stopped by {signal.Signals(number).name}; the same command goes on from {folder.state}." in log
    assert not folder.weights.exists()
    folder.train(steps=LONG)
    assert re.search(rf"3 replicates on cpu: resumed at step \d+/{LONG}, after \d+ seconds", capsys.readouterr().err)
    folder.assert_same(long)
    folder.assert_nothing_left()


def test_the_clock_of_a_resumed_training_goes_on(folder, capsys) -> None:
    folder.stop()
    change(folder.state, lambda tensors, _: tensors["seconds"].__iadd__(1000))
    folder.train()
    assert "resumed at step 32/168, after 1000 seconds" in capsys.readouterr().err
    curve = pq.read_table(folder.curve).to_pylist()
    assert all(row["seconds"] > 1000 for row in curve if row["step"] > CHUNK)


def test_a_training_that_was_stopped_at_its_last_step_writes_what_it_has(undisturbed, folder, monkeypatch) -> None:
    monkeypatch.setattr(train, "_write", lambda *_: sys.exit("killed"))
    with pytest.raises(SystemExit):
        folder.train("--checkpoint-seconds", "0.0001")
    monkeypatch.undo()
    folder.train()
    folder.assert_same(undisturbed)
    folder.assert_nothing_left()


# Wrong checkpoints ----------------------------------------------------------------------------------------------------


def change(path, how) -> None:
    """Change the tensors and the identity of a checkpoint, which is whole again thereafter."""
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
        (flip_a_bit, "it is damaged (its checksum is not that of its content)"),
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
    monkeypatch.setattr(train, "SOURCES", (*train.SOURCES, "progress.py"))
    folder.train()
    assert re.search(r"is not used: it is of another training \(code \w+ there, \w+ here\)", capsys.readouterr().err)


# Stacks ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stack", ["1", "2", "3", "all"])
def test_stacks_of_any_size_give_the_same_weights_and_curve(undisturbed, folder, stack) -> None:
    folder.train("--stack", stack)
    folder.assert_same(undisturbed)


def test_an_interrupted_stack_can_go_on_in_smaller_ones(undisturbed, folder, capsys) -> None:
    folder.stop()
    folder.train("--stack", "2")
    log = capsys.readouterr().err
    assert "replicates 0 to 1 of 3 on cpu: resumed at step 32/168" in log
    assert "replicate 2 of 3 on cpu: resumed at step 32/168" in log
    folder.assert_same(undisturbed)


@pytest.mark.parametrize("stack", ["1", "all"])
def test_replicates_at_different_steps_go_on_from_their_own(undisturbed, folder, stack) -> None:
    """Stopped twice, with curve points before, the second time with only two replicates further than before."""
    folder.stop(2 * CHUNK)
    folder.stop(4 * CHUNK, stack=2)
    with safe_open(folder.state, "numpy") as file:
        assert file.get_tensor("step").tolist() == [4 * CHUNK, 4 * CHUNK, 2 * CHUNK]
    folder.train("--stack", stack)
    folder.assert_same(undisturbed)


def test_stacks_of_any_size_give_the_same_estimates(undisturbed, tmp_path) -> None:
    asked = {"formulas": ["inside", "sigma", "gap"], "sigmas": [1], "mc_draws": 2, "times": "stratified"}
    asked |= {"task": TASK, "train_size": 400, "seed": 0, "importance_sampling": True}
    found = {}
    for stack in ("1", "2", "all"):
        paths = ["--samples", f"{undisturbed.samples}", "--weights", f"{undisturbed.weights}", "--out"]
        main(["estimate", "--settings", json.dumps(asked), *paths, f"{tmp_path}/{stack}", "--stack", stack])
        found[stack] = results.read_estimates(tmp_path / stack).drop_columns("seconds").to_pylist()
    assert len(found["all"]) == 9
    assert found["1"] == found["2"] == found["all"]


@pytest.mark.parametrize("stack", ["0", "-1", "some", "1.5"])
def test_a_stack_of_no_size_is_refused(folder, capsys, stack) -> None:
    with pytest.raises(SystemExit):
        folder.train("--stack", stack)
    assert f"found '{stack}'; allowed: all, or a number of replicates from 1" in capsys.readouterr().err


# Failures -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [[], ["--checkpoint-seconds", "0.0001"]])
def test_weights_that_are_not_finite_are_never_written(folder, monkeypatch, options) -> None:
    def spoil(state) -> None:
        if state.first == 1 and state.step == STEPS:
            state.parameters.data[0, 0] = torch.nan

    on_every_state(monkeypatch, spoil)
    with pytest.raises(FloatingPointError, match=rf"1 parameters of replicate 1 are not finite at step {STEPS}"):
        folder.train("--stack", "1", *options)
    assert not folder.weights.exists()
    if options:
        with safe_open(folder.state, "numpy") as file:
            assert np.isfinite(file.get_tensor("parameters")).all()


def test_an_estimate_of_the_curve_that_is_not_finite_names_the_replicate_of_the_cell(folder, monkeypatch) -> None:
    on_every_state(monkeypatch, lambda state: state.average.fill_(torch.nan if state.first == 2 else 0))
    with pytest.raises(FloatingPointError, match="estimate 'inside' of replicate 2 is nan"):
        folder.train("--stack", "1")


def ask_for_too_much(*_, **__):
    return torch.empty(2**58)  # what torch really says on this machine


def ask_for_too_much_of_a_gpu(*_, **__):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB.")


@pytest.mark.parametrize("ask", [ask_for_too_much, ask_for_too_much_of_a_gpu])
@pytest.mark.parametrize(
    ("stack", "message"),
    [
        ("all", r"3 replicates on cpu: out of memory with a stack of 3 \(.*llocat.*\); set run.stack to 2 or less"),
        ("2", r"replicates 0 to 1 of 3 on cpu: out of memory with a stack of 2 .* set run.stack to 1 or less"),
        ("1", r"replicate 0 of 3 on cpu: out of memory with a stack of 1 .*; a stack cannot be smaller"),
    ],
)
def test_running_out_of_memory_names_the_stack_and_what_to_do(folder, monkeypatch, ask, stack, message) -> None:
    monkeypatch.setattr(train, "train_stack", ask)
    with pytest.raises(MemoryError, match=rf"minde-c, {TASK}, 400 samples, {message}"):
        folder.train("--stack", stack)


def test_estimation_names_the_stack_too(undisturbed, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(estimate, "estimate_stack", ask_for_too_much)
    asked = {"task": TASK, "train_size": 400, "seed": 0, "formulas": ["gap"], "sigmas": [], "mc_draws": 1}
    asked |= {"importance_sampling": True, "times": "iid"}
    with pytest.raises(MemoryError, match="out of memory with a stack of 3"):
        estimate.estimate(asked, undisturbed.samples, undisturbed.weights, tmp_path / "out", CPU)


def test_other_errors_stay_what_they_are(folder, monkeypatch) -> None:
    def fail(*_):
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(train, "train_stack", fail)
    with pytest.raises(RuntimeError, match=r"^shapes differ$"):
        folder.train()
