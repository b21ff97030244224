"""The step `train`: samples in, weights and a training curve out."""

import dataclasses
from pathlib import Path

import torch
from torch import Tensor

from minde.diffusion.gaussian import fit_moments
from minde.diffusion.model import Model
from minde.diffusion.training import Recipe, State, start, train_stack
from minde.progress import Progress
from minde.study import results, samples, trained
from minde.study.files import provenance

from .cell import MOMENTS, PACKAGES, estimate_rows, estimate_stack, model_of, read_cell, seeds_of, title_of

SOURCES = ("diffusion/*.py", "steps/cell.py", "steps/train.py", "study/seeds.py")


def train(settings: dict, samples_path: Path, weights_path: Path, curve_path: Path, device: torch.device) -> None:
    """Train the replicates of a cell as one stack; write its weights and its training curve."""
    held = samples.metadata(samples_path)
    settings = settings | {"dim_x": held["dim_x"], "dim_y": held["dim_y"]}
    clean, test = read_cell(settings, samples_path, settings["curve"]["test_rows"], device)
    moments = fit_moments(clean) if settings["training"]["precondition"] == "gaussian" else None
    model = model_of(settings, moments, device)
    recipe = _recipe(settings["training"], settings["train_size"])
    state = start(model, recipe, seeds_of(settings, "train"), device)
    curve = _train_with_curve(settings, model, recipe, clean, test, state)

    made_by = provenance(settings, packages=PACKAGES, sources=SOURCES)
    tensors = {f"raw/{name}": value for name, value in model.network.unflatten(state.parameters.detach()).items()}
    tensors |= {f"average/{name}": value for name, value in model.network.unflatten(state.average).items()}
    tensors |= dict(zip(MOMENTS, moments or (), strict=False))
    results.write_parquet(curve_path, trained.curve_table(curve), made_by)
    trained.write_weights(weights_path, {name: value.cpu().numpy() for name, value in tensors.items()}, made_by)


def _train_with_curve(
    settings: dict, model: Model, recipe: Recipe, clean: Tensor, test: Tensor, state: State
) -> list[dict]:
    """Train ``state`` to the end, saying how far it is; return the rows of the training curve."""
    curve, rows = settings["curve"], []
    seeds, curve_seeds = seeds_of(settings, "train"), seeds_of(settings, "curve")
    progress, about = Progress(title_of(settings, clean.device), recipe.steps, "steps"), ""
    points_done = 0
    for _ in train_stack(model, clean, recipe, seeds, state):
        points = state.step * curve["points"] // recipe.steps
        if milestone := points > points_done:
            points_done = points
            found = estimate_stack(
                model,
                model.network.unflatten(state.average),
                test,
                times=model.times,
                formulas=("inside", "sigma", "gap"),
                sigmas=(1.0,),
                mc_draws=1,
                stratified=True,
                seeds=curve_seeds,
            )
            now = {"step": state.step, "seconds": progress.seconds}
            rows += [now | {"loss": state.loss[row["replicate"]].item()} | row for row in estimate_rows(found)]
            means = ", ".join(f"{name} {result.value.mean():.3f}" for name, result in found.items())
            about = f"MI {means} nats, "
        progress.report(state.step, f"{about}loss {state.loss.mean():.4f}", milestone=milestone)
    return rows


def _recipe(training: dict, train_size: int) -> Recipe:
    """Return the recipe of the settings; epochs drop their last incomplete batch, as the paper's do."""
    duration = training["duration"]
    steps = duration["steps"] if "steps" in duration else duration["epochs"] * (train_size // training["batch_size"])
    own = {field.name for field in dataclasses.fields(Recipe)} - {"steps"}
    return Recipe(steps=steps, **{name: training[name] for name in own})
