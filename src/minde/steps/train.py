"""The step `train`: samples in, weights and a training curve out."""

import dataclasses
import math
from functools import partial
from pathlib import Path

import torch

from minde import tensors
from minde.diffusion.base import compact, fit_base
from minde.diffusion.model import WEIGHTS_VERSION
from minde.diffusion.recipe import Recipe
from minde.files import provenance
from minde.hardware import hardware_of
from minde.study import curves, results, samples
from minde.study.sources import SOURCES

from .cell import PACKAGES, model_of, read_cell, seeds_of, steps_of
from .checkpointing import CellState, Checkpointer
from .messages import memory_of, title_of
from .stacks import Inputs, Training
from .trainer import Trainer


def prepare(
    settings: dict,
    samples_path: Path,
    weights_path: Path,
    curve_path: Path,
    device: torch.device,
    stack: int | None = None,
    checkpointer: Checkpointer | None = None,
) -> Training:
    """Return the training of a cell, `stack` replicates at a time or all together, with everything that it reads.

    It resumes from the checkpoint if that matches this training.
    """
    checkpointer = checkpointer or Checkpointer()
    held = samples.metadata(samples_path)
    settings = settings | {"dim_x": held["dim_x"], "dim_y": held["dim_y"]}
    made_by = provenance(settings, packages=PACKAGES, sources=SOURCES["train"]) | {
        "seeds": {purpose: seeds_of(settings, purpose) for purpose in ("train", "curve")},
        "hardware": hardware_of(device),
        "samples": samples.provenance_of(samples_path),
    }
    state = checkpointer.load(_identity(made_by, held, device), settings["replicates"])
    inputs = _read(settings, samples_path, device, state)
    write = partial(_write, inputs, state, made_by | {"weights_version": WEIGHTS_VERSION}, weights_path, curve_path)
    return Training(inputs, state, checkpointer, stack or math.inf, write)


def train(training: Training) -> None:
    """Train a cell from its current state; write its weights and its training curve, and remove its checkpoint.

    Raises SystemExit if told to stop, FloatingPointError, naming step and replicate, for numbers that are not finite,
    and MemoryError, naming the size of the stack.
    """
    trainer = Trainer([training])
    while not (ended := trainer.advance()):
        pass
    ((_, error),) = ended
    if error is not None:
        raise error


def _identity(made_by: dict, held: dict, device: torch.device) -> dict:
    """Return everything that a training's numbers depend on; random numbers differ between kinds of devices."""
    versions = {"torch": made_by["versions"]["torch"]}
    content = {"samples": held["content_sha256"], "device": device.type, "versions": versions}
    return content | {key: made_by[key] for key in ("settings", "code")}


def _read(settings: dict, samples_path: Path, device: torch.device, state: CellState) -> Inputs:
    """Read and fit what a training needs; the base that a checkpoint holds is kept, since fits differ by machine."""
    with memory_of(title_of(settings, device)):
        clean, test = read_cell(settings, samples_path, settings["curve"]["test_rows"], device)
        moments = {name: moment.to(device) for name, moment in tensors.group(state.tensors, "moments").items()}
        if not moments:
            moments = fit_base(settings["training"]["base"], clean, settings["dim_x"])
            state.tensors |= tensors.prefixed("moments", {name: moment.cpu() for name, moment in moments.items()})
    return Inputs(settings, _recipe(settings["training"], settings["train_size"]), clean, test, moments)


def _write(inputs: Inputs, state: CellState, made_by: dict, weights_path: Path, curve_path: Path) -> None:
    """Write the weights, last (`raw/`) and averaged (`average/`), and the curve of a trained cell."""
    network = model_of(inputs.settings, inputs.moments, inputs.clean.device).network
    weights = {
        **tensors.prefixed("raw", network.unflatten(state.tensors["parameters"])),
        **tensors.prefixed("average", network.unflatten(state.tensors["average"])),
        **tensors.prefixed("moments", compact(inputs.moments)),
    }
    # Sorted, since the order of rows depends on the stacks.
    curve = sorted(state.curve, key=lambda row: (row["step"], row["replicate"]))
    results.write_parquet(curve_path, curves.table(curve), made_by)
    tensors.write(weights_path, {name: value.cpu().numpy() for name, value in weights.items()}, made_by)


def _recipe(training: dict, train_size: int) -> Recipe:
    """Return the recipe of the settings."""
    own = {field.name for field in dataclasses.fields(Recipe)} - {"steps"}
    return Recipe(steps=steps_of(training, train_size), **{name: training[name] for name in own})
