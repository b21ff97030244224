"""The two steps that join the rooms: samples of the study in, the method in the middle, files of the study out."""

import dataclasses
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .diffusion.estimators import Estimate, mutual_information
from .diffusion.gaussian import fit_moments
from .diffusion.model import Model, build_model
from .diffusion.network import hidden_width
from .diffusion.preprocess import fit_preprocess
from .diffusion.sde import SDE
from .diffusion.times import Times
from .diffusion.training import Recipe, State, start, train_stack
from .progress import Progress
from .study import results, samples, trained
from .study.files import provenance
from .study.seeds import seed_of

PACKAGES = ("numpy", "pyarrow", "safetensors", "torch")
SOURCES = ("diffusion/*.py", "steps.py", "study/seeds.py")
MOMENTS = ("moments/mean", "moments/covariance")


def pick_device(name: str) -> torch.device:
    """Return the device of a name; auto is CUDA where there is one. Raises ValueError where cuda is not to be had."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("Device cuda was asked for, but torch finds none; use auto or cpu, or look at `nvidia-smi`.")
    return torch.device(name)


def train(settings: dict, samples_path: Path, weights_path: Path, curve_path: Path, device: torch.device) -> None:
    """Train the replicates of a cell as one stack; write its weights and its training curve."""
    held = samples.metadata(samples_path)
    settings = settings | {"dim_x": held["dim_x"], "dim_y": held["dim_y"]}
    clean, test = _read_cell(settings, samples_path, settings["curve"]["test_rows"], device)
    moments = fit_moments(clean) if settings["training"]["precondition"] == "gaussian" else None
    model = _model(settings, moments, device)
    recipe = _recipe(settings["training"], settings["train_size"])
    state = start(model, recipe, _seeds(settings, "train"), device)
    curve = _train_with_curve(settings, model, recipe, clean, test, state)

    made_by = provenance(settings, packages=PACKAGES, sources=SOURCES)
    tensors = {f"raw/{name}": value for name, value in model.network.unflatten(state.parameters.detach()).items()}
    tensors |= {f"average/{name}": value for name, value in model.network.unflatten(state.average).items()}
    tensors |= dict(zip(MOMENTS, moments or (), strict=False))
    results.write_parquet(curve_path, trained.curve_table(curve), made_by)
    trained.write_weights(weights_path, {name: value.cpu().numpy() for name, value in tensors.items()}, made_by)


def estimate(settings: dict, samples_path: Path, weights_path: Path, out: Path, device: torch.device) -> None:
    """Estimate a cell's replicates by every formula, from its weights; write a row per replicate and formula."""
    arrays, made_by = trained.read_weights(weights_path)
    training = made_by["settings"]
    tensors = {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}
    _, clean = _read_cell(training, samples_path, None, device)
    moments = tuple(tensors[name] for name in MOMENTS if name in tensors) or None
    model = _model(training, moments, device)
    title = f"Estimate {_title(training, device)}"
    progress = Progress(title, settings["mc_draws"], "draws")
    found = _estimate(
        model,
        {name: tensors[f"average/{name}"] for name in model.network.shapes},
        clean,
        times=dataclasses.replace(model.times, importance_sampling=settings["importance_sampling"]),
        formulas=settings["formulas"],
        sigmas=settings["sigmas"],
        mc_draws=settings["mc_draws"],
        stratified=settings["times"] == "stratified",
        seeds=_seeds(training | {"seed": settings["seed"]}, "estimate"),
        on_draw=lambda done: progress.report(done, "estimating", milestone=done == settings["mc_draws"]),
    )
    cell = {
        "task": training["task"],
        "method": f"minde-{training['variant']}",
        "train_size": training["train_size"],
        "mi_true": samples.metadata(samples_path)["mi_true"],
        "seconds": progress.seconds / training["replicates"],
    }
    table = results.estimates_table([cell | row for row in _rows(found)])
    results.write_parquet(out, table, provenance(settings, packages=PACKAGES, sources=SOURCES))


