"""A user who is not root, as on real clusters."""

import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from scenario import Snakemake, counter, has_started, queue, until, workflow

USER = "nobody"


@pytest.fixture
def folder():
    """A folder that belongs to the user; only root may enter those of pytest."""
    try:
        subprocess.run([sys.executable, "-c", "import snakemake, submitit"], check=True, user=USER, cwd="/")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"{USER} may not run {sys.executable}")
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        shutil.chown(name, USER)
        yield Path(name)


def test_jobs_run_and_fail_and_are_cancelled(folder):
    workflow(folder, counter(5, runtime=5) + 'rule broken:\n    output: "broken"\n    shell: "exit 3"\n')
    said = Snakemake(folder, "--jobs", "5", "--keep-going", "count.txt", "broken", user=USER).fails()
    assert "FAILED: exit status 3 (on " in said
    assert (folder / "count.txt").owner() == USER
    workflow(folder, counter(10**6, runtime=60))
    (folder / "count.state").unlink()
    snakemake = Snakemake(folder, "--jobs", "5", "--force", "count.txt", user=USER)
    until(has_started(folder), "the job")
    snakemake.kill(signal.SIGINT)
    until(lambda: not queue(folder), "an empty queue")
