"""The step `score-errors`: samples and weights in, the error of every learned score by time out."""

from pathlib import Path

import torch

from minde.diffusion.diagnostics import score_errors as errors_of
from minde.diffusion.estimators import scores_of
from minde.files import provenance
from minde.hardware import hardware_of
from minde.study import results, samples, score_errors, weights
from minde.study.sources import SOURCES

from .cell import PACKAGES, read_cell, seeds_of, trained_model
from .messages import check_weights, memory_of, title_of

PARTS = 20  # intervals of the diffusion time


def measure(settings: dict, samples_path: Path, weights_path: Path, out: Path, device: torch.device) -> None:
    """Write the errors of a cell's scores on its test samples, a row per score, replicate and interval of time.

    Raises ValueError for weights of another cell or trained on other samples, and MemoryError, naming the cell, if
    memory runs out.
    """
    arrays, made_by = weights.read(weights_path)
    training = made_by["settings"]
    check_weights(weights_path, made_by, settings)
    samples.check_same(samples_path, weights_path, made_by["samples"])
    seeds = seeds_of(training, "score-errors")
    with memory_of(title_of(training, device)):
        _, clean = read_cell(training, samples_path, None, device)
        tensors = {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}
        model, parameters = trained_model(training, tensors, device)
        scores = scores_of(model, parameters, importance_sampling=model.times.importance_sampling)
        times, found = errors_of(scores, clean, parts=PARTS, seeds=seeds)
    rows = [
        {"score": score, "replicate": replicate, "time": time, "excess": excess}
        for score, by_replicate in found.items()
        for replicate, by_time in enumerate(by_replicate.tolist())
        for time, excess in zip(times.tolist(), by_time, strict=True)
    ]
    ours = {"seeds": {"score-errors": seeds}, "hardware": hardware_of(device), "training": made_by}
    made_by = provenance(settings, packages=PACKAGES, sources=SOURCES["score_errors"]) | ours
    results.write_parquet(out, score_errors.table(rows), made_by)
