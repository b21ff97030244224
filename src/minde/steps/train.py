"""The step `train`: samples in, weights and a training curve out."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from minde.diffusion.gaussian import fit_moments
from minde.diffusion.model import Model
from minde.diffusion.training import Recipe, State, restore, start, tensors_of, train_stack
from minde.progress import Progress, tell
from minde.study import results, samples, trained
from minde.study.files import provenance

from .cell import (
    MOMENTS,
    PACKAGES,
    estimate_rows,
    estimate_stack,
    hardware_of,
    memory_of,
    model_of,
    read_cell,
    seeds_of,
    steps_of,
    title_of,
)
from .standing import Keeper, Standing

SOURCES = ("diffusion/*.py", "steps/cell.py", "steps/standing.py", "steps/train.py", "study/seeds.py")


@dataclass(frozen=True)
class Inputs:
    """What the trainings of a cell read, for all replicates."""

    settings: dict
    recipe: Recipe
    clean: Tensor
    """Training samples ``(replicates, n, dim)``."""
    test: Tensor
    """Test samples of the training curve ``(replicates, rows, dim)``."""
    moments: tuple[Tensor, Tensor] | None
    """Mean and covariance that the network's Gaussian base has, if it has one."""


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
    keeper = keeper or Keeper()
    held = samples.metadata(samples_path)
    settings = settings | {"dim_x": held["dim_x"], "dim_y": held["dim_y"]}
    made_by = provenance(settings, packages=PACKAGES, sources=SOURCES) | {
        "seeds": {purpose: seeds_of(settings, purpose) for purpose in ("train", "curve")},
        "hardware": hardware_of(device),
        "samples": samples.provenance_of(samples_path),
    }
    standing = keeper.load(_identity(made_by, held, device), settings["replicates"])
    inputs = _read(settings, samples_path, device)
    while part := standing.next_stack(inputs.recipe.steps, stack or settings["replicates"]):
        with memory_of(title_of(settings, device, part), part):
            _train_stack(inputs, part, standing, keeper)
    _write(inputs, standing, made_by | {"mi_true": held["mi_true"]}, weights_path, curve_path)
    keeper.remove()


def _identity(made_by: dict, held: dict, device: torch.device) -> dict:
    """Return all that a training's numbers depend on: of another kind of device, even its random numbers differ."""
    versions = {"torch": made_by["versions"]["torch"]}
    content = {"samples": held["content_sha256"], "device": device.type, "versions": versions}
    return content | {key: made_by[key] for key in ("settings", "code")}


def _read(settings: dict, samples_path: Path, device: torch.device) -> Inputs:
    clean, test = read_cell(settings, samples_path, settings["curve"]["test_rows"], device)
    moments = fit_moments(clean) if settings["training"]["precondition"] == "gaussian" else None
    return Inputs(settings, _recipe(settings["training"], settings["train_size"]), clean, test, moments)


def _train_stack(inputs: Inputs, stack: slice, standing: Standing, keeper: Keeper) -> None:
    """Train some of a cell's replicates from where they stand to the end, saying how far they are."""
    settings, recipe, clean = inputs.settings, inputs.recipe, inputs.clean[stack]
    moments = None if inputs.moments is None else tuple(moment[stack] for moment in inputs.moments)
    model = model_of(settings, moments, clean.device)
    seeds = seeds_of(settings, "train")[stack]
    state = start(model, recipe, seeds, clean.device, stack.start)
    title, spent = title_of(settings, clean.device, stack), standing.tensors["seconds"][stack.start].item()
    if rows := standing.rows(stack):
        restore(state, rows)
        tell(f"{title}: resumed at step {state.step}/{recipe.steps}, after {spent:.0f} seconds")
    progress, about = Progress(title, recipe.steps, "steps", spent=spent), ""
    points_done = _points(inputs, state)
    for _ in train_stack(model, clean, recipe, seeds, state):
        if milestone := _points(inputs, state) > points_done:
            points_done = _points(inputs, state)
            rows = _curve_rows(inputs, model, state, stack, progress.seconds)
            standing.curve += rows
            about = f"MI {_means(rows)} nats, "
        progress.report(state.step, f"{about}loss {state.loss.mean():.4f}", milestone=milestone)
        due = keeper.is_due()  # asked once: a signal may come at any moment
        if due or state.step == recipe.steps:
            standing.put(stack, tensors_of(state), progress.seconds)
        if due:
            keeper.keep(standing)


def _points(inputs: Inputs, state: State) -> int:
    """Return how many points of the training curve a state has passed."""
    return state.step * inputs.settings["curve"]["points"] // inputs.recipe.steps


def _curve_rows(inputs: Inputs, model: Model, state: State, stack: slice, seconds: float) -> list[dict]:
    """Return the rows of one point of the training curve: every replicate of a stack by every formula."""
    found = estimate_stack(
        model,
        model.network.unflatten(state.average),
        inputs.test[stack],
        times=model.times,
        formulas=("inside", "sigma", "gap"),
        sigmas=(1.0,),
        mc_draws=1,
        stratified=True,
        seeds=seeds_of(inputs.settings, "curve")[stack],
        first=stack.start,
    )
    now = {"step": state.step, "seconds": seconds / (stack.stop - stack.start)}
    loss = dict(enumerate(state.loss.tolist(), stack.start))
    return [now | {"loss": loss[row["replicate"]]} | row for row in estimate_rows(found, stack.start)]


def _means(rows: list[dict]) -> str:
    """Return the mean over replicates by every formula, in words."""
    by_estimator: dict[str, list[float]] = {}
    for row in rows:
        by_estimator.setdefault(row["estimator"], []).append(row["estimate"])
    return ", ".join(f"{name} {fmean(values):.3f}" for name, values in by_estimator.items())


def _write(inputs: Inputs, standing: Standing, made_by: dict, weights_path: Path, curve_path: Path) -> None:
    """Write the weights and the curve of a cell whose replicates are all trained."""
    network = model_of(inputs.settings, inputs.moments, inputs.clean.device).network
    tensors = {
        f"{kind}/{name}": value
        for kind, stood in (("raw", "parameters"), ("average", "average"))
        for name, value in network.unflatten(standing.tensors[stood]).items()
    }
    tensors |= dict(zip(MOMENTS, inputs.moments or (), strict=False))
    # In the same order whatever the stacks were.
    curve = sorted(standing.curve, key=lambda row: (row["step"], row["replicate"]))
    results.write_parquet(curve_path, trained.curve_table(curve), made_by)
    trained.write_weights(weights_path, {name: value.cpu().numpy() for name, value in tensors.items()}, made_by)


def _recipe(training: dict, train_size: int) -> Recipe:
    """Return the recipe of the settings."""
    own = {field.name for field in dataclasses.fields(Recipe)} - {"steps"}
    return Recipe(steps=steps_of(training, train_size), **{name: training[name] for name in own})
