"""Stacks of any size give the same weights, curve and estimates."""

import json

import pytest
from safetensors import safe_open
from small_cell import TASK

from minde.diffusion.batches import CHUNK
from minde.steps.__main__ import main
from minde.study import results


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
        paths = {"--samples": undisturbed.samples, "--weights": undisturbed.weights, "--curve": undisturbed.curve}
        paths = [word for flag, path in paths.items() for word in (flag, str(path))]
        command = ["estimate", "--settings", json.dumps(asked), *paths, "--out", f"{tmp_path}/{stack}"]
        main([*command, "--stack", stack])
        found[stack] = results.read_estimates(tmp_path / stack).drop_columns("seconds").to_pylist()
    assert len(found["all"]) == 9
    assert found["1"] == found["2"] == found["all"]


@pytest.mark.parametrize("stack", ["0", "-1", "some", "1.5"])
def test_a_stack_of_no_size_is_refused(folder, capsys, stack) -> None:
    with pytest.raises(SystemExit):
        folder.train("--stack", stack)
    assert f"found '{stack}'; allowed: all, or a number of replicates from 1" in capsys.readouterr().err
