"""How workflow tests run Snakemake: in a copy of the repository, on a study of seconds."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]

TINY = {
    "name": "tiny",
    "tasks": ["1v1-normal-0.75", "1v1-bimodal-0.75"],
    "replicates": 2,
    "samples": {"train": 200, "test": 100},
    "train_sizes": [100],
    "methods": ["minde-c", "cca"],
    "minde": {"recipe": "tiny", "network": {"hidden": 16}, "estimators": {"mc_draws": 2}},
    "recipes": {
        "tiny": {
            "duration": {"steps": 20},
            "batch_size": 50,
            "learning_rate": 0.002,
            "schedule": "cosine",
            "weight_decay": 0,
            "ema_decay": 0.9,
            "importance_sampling": True,
            "score_choice": "per_sample",
            "times": "stratified",
            "base": "none",
            "architecture": "residual",
        }
    },
    "curve": {"points": 2, "test_rows": 50},
    "overrides": [],
    "run": {"device": "cpu"},
}

# An experiment of seconds.
MINE = {"hidden": 8, "layers": 1, "batch_size": 50, "learning_rate": 0.001, "smoothing": 0.01, "steps": 5}
ESTIMATION = {
    "replicates": 2,
    "correlations": [-0.5, 0.5],
    "dims": [1, 2],
    "samples": 100,
    "losses": ["mine", "fdiv"],
    "mine": MINE,
    "ksg": {"neighbors": 3},
}

# The consistency tests, in seconds; their images need more samples than the tiny study.
IMAGES = {
    "images": "digits",
    "rows": [4, 8],
    "noise": 1.0,
    "autoencoder": {"hidden": 8, "latent": 2, "epochs": 1, "batch_size": 64, "learning_rate": 0.001},
}
OF_IMAGES = {"tasks": [], "methods": ["cca"], "samples": {"train": 1000, "test": 700}, "consistency": IMAGES}

NOT_COPIED = (".git", ".venv", ".snakemake", "results", "__pycache__", ".*_cache", "*.egg-info", "build")


def checkout(folder: Path) -> Path:
    """A copy of the repository without results, with the tiny study as tiny.yaml."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_COPIED), symlinks=True)
    (folder / "tiny.yaml").write_text(yaml.safe_dump(TINY))
    return folder


def copy(study: Path, folder: Path) -> Path:
    """A copy of a study with its results and what Snakemake knows about them."""
    shutil.copytree(study, folder, symlinks=True)
    return folder


def environment(cache: Path | None = None) -> dict[str, str]:
    """The environment of a Snakemake that no other one has started."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("SNAKEMAKE_")}
    return variables | ({"SNAKEMAKE_OUTPUT_CACHE": str(cache)} if cache else {})


def snakemake(folder: Path, *arguments: str, cache: Path | None = None, fails: bool = False) -> str:
    """Run Snakemake in a checkout; what it printed. A run that `fails` must fail, any other must not."""
    run = subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=folder,
        env=environment(cache),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert (run.returncode != 0) == fails, run.stdout
    return run.stdout


def pending(folder: Path, config: dict | None = None) -> set[str]:
    """The outputs that a run would make, relative to results/tiny/, if the tiny study were changed by `config`."""
    (folder / "changed.yaml").write_text(yaml.safe_dump(config or {}))
    table = snakemake(folder, "--configfile", "tiny.yaml", "changed.yaml", "--summary")
    rows = [line.split("\t") for line in table.splitlines() if line.startswith("results/tiny/")]
    assert rows, table
    return {row[0].removeprefix("results/tiny/") for row in rows if row[-1] == "update pending"}
