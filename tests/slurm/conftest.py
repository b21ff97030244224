"""A real SLURM for the tests in this folder, started once and stopped at the end."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "workflow"))  # how workflow tests run Snakemake


# These take minutes: each worker gets two tests at the start, one of them from this list.
LONGEST = ("test_stopped_trainings", "test_a_study", "test_a_job_is_not_requeued", "test_at_its_time_limit")


def pytest_collection_modifyitems(items):
    others = [item for item in items if HERE not in item.path.parents]
    longest = [item for item in items if item.name.startswith(LONGEST)]
    rest = [item for item in items if item not in others and item not in longest]
    pairs = zip(longest, rest[: len(longest)], strict=False)
    items[:] = [*others, *itertools.chain(*pairs), *longest[len(rest) :], *rest[len(longest) :]]
    if os.environ.get("TEST_SLURM") == "1":
        return
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="starts a SLURM on this machine: `make test-slurm`"))


@pytest.fixture(scope="session", autouse=True)
def slurm():
    """Set the variables that SLURM's commands need; with xdist, all workers use the running cluster."""
    printed = subprocess.run([HERE / "cluster.sh", "env"], check=True, capture_output=True, text=True).stdout
    for assignment in printed.removeprefix("export ").split():
        name, value = assignment.split("=")
        os.environ[name] = value
    subprocess.run(["scontrol", "ping"], check=True, timeout=60, stdout=subprocess.DEVNULL)
