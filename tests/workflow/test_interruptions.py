"""A study that is killed repeatedly ends with the same estimates as one that is not."""

import itertools
import os
import random
import shutil
import signal
import subprocess
import sys

import pytest
from running import checkout, environment, snakemake

from minde.study import results

KILLS = 10
LONGEST = 4.0  # seconds from the first jobs to a kill; a job takes about as long, mostly to load its libraries

ARGUMENTS = ["--configfile", "tiny.yaml", "--cores", "2"]


def was_killed(folder, seconds):
    """Start the study, kill Snakemake and all jobs `seconds` after the first; return whether it was still running."""
    command = [sys.executable, "-m", "snakemake", *ARGUMENTS]
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen(command, cwd=folder, env=environment(), **options) as study:
        printed = itertools.takewhile(lambda line: "Select jobs to execute" not in line, study.stderr)
        before = list(printed)
        try:
            assert study.wait(timeout=seconds) == 0, before
        except subprocess.TimeoutExpired:
            os.killpg(study.pid, signal.SIGKILL)
            shutil.rmtree(folder / ".snakemake/locks", ignore_errors=True)  # as `snakemake --unlock` does, in less time
            return True
    return False


@pytest.mark.slow
def test_ten_kills_at_random_moments_change_no_estimate(study, tmp_path):
    folder = checkout(tmp_path / "minde")
    kills = 0
    while kills < KILLS:
        if was_killed(folder, random.uniform(0, LONGEST)):
            kills += 1
        else:
            shutil.rmtree(folder / "results")  # it has finished: start again, so that there is something to kill
    snakemake(folder, *ARGUMENTS)
    killed, undisturbed = (results.read_estimates(f / "results/tiny/estimates.parquet") for f in (folder, study))
    timed = ["seconds", "train_seconds"]
    assert killed.drop_columns(timed).equals(undisturbed.drop_columns(timed))
    for name in ("table1.csv", "table1.html"):
        assert (folder / "results/tiny/tables" / name).read_bytes() == (
            study / "results/tiny/tables" / name
        ).read_bytes()