def _train_with_curve(
    settings: dict, model: Model, recipe: Recipe, clean: Tensor, test: Tensor, state: State
) -> list[dict]:
    """Train ``state`` to the end, saying how far it is; return the rows of the training curve."""
    curve, rows = settings["curve"], []
    seeds, curve_seeds = _seeds(settings, "train"), _seeds(settings, "curve")
    progress, about = Progress(_title(settings, clean.device), recipe.steps, "steps"), ""
    points_done = 0
    for _ in train_stack(model, clean, recipe, seeds, state):
        points = state.step * curve["points"] // recipe.steps
        if milestone := points > points_done:
            points_done = points
            found = _estimate(
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
            rows += [now | {"loss": state.loss[row["replicate"]].item()} | row for row in _rows(found)]
            means = ", ".join(f"{name} {result.value.mean():.3f}" for name, result in found.items())
            about = f"MI {means} nats, "
        progress.report(state.step, f"{about}loss {state.loss.mean():.4f}", milestone=milestone)
    return rows


def _estimate(model: Model, parameters: dict[str, Tensor], clean: Tensor, **options) -> dict[str, Estimate]:
    return mutual_information(
        partial(model.noise, parameters), clean, variant=model.variant, dim_x=model.dim_x, **options
    )


def _rows(found: dict[str, Estimate]) -> list[dict]:
    return [
        {"estimator": name, "replicate": replicate, "estimate": value, "std_error": std_error}
        for name, result in found.items()
        for replicate, (value, std_error) in enumerate(zip(*(part.tolist() for part in result), strict=True))
    ]


def _read_cell(settings: dict, path: Path, test_rows: int | None, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return training and test samples of all replicates, ``(replicates, rows, dim)``, as the network sees them."""

    def read(split: str, rows: int | None) -> Tensor:
        replicates = (samples.read(path, r, split, rows) for r in range(settings["replicates"]))
        return torch.stack([torch.from_numpy(np.concatenate(xy, axis=1)).to(device) for xy in replicates])

    training_samples = read("train", settings["train_size"])
    preprocess = fit_preprocess(settings["preprocess"], training_samples)
    return preprocess(training_samples), preprocess(read("test", test_rows))


def _model(settings: dict, moments: tuple[Tensor, Tensor] | None, device: torch.device) -> Model:
    dim = settings["dim_x"] + settings["dim_y"]
    hidden, sde = settings["network"]["hidden"], settings["sde"]
    return build_model(
        variant=settings["variant"],
        dim_x=settings["dim_x"],
        dim_y=settings["dim_y"],
        times=Times(
            sde=SDE(beta_min=sde["beta_min"], beta_max=sde["beta_max"]),
            t_eps=sde["t_eps"],
            importance_sampling=settings["training"]["importance_sampling"],
        ),
        hidden=hidden_width(dim) if hidden == "auto" else hidden,
        middle_blocks=settings["network"]["middle_blocks"],
        moments=moments,
        device=device,
    )


def _recipe(training: dict, train_size: int) -> Recipe:
    """Return the recipe of the settings; epochs drop their last incomplete batch, as the paper's do."""
    duration = training["duration"]
    steps = duration["steps"] if "steps" in duration else duration["epochs"] * (train_size // training["batch_size"])
    own = {field.name for field in dataclasses.fields(Recipe)} - {"steps"}
    return Recipe(steps=steps, **{name: training[name] for name in own})


def _seeds(settings: dict, purpose: str) -> list[int]:
    """Return one seed per replicate for a purpose, different for the two variants."""
    task, train_size, purpose = settings["task"], settings["train_size"], f"{purpose}/{settings['variant']}"
    return [seed_of(settings["seed"], task, train_size, r, purpose) for r in range(settings["replicates"])]


def _title(settings: dict, device: torch.device) -> str:
    return (
        f"minde-{settings['variant']}, {settings['task']}, {settings['train_size']} samples, "
        f"{settings['replicates']} replicates on {device.type}"
    )
