"""A study through the profile: as on one machine, in few SLURM jobs."""

import pyarrow.parquet
from running import checkout, snakemake
from scenario import Snakemake


def estimates(folder):
    """The rows of a study's estimates, without what is measured by a clock."""
    table = pyarrow.parquet.read_table(folder / "results/tiny/estimates.parquet")
    return table.drop_columns(["seconds", "train_seconds"]).to_pylist()


def test_a_study_on_slurm_has_the_estimates_of_one_machine(tmp_path):
    here, there = checkout(tmp_path / "here"), checkout(tmp_path / "there")
    snakemake(here, "--configfile", "tiny.yaml", "--until", "merge")
    arguments = ["--profile", "slurm", "--configfile", "tiny.yaml", "--until"]
    sampled = Snakemake(there, *arguments, "draw_samples").succeeds()
    assert "Submitted draw_samples: job" in sampled  # both tasks in one bundle
    # Samples of one bundle come one after the other, and trainings with them; here all are ready at once.
    printed = Snakemake(there, *arguments, "merge").succeeds().removeprefix(sampled)
    assert estimates(there) == estimates(here)
    assert "Submitted train: array of 2" in printed
    assert "Submitted merge" not in printed
