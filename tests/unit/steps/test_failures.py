"""Failures of a training name the cell, the replicate and what to do, and leave no wrong file."""

import numpy as np
import pytest
import torch
from safetensors import safe_open
from small_cell import CPU, STEPS, TASK, on_every_state

from minde.steps import estimate, score_errors, stacks, train


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
    return torch.empty(2**58)  # the actual error of torch on a CPU


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
    monkeypatch.setattr(stacks, "train_stack", ask)
    with pytest.raises(MemoryError, match=rf"minde-c, {TASK}, 400 samples, {message}"):
        folder.train("--stack", stack)


def test_estimation_names_the_stack_too(undisturbed, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(estimate, "mutual_information", ask_for_too_much)
    asked = {"task": TASK, "train_size": 400, "seed": 0, "formulas": ["gap"], "sigmas": [], "mc_draws": 1}
    asked |= {"importance_sampling": True, "times": "iid"}
    with pytest.raises(MemoryError, match="out of memory with a stack of 3"):
        estimate.estimate(asked, undisturbed.samples, undisturbed.weights, undisturbed.curve, tmp_path / "out", CPU)


STEPS_WITH_SAMPLES = {
    train: lambda asked, trained, folder: folder.train(),
    estimate: lambda asked, trained, folder: estimate.estimate(
        asked, trained.samples, trained.weights, trained.curve, folder.path / "out", CPU
    ),
    score_errors: lambda asked, trained, folder: score_errors.measure(
        asked, trained.samples, trained.weights, folder.path / "out", CPU
    ),
}


@pytest.mark.parametrize("step", STEPS_WITH_SAMPLES)
def test_samples_that_are_too_large_name_the_cell(undisturbed, folder, monkeypatch, step) -> None:
    monkeypatch.setattr(step, "read_cell", ask_for_too_much_of_a_gpu)
    message = f"minde-c, {TASK}, 400 samples, 3 replicates on cpu: out of memory with all replicates' samples"
    with pytest.raises(MemoryError, match=message):
        STEPS_WITH_SAMPLES[step]({"task": TASK, "train_size": 400, "seed": 0}, undisturbed, folder)


def test_other_errors_stay_what_they_are(folder, monkeypatch) -> None:
    def fail(*_):
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(stacks, "train_stack", fail)
    with pytest.raises(RuntimeError, match=r"^shapes differ$"):
        folder.train()
