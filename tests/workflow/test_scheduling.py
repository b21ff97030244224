"""Snakemake's scheduler does not get busier with every finished job."""

import re
import subprocess
import sys
import threading
import types

from running import ROOT
from snakemake.scheduling.job_scheduler import JobScheduler

from minde.study.scheduling import _reevaluate_once, merge_reevaluations

# Jobs that finish one after another while others wait for a core.
SNAKEFILE = """
{repair}
rule all:
    input: expand("{{i}}.txt", i=range(30))
rule one:
    output: "{{i}}.txt"
    shell: "sleep 0.3; touch {{output}}"
"""
REPAIR = "from minde.study.scheduling import merge_reevaluations\nmerge_reevaluations()"


def passes(folder, repair):
    """How often Snakemake looks for jobs to start."""
    folder.mkdir()
    (folder / "Snakefile").write_text(SNAKEFILE.format(repair=repair))
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--verbose"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return len(re.findall("Ready jobs: ", run.stderr))


def test_passes_do_not_multiply_with_jobs_that_have_finished(tmp_path):
    """If the first count is small too, Snakemake has mended it, and the repair can go."""
    assert passes(tmp_path / "without", "") > 2 * passes(tmp_path / "with", REPAIR)


def test_the_workflow_uses_it():
    assert "\nmerge_reevaluations()  #" in (ROOT / "Snakefile").read_text()


def test_a_snakemake_without_the_method_is_left_as_it_is(monkeypatch):
    monkeypatch.delattr(JobScheduler, "_schedule_reevalutation")
    merge_reevaluations()
    assert not hasattr(JobScheduler, "_schedule_reevalutation")


def test_a_pass_after_the_timer_starts_the_next_timer():
    scheduler = types.SimpleNamespace(_open_jobs=threading.Semaphore(0))
    for _ in range(2):
        for _ in range(3):
            _reevaluate_once(scheduler, 0.1)
        assert scheduler._open_jobs.acquire(timeout=60)
        assert not scheduler._open_jobs.acquire(timeout=0.3)


def test_a_pass_that_is_wanted_earlier_does_not_wait_for_a_later_one(monkeypatch):
    delays = []
    monkeypatch.setattr(threading.Timer, "start", lambda timer: delays.append(timer.interval))
    scheduler = types.SimpleNamespace()
    for delay in (600, 900, 10, 60):
        _reevaluate_once(scheduler, delay)
    assert delays == [600, 10]
