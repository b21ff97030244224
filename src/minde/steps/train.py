"""The step `train`: samples in, weights and a training curve out."""

import dataclasses
import math
from functools import partial
from pathlib import Path

import torch

from minde.diffusion.base import compact, fit_base
from minde.diffusion.model import WEIGHTS_VERSION
from minde.diffusion.recipe import Recipe
from minde.study import results, samples, trained
from minde.study.files import provenance
from minde.study.sources import SOURCES

from .cell import MOMENTS, PACKAGES, hardware_of, model_of, read_cell, seeds_of, steps_of
from .stacks import Inputs, Trainer, Training
from .standing import Keeper, Standing


def train(
    settings: dict,
    samples_path: Path,
    weights_path: Path,
    curve_path: Path,
    device: torch.device,
    stack: int | None = None,
    keeper: Keeper | None = None,
) -> None:
    """Train a cell's replicates, ``stack`` at once or all of them; write their weights and their training curve.

    Goes on from the keeper's checkpoint where it is one of this training, and removes it in the end; exits where the
    keeper's process is told to stop. Raises FloatingPointError, naming step and replicate, for numbers that are not
    finite, and MemoryError, naming the size of the stack.
    """
    trainer = Trainer([prepare(settings, samples_path, weights_path, curve_path, device, stack, keeper)])
    while not (ended := trainer.turn()):
        pass
    ((_, error),) = ended
    if error is not None:
        raise error


def prepare(
    settings: dict,
    samples_path: Path,
    weights_path: Path,
    curve_path: Path,
    device: torch.device,
    stack: int | None = None,
    keeper: Keeper | None = None,
) -> Training:
    """Return the training of a cell as it stands, with all that it reads; see :func:`train`."""
    keeper = keeper or Keeper()
    held = samples.metadata(samples_path)
    settings = settings | {"dim_x": held["dim_x"], "dim_y": held["dim_y"]}
    made_by = provenance(settings, packages=PACKAGES, sources=SOURCES["train"]) | {
        "seeds": {purpose: seeds_of(settings, purpose) for purpose in ("train", "curve")},
        "hardware": hardware_of(device),
        "samples": samples.provenance_of(samples_path),
    }
    standing = keeper.load(_identity(made_by, held, device), settings["replicates"])
    inputs = _read(settings, samples_path, device)
    write = partial(
        _write,
        inputs,
        standing,
        made_by | {"mi_true": held["mi_true"], "weights_version": WEIGHTS_VERSION},
        weights_path,
        curve_path,
    )
    return Training(inputs, standing, keeper, stack or math.inf, write)


def _identity(made_by: dict, held: dict, device: torch.device) -> dict:
    """Return all that a training's numbers depend on: of another kind of device, even its random numbers differ."""
    versions = {"torch": made_by["versions"]["torch"]}
    content = {"samples": held["content_sha256"], "device": device.type, "versions": versions}
    return content | {key: made_by[key] for key in ("settings", "code")}


def _read(settings: dict, samples_path: Path, device: torch.device) -> Inputs:
    clean, test = read_cell(settings, samples_path, settings["curve"]["test_rows"], device)
    moments = fit_base(settings["training"]["precondition"], clean, settings["dim_x"])
    return Inputs(settings, _recipe(settings["training"], settings["train_size"]), clean, test, moments)


def _write(inputs: Inputs, standing: Standing, made_by: dict, weights_path: Path, curve_path: Path) -> None:
    """Write the weights and the curve of a cell whose replicates are all trained."""
    network = model_of(inputs.settings, inputs.moments, inputs.clean.device).network
    tensors = {
        f"{kind}/{name}": value
        for kind, stood in (("raw", "parameters"), ("average", "average"))
        for name, value in network.unflatten(standing.tensors[stood]).items()
    }
    tensors |= dict(zip(MOMENTS, compact(inputs.moments), strict=False))
    # In the same order whatever the stacks were.
    curve = sorted(standing.curve, key=lambda row: (row["step"], row["replicate"]))
    results.write_parquet(curve_path, trained.curve_table(curve), made_by)
    trained.write_weights(weights_path, {name: value.cpu().numpy() for name, value in tensors.items()}, made_by)


def _recipe(training: dict, train_size: int) -> Recipe:
    """Return the recipe of the settings."""
    own = {field.name for field in dataclasses.fields(Recipe)} - {"steps"}
    return Recipe(steps=steps_of(training, train_size), **{name: training[name] for name in own})
