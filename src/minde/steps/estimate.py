"""The step `estimate`: samples and weights in, a row per replicate and formula out."""

import dataclasses
from pathlib import Path

import torch

from minde.progress import Progress
from minde.study import results, samples, trained
from minde.study.files import provenance

from .cell import MOMENTS, PACKAGES, estimate_rows, estimate_stack, model_of, read_cell, seeds_of, title_of

SOURCES = ("diffusion/*.py", "steps/cell.py", "steps/estimate.py", "study/seeds.py")


def estimate(settings: dict, samples_path: Path, weights_path: Path, out: Path, device: torch.device) -> None:
    """Estimate a cell's replicates by every formula, from its weights; write a row per replicate and formula."""
    arrays, made_by = trained.read_weights(weights_path)
    training = made_by["settings"]
    for key in ("task", "train_size"):
        if training[key] != settings[key]:
            raise ValueError(
                f"{weights_path} holds weights of {key} {training[key]}; estimates of {settings[key]} were asked for; "
                "delete it and run the workflow again: the rule `train` makes it"
            )
    tensors = {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}
    _, clean = read_cell(training, samples_path, None, device)
    moments = tuple(tensors[name] for name in MOMENTS if name in tensors) or None
    model = model_of(training, moments, device)
    title = f"Estimate {title_of(training, device)}"
    progress = Progress(title, settings["mc_draws"], "draws")
    found = estimate_stack(
        model,
        {name: tensors[f"average/{name}"] for name in model.network.shapes},
        clean,
        times=dataclasses.replace(model.times, importance_sampling=settings["importance_sampling"]),
        formulas=settings["formulas"],
        sigmas=settings["sigmas"],
        mc_draws=settings["mc_draws"],
        stratified=settings["times"] == "stratified",
        seeds=seeds_of(training | {"seed": settings["seed"]}, "estimate"),
        on_draw=lambda done: progress.report(done, "estimating", milestone=done == settings["mc_draws"]),
    )
    cell = {
        "task": training["task"],
        "method": f"minde-{training['variant']}",
        "train_size": training["train_size"],
        "mi_true": samples.metadata(samples_path)["mi_true"],
        "seconds": progress.seconds / training["replicates"],
    }
    table = results.estimates_table([cell | row for row in estimate_rows(found)])
    results.write_parquet(out, table, provenance(settings, packages=PACKAGES, sources=SOURCES))
