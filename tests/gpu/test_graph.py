"""The captured step on a GPU: it trains the same as eager steps there and on a CPU."""

import dataclasses
import importlib
import warnings
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import trainings
from trainings import model, run, samples

import minde
from minde.diffusion import training
from minde.diffusion.batches import CHUNK, Batches, Chunk
from minde.diffusion.training import restore, start, tensors_of, train_stack

CUDA = torch.device("cuda")
SEEDS = [7, 8, 9]
# Large steps amplify rounding: with PAPER's of 2e-3, on one CPU, a change of the initial weights by 1e-7 becomes one of
# 7e-3 within a chunk. With these, trainings in single and in double precision differ by 1e-6 after a chunk.
FAST, PAPER = (dataclasses.replace(recipe, learning_rate=2e-4) for recipe in (trainings.FAST, trainings.PAPER))
KINDS = [(FAST, "gaussian"), (FAST, "mixture"), (FAST, "none"), (PAPER, "none")]
CLOSE = {"rtol": 1e-3, "atol": 1e-4}  # after a training


@pytest.mark.parametrize(("recipe", "base"), KINDS)
@pytest.mark.parametrize("variant", ["c", "j"])
def test_a_captured_step_equals_an_eager_one(variant, recipe, base, monkeypatch) -> None:
    """The same operations in the same order; libraries may choose other kernels under capture, so not bit for bit."""
    x = samples(base=base).to(CUDA)
    captured = run(x, variant, recipe, SEEDS, base=base)
    monkeypatch.setattr(training, "GRAPH_DEVICES", ())
    eager = run(x, variant, recipe, SEEDS, base=base)
    assert captured.step == eager.step == recipe.steps
    for name in ("parameters", "average", "loss"):
        torch.testing.assert_close(getattr(captured, name), getattr(eager, name), **CLOSE)


@pytest.mark.parametrize(("recipe", "base"), KINDS)
def test_a_captured_step_does_what_one_on_a_cpu_does(recipe, base, monkeypatch) -> None:
    """From the CPU's draws, over one chunk."""
    drawn, x = [], samples(base=base)

    def keep(batches, first, draw=Batches.draw):
        chunk = draw(batches, first)
        drawn.append({name: tensor.to(CUDA, copy=True) for name, tensor in vars(chunk).items()})
        return chunk

    def first_steps(device, tensors=None):
        on_device = x.to(device)
        built = model(on_device, "j", base=base)
        state = start(built, SEEDS, on_device.device)
        if tensors is not None:
            restore(state, tensors)
        initial = tensors_of(state)
        return initial, tensors_of(next(train_stack(built, on_device, recipe, SEEDS, state)))

    monkeypatch.setattr(Batches, "draw", keep)
    initial, expected = first_steps("cpu")
    monkeypatch.setattr(Batches, "draw", lambda *_: Chunk(**{name: t.clone() for name, t in drawn[0].items()}))
    _, found = first_steps(CUDA, initial)
    for name in ("parameters", "average", "loss"):
        torch.testing.assert_close(found[name], expected[name], rtol=0, atol=1e-5)


@pytest.mark.parametrize(("recipe", "base"), KINDS)
def test_the_host_does_not_wait_within_a_step(recipe, base, monkeypatch) -> None:
    def watched(function):
        def call(*args):
            torch.cuda.set_sync_debug_mode("error")
            try:
                return function(*args)
            finally:
                torch.cuda.set_sync_debug_mode("default")

        return call

    monkeypatch.setattr(training, "GRAPH_DEVICES", ())
    monkeypatch.setattr(training, "_step", watched(training._step))
    monkeypatch.setattr(Batches, "pick", watched(Batches.pick))
    run(samples(base=base).to(CUDA), "j", recipe, SEEDS, base=base)


def test_a_training_warns_of_nothing() -> None:
    importlib.import_module("torch._dynamo")  # which the first step of an optimizer imports, with warnings of its own
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(samples().to(CUDA), "c", FAST, SEEDS)


def test_a_training_goes_on_from_its_tensors() -> None:
    """Captured again in the middle: as if it had not been stopped."""
    x = samples().to(CUDA)
    built = model(x, "j", base="gaussian")
    tensors = tensors_of(next(train_stack(built, x, FAST, SEEDS, start(built, SEEDS, CUDA))))
    state = start(built, SEEDS, CUDA)
    restore(state, tensors)
    assert state.step == CHUNK
    state = deque(train_stack(built, x, FAST, SEEDS, state), maxlen=1).pop()
    uninterrupted = run(x, "j", FAST, SEEDS, base="gaussian")
    torch.testing.assert_close(state.average, uninterrupted.average, **CLOSE)


def test_trainings_in_turns_do_not_touch_each_other() -> None:
    """One ends and another one begins while a third continues."""
    x = samples().to(CUDA)
    alone = run(x, "c", FAST, SEEDS, base="gaussian")
    built = model(x, "c", base="gaussian")

    def begin(seeds):
        return train_stack(built, x, FAST, seeds, start(built, seeds, CUDA))

    ended, going = begin([1, 2, 3]), begin(SEEDS)
    next(ended), next(going)
    ended.close()
    torch.cuda.empty_cache()  # unmaps what the ended one has freed
    next(begin([4, 5, 6]))
    state = deque(going, maxlen=1).pop()
    torch.testing.assert_close(state.average, alone.average, **CLOSE)


def test_trainings_in_threads_do_not_touch_each_other() -> None:
    x, stacks = samples().to(CUDA), [[1, 2, 3], [4, 5, 6], SEEDS]
    alone = [run(x, "c", FAST, seeds, base="gaussian").average for seeds in stacks]
    with ThreadPoolExecutor() as threads:
        together = threads.map(lambda seeds: run(x, "c", FAST, seeds, base="gaussian").average, 3 * stacks)
        for found, expected in zip(together, 3 * alone, strict=True):
            torch.testing.assert_close(found, expected, **CLOSE)


def test_the_detection_of_anomalies_does_not_disturb_a_fit() -> None:
    x, noise = np.random.default_rng(0).standard_normal((2, 1000))
    with torch.autograd.set_detect_anomaly(True):
        fitted = minde.MINDE(steps=64, device="cuda").fit(x, x + noise)
    assert np.isfinite(fitted.mutual_information())


def test_a_loss_that_is_not_finite_stops_a_captured_training() -> None:
    x = samples().to(CUDA)
    x[2] = torch.inf
    with pytest.raises(FloatingPointError, match=r"loss of replicate 2 is nan in the 32 steps up to step 32"):
        run(x, "c", FAST, SEEDS)


@pytest.mark.parametrize("variant", ["c", "j"])
def test_the_estimator_on_a_gpu_finds_the_mutual_information(variant) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(10_000)
    y = 0.8 * x + 0.6 * rng.standard_normal(10_000)
    fitted = minde.MINDE(variant=variant, device="cuda", random_state=0).fit(x, y)
    assert fitted.mutual_information() == pytest.approx(-0.5 * np.log(1 - 0.8**2), abs=0.05)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_a_device_that_is_not_the_current_one_trains_the_same() -> None:
    runs = [run(samples().to(f"cuda:{i}"), "c", FAST, SEEDS) for i in (0, 1)]
    torch.testing.assert_close(runs[0].parameters.cpu(), runs[1].parameters.cpu(), **CLOSE)
