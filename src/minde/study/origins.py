"""Whether estimates come of the settings that the study has: those that stand in the metadata of their files.

Snakemake knows what it has asked for. It does not know of a job on a cluster that has read a config edited meanwhile,
of a training that went on after its Snakemake was killed, or of results that were copied without what it knows of them.
"""

import json
from pathlib import Path

from . import design, methods

_DRAWN = {"dim_x", "dim_y"}  # in the settings of a training, those that are no settings but read from the samples


def check(path: Path, made_by: dict, config: dict, cell: design.Cell) -> None:
    """Raise ValueError where the file of a cell's estimates or weights comes of other settings than its study's.

    ``made_by`` is the file's provenance, or ``{"training": …}`` with that of a file of weights; ``config`` has what
    :func:`.design.origin_settings` holds. The message names stage and setting, what was found and expected, and the
    file to delete.
    """
    found, expected = _of_provenance(made_by), _of_config(config, cell)
    for stage, settings in ((stage, expected[stage]) for stage in found):
        differ = [key for key in sorted(settings.keys() | found[stage]) if settings.get(key) != found[stage].get(key)]
        if differ:
            key, folder = differ[0], path.parents[3]
            made = {"samples": f"samples/{cell.task}.parquet", "training": f"networks/{cell.path}.safetensors"}
            remove = folder / made[stage] if stage in made else path
            raise ValueError(
                f"{path} comes of other settings than the study's: {key} of its {stage} is {found[stage].get(key)}, "
                f"expected {settings.get(key)}. The config was edited while the study ran, say, or results were copied "
                f"from another study. Delete {remove} and run the workflow again"
            )


def _of_config(config: dict, cell: design.Cell) -> dict[str, dict]:
    """The settings of each stage that leads to a cell's estimates, as :mod:`.design` hands them to its step."""
    own = config["data"].get(cell.task)
    found = {"samples": (design.split_settings if own else design.sample_settings)(config, cell.task)}
    if cell.method in methods.VARIANTS:
        found |= {
            "training": design.train_settings(config, cell),
            "estimates": design.estimate_settings(config, cell),
        }
    else:
        found["estimates"] = design.baseline_settings(config, cell)
    stages = {stage: json.loads(settings) for stage, settings in found.items()}
    if own:
        stages["samples"]["file"] = Path(own["file"]).name
    return stages


def _of_provenance(made_by: dict) -> dict[str, dict]:
    """The same, as it stands in a file."""
    training = made_by.get("training")
    samples = (training or made_by)["samples"]
    found = {"samples": samples["settings"] | ({"file": samples["file"]["name"]} if "file" in samples else {})}
    if training:
        found["training"] = {key: value for key, value in training["settings"].items() if key not in _DRAWN}
    if "settings" in made_by:
        found["estimates"] = made_by["settings"]
    return found
