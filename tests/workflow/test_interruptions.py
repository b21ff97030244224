"""A study that is killed again and again ends with the estimates of one that nobody disturbed."""

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
LONGEST = 5.0  # seconds until a kill

ARGUMENTS = ["--configfile", "tiny.yaml", "--cores", "2"]


def run_until(folder, seconds):
    """Start the study and kill Snakemake and all its jobs after a while; whether it was still running then."""
    command = [sys.executable, "-m", "snakemake", *ARGUMENTS]
    study = subprocess.Popen(command, cwd=folder, env=environment(), start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        assert study.wait(timeout=seconds) == 0
    except subprocess.TimeoutExpired:
        os.killpg(study.pid, signal.SIGKILL)
        study.wait()
        shutil.rmtree(folder / ".snakemake/locks", ignore_errors=True)  # as `snakemake --unlock` does, in less time
        return True
    return False


@pytest.mark.slow
def test_ten_kills_at_random_moments_change_no_estimate(study, tmp_path):
    folder = checkout(tmp_path / "minde")
    kills = 0
    while kills < KILLS:
        if run_until(folder, random.uniform(0, LONGEST)):
            kills += 1
        else:
            shutil.rmtree(folder / "results")  # it was faster: begin anew, so that there is something to disturb
    snakemake(folder, *ARGUMENTS)
    killed, undisturbed = (results.read_estimates(f / "results/tiny/estimates.parquet") for f in (folder, study))
    timed = ["seconds"]
    assert killed.drop_columns(timed).equals(undisturbed.drop_columns(timed))
    for name in ("table1.csv", "table1.html"):
        assert (folder / "results/tiny/tables" / name).read_bytes() == (
            study / "results/tiny/tables" / name
        ).read_bytes()
