"""A study with the profile has the results of one machine, in few SLURM jobs."""

import pyarrow.parquet
from running import checkout, copy, snakemake
from safetensors.numpy import load_file
from scenario import Snakemake, submitted

PROFILE = ("--profile", "slurm", "--configfile", "tiny.yaml", "--until")
TOGETHER = ("bundle=2", "at_once=2", "together=2", "mem_mb=2000", "gpu=1")


def estimates(folder):
    """Return the rows of a study's estimates, without running times."""
    table = pyarrow.parquet.read_table(folder / "results/tiny/estimates.parquet")
    return table.drop_columns(["seconds", "train_seconds"]).to_pylist()


def weights(folder):
    """Return the weights of a study's networks as bytes, by cell and name."""
    paths = sorted((folder / "results/tiny/networks").rglob("*.safetensors"))
    return {(path.parent.name, name): array.tobytes() for path in paths for name, array in load_file(path).items()}


def test_a_study_on_slurm_has_the_estimates_of_one_machine(tmp_path):
    here, there = checkout(tmp_path / "here"), checkout(tmp_path / "there")
    snakemake(here, "--configfile", "tiny.yaml", "--until", "merge")
    sampled = Snakemake(there, *PROFILE, "draw_samples").succeeds()
    assert "Submitted draw_samples: job" in sampled  # both tasks in one bundle
    together = copy(there, tmp_path / "together")
    # Otherwise the samples of a bundle, and so the trainings, become ready one by one; here all are ready together.
    printed = Snakemake(there, *PROFILE, "merge").succeeds().removeprefix(sampled)
    assert estimates(there) == estimates(here)
    assert "Submitted train: array of 2" in printed
    assert "Submitted merge" not in printed

    resources = (f"train:{one}" for one in TOGETHER)
    printed = Snakemake(together, *PROFILE, "train", "--set-resources", *resources).succeeds().removeprefix(sampled)
    assert len(submitted(printed)) == 1
    logs = [path.read_text() for path in (together / "results/tiny/logs/train").rglob("*.log")]
    assert len(logs) == 2
    assert sum("Trained by process" in log for log in logs) == 1
    assert weights(together) == weights(here)
