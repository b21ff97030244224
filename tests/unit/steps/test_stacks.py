"""Stacks of any size give the same weights, curve and estimates."""

import json

import pytest
from safetensors import safe_open
from small_cell import STEPS, TASK, Folder, on_every_state

from minde.diffusion.batches import CHUNK
from minde.steps import stacks
from minde.steps.__main__ import main
from minde.steps.trainer import Trainer
from minde.study import results


@pytest.mark.parametrize("stack", ["1", "2", "3", "all"])
def test_stacks_of_any_size_give_the_same_weights_and_curve(undisturbed, folder, stack) -> None:
    folder.train("--stack", stack)
    folder.assert_same(undisturbed)


def test_an_interrupted_stack_can_resume_in_smaller_ones(undisturbed, folder, capsys) -> None:
    folder.stop()
    folder.train("--stack", "2")
    log = capsys.readouterr().err
    assert "replicates 0 to 1 of 3 on cpu: resumed at step 32/168" in log
    assert "replicate 2 of 3 on cpu: resumed at step 32/168" in log
    folder.assert_same(undisturbed)


@pytest.mark.parametrize("stack", ["1", "all"])
def test_replicates_at_different_steps_resume_from_their_own(undisturbed, folder, stack) -> None:
    """Stopped twice, after curve points, the second time when only two replicates had advanced."""
    folder.stop(2 * CHUNK)
    folder.stop(4 * CHUNK, stack=2)
    with safe_open(folder.state, "numpy") as file:
        assert file.get_tensor("step").tolist() == [4 * CHUNK, 4 * CHUNK, 2 * CHUNK]
    folder.train("--stack", stack)
    folder.assert_same(undisturbed)


def test_a_mixture_base_is_the_same_in_any_stack_and_after_an_interruption(
    undisturbed, folder, tmp_path_factory
) -> None:
    whole = Folder(tmp_path_factory.mktemp("whole"), undisturbed.samples)
    whole.train(base="mixture")
    folder.stop(base="mixture")
    folder.train("--stack", "2", base="mixture")
    folder.assert_same(whole)


def test_stacks_of_any_size_give_the_same_estimates(undisturbed, tmp_path) -> None:
    asked = {"formulas": ["inside", "sigma", "gap"], "sigmas": [1], "mc_draws": 2, "times": "stratified"}
    asked |= {"task": TASK, "train_size": 400, "seed": 0, "importance_sampling": True}
    found = {}
    for stack in ("1", "2", "all"):
        paths = {"--samples": undisturbed.samples, "--weights": undisturbed.weights, "--curve": undisturbed.curve}
        paths = [word for flag, path in paths.items() for word in (flag, str(path))]
        command = ["estimate", "--settings", json.dumps(asked), *paths, "--out", f"{tmp_path}/{stack}"]
        main([*command, "--stack", stack])
        found[stack] = results.read_estimates(tmp_path / stack, results.CELL_SCHEMA).drop_columns("seconds").to_pylist()
    assert len(found["all"]) == 9
    assert found["1"] == found["2"] == found["all"]


@pytest.fixture
def ticking(monkeypatch):
    """A clock that advances by three seconds with every CHUNK of steps of any stack, and otherwise stands still."""
    seconds = [0.0]
    monkeypatch.setattr(stacks.time, "perf_counter", lambda: seconds[0])

    def tick(state) -> None:
        seconds[0] += 3

    on_every_state(monkeypatch, tick)


def seconds_of(folder) -> set[float]:
    curve = results.pq.read_table(folder.curve).to_pylist()
    return {row["seconds"] for row in curve if row["step"] == STEPS}


def test_a_replicate_takes_its_share_of_its_stack_s_seconds(folder, ticking) -> None:
    folder.train()
    assert seconds_of(folder) == {6 * 3 / 3}  # of six chunks and three replicates


def test_what_was_spent_before_an_interruption_counts_by_the_stack_of_that_time(folder, ticking) -> None:
    folder.stop(2 * CHUNK)
    folder.train("--stack", "1")
    assert seconds_of(folder) == {2 * 3 / 3 + 4 * 3}


def test_cells_that_train_in_turns_do_not_count_each_other_s_seconds(folder, ticking, tmp_path) -> None:
    """Two cells of different learning rates, which cannot share a stack."""
    (tmp_path / "other").mkdir()
    folders = [folder, Folder(tmp_path / "other", folder.samples)]
    trainings = [own.prepare(learning_rate=rate) for rate, own in zip((1e-3, 2e-3), folders, strict=True)]
    trainer = Trainer(trainings)
    ended = []
    while len(ended) < 2:
        ended += trainer.advance()
    assert [seconds_of(own) for own in folders] == [{6 * 3 / 3}, {6 * 3 / 3}]


@pytest.mark.parametrize("stack", ["0", "-1", "some", "1.5"])
def test_a_stack_of_no_size_is_refused(folder, capsys, stack) -> None:
    with pytest.raises(SystemExit):
        folder.train("--stack", stack)
    assert f"found '{stack}'; allowed: all, or a number of replicates from 1" in capsys.readouterr().err
