"""Whether estimates come of the settings that the study has: those that stand in the metadata of their files.

Snakemake knows what it has asked for. It does not know of a job on a cluster that has read a config edited meanwhile,
of a training that went on after its Snakemake was killed, or of results that were copied without what it knows of them.
"""

import hashlib
from pathlib import Path

from . import design
from .seeds import canonical

_DRAWN = {"dim_x", "dim_y"}  # in the settings of a training, those that are no settings but read from the samples


def expected(config: dict) -> str:
    """For every cell of the design, in its order, digests of the settings that it is to be made with, by stage.

    Digests, since a shell command holds at most 128 KiB.
    """
    return " ".join(":".join(map(_digest, _of_config(config, cell).values())) for cell in design.cells(config))


def check(path: Path, made_by: dict, expected: str) -> None:
    """Raise ValueError where an estimates file comes of other settings than one cell's of :func:`expected`.

    ``made_by`` is the file's provenance; the message names the stage, the settings found and the file to delete.
    """
    for (stage, found), digest in zip(_of_provenance(made_by).items(), expected.split(":"), strict=True):
        if _digest(found) != digest:
            folder, (method, task, size) = path.parents[3], path.with_suffix("").parts[-3:]
            made = {"samples": f"samples/{task}.parquet", "training": f"networks/{method}/{task}/{size}.safetensors"}
            raise ValueError(
                f"{path} comes of other settings than the study's: those of its {stage} are {found}. The config was "
                "edited while the study ran, say, or results were copied from another study. Delete "
                f"{folder / made[stage] if stage in made else path} and run the workflow again"
            )


def _of_config(config: dict, cell: design.Cell) -> dict[str, str]:
    """The settings of each stage that leads to a cell's estimates, as :mod:`.design` hands them to its step."""
    samples = design.split_settings if cell.task in config["data"] else design.sample_settings
    found = {"samples": samples(config, cell.task)}
    if cell.method not in design.VARIANTS:
        return found | {"estimates": design.baseline_settings(config, cell)}
    return found | {
        "training": design.train_settings(config, cell),
        "estimates": design.estimate_settings(config, cell),
    }


def _of_provenance(made_by: dict) -> dict[str, str]:
    """The same, as it stands in a file."""
    training = made_by.get("training")
    found = {"samples": (training or made_by)["samples"]["settings"]}
    if training:
        found["training"] = {key: value for key, value in training["settings"].items() if key not in _DRAWN}
    return {stage: canonical(settings) for stage, settings in (found | {"estimates": made_by["settings"]}).items()}


def _digest(settings: str) -> str:
    return hashlib.sha256(settings.encode()).hexdigest()[:8]
