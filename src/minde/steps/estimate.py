"""The step `estimate`: samples and weights in, a row per replicate and formula out."""

from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from minde import doubts
from minde.diffusion.estimators import Estimates, growth, mutual_information, scores_of
from minde.files import provenance
from minde.hardware import hardware_of
from minde.progress import Progress, tell
from minde.study import curves, results, samples, weights
from minde.study.sources import SOURCES

from .cell import PACKAGES, estimate_rows, read_cell, seeds_of, trained_model
from .messages import check_weights, memory_of, title_of


def estimate(
    settings: dict,
    samples_path: Path,
    weights_path: Path,
    curve_path: Path,
    out: Path,
    device: torch.device,
    stack: int | None = None,
) -> None:
    """Estimate a cell's replicates by every formula, from its weights; write a row per replicate and formula.

    `stack` replicates are estimated at a time, or all together; their training times are read from the training
    curve. Raises ValueError for weights of another cell or trained on other samples, and MemoryError, naming what
    needs the memory, if it runs out.
    """
    arrays, made_by = weights.read(weights_path)
    training = made_by["settings"]
    check_weights(weights_path, made_by, settings)
    samples.check_same(samples_path, weights_path, made_by["samples"])
    with memory_of(title_of(training, device)):
        tensors = {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}
        _, clean = read_cell(training, samples_path, None, device)
    replicates, size = training["replicates"], stack or training["replicates"]
    stacks = [slice(first, min(first + size, replicates)) for first in range(0, replicates, size)]
    progress = Progress(f"Estimate {title_of(training, device)}", settings["mc_draws"] * len(stacks), "draws")
    found = [
        _estimate_part(settings, training, {n: t[part] for n, t in tensors.items()}, clean[part], part, progress, i)
        for i, part in enumerate(stacks)
    ]
    cell = {
        "task": training["task"],
        "method": f"minde-{training['variant']}",
        "train_size": training["train_size"],
        "seconds": progress.seconds / replicates,
        "not_converged": None,
    }
    joined = _join(found)
    if {"inside", "gap"} <= joined.keys():  # those that judging needs
        grows = _growth(training, {name: tensor[:1] for name, tensor in tensors.items()}, clean[:1])
        _tell_doubts(joined, grows, clean, training, device)
    spent = curves.train_seconds(curve_path)
    rows = [cell | row | {"train_seconds": spent[row["replicate"]]} for row in estimate_rows(joined)]
    ours = {"seeds": {"estimate": _seeds(settings, training)}, "hardware": hardware_of(device), "training": made_by}
    made_by = provenance(settings, packages=PACKAGES, sources=SOURCES["estimate"]) | ours
    results.write_parquet(out, results.estimates_table(rows), made_by)


def _estimate_part(
    settings: dict,
    training: dict,
    tensors: dict[str, Tensor],
    clean: Tensor,
    stack: slice,
    progress: Progress,
    stacks_done: int,
) -> dict[str, Estimates]:
    """Estimate a stack of replicates, by name; `tensors` and test samples `clean` are those of the stack."""
    scores = scores_of(
        *trained_model(training, tensors, clean.device), importance_sampling=settings["importance_sampling"]
    )
    before = stacks_done * settings["mc_draws"]
    with memory_of(title_of(training, clean.device, stack), stack.stop - stack.start):
        return mutual_information(
            scores,
            clean,
            formulas=settings["formulas"],
            sigmas=settings["sigmas"],
            mc_draws=settings["mc_draws"],
            stratified=settings["times"] == "stratified",
            seeds=_seeds(settings, training)[stack],
            first=stack.start,
            on_draw=lambda done: progress.report(before + done, "estimating", milestone=before + done == progress.work),
        )


def _growth(training: dict, tensors: dict[str, Tensor], clean: Tensor) -> float:
    """Return what halving the finest noise would add to mutual information, by the networks of one replicate."""
    scores = scores_of(*trained_model(training, tensors, clean.device))
    return growth(scores, clean, seeds=seeds_of(training, "growth")[:1])["information"]


def _tell_doubts(
    found: dict[str, Estimates], grows: float, clean: Tensor, training: dict, device: torch.device
) -> None:
    """Log what makes the estimates doubtful."""
    inside, gap = (found[name].value.tolist() for name in ("inside", "gap"))
    std_error = found["gap"].std_error.tolist()
    x, y = (rows.numpy() for rows in clean[0].cpu().split([training["dim_x"], training["dim_y"]], dim=1))
    warnings = [
        doubts.of_few_rows(fmean(gap), doubts.error_of_mean(std_error)),
        doubts.of_formulas(inside, gap, std_error),
        doubts.of_many_columns(training["train_size"], clean.shape[-1]),
        *doubts.of_fit(inside, std_error, grows, x, y, (x, y)),
    ]
    if training["preprocess"] == "standardize":
        columns = [(name, i, column) for name, rows in (("x", x), ("y", y)) for i, column in enumerate(rows.T)]
        warnings += [doubts.of_narrow_bulk(*column) for column in columns]
    for warning in filter(None, warnings):
        tell(f"Warning: {title_of(training, device)}: {warning}")


def _seeds(settings: dict, training: dict) -> list[int]:
    """Return one seed per replicate for the random times."""
    return seeds_of(training | {"seed": settings["seed"]}, "estimate")


def _join(parts: list[dict[str, Estimates]]) -> dict[str, Estimates]:
    """Concatenate the estimates of stacks, by name."""
    return {name: Estimates(*map(torch.cat, zip(*(part[name] for part in parts), strict=True))) for name in parts[0]}
