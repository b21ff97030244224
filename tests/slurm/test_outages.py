"""Failures of SLURM itself, one after the other on a cluster of their own, since they disturb all of its jobs."""

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from scenario import Snakemake, counter, has_started, queue, run, running, starts, until, workflow

pytestmark = pytest.mark.outage


def daemon(name):
    """Return the process id of one of the cluster's daemons."""
    return int((Path(os.environ["SLURM_CONF"]).parent / f"{name}.pid").read_text())


def stop(name):
    pid = daemon(name)
    os.kill(pid, 15)
    until(lambda: not Path(f"/proc/{pid}").exists(), f"the end of {name}")


def is_on_the_node(job):
    """Return whether SLURM still has a process for a job."""
    commands = (process.info["cmdline"] or [""] for process in psutil.process_iter(["cmdline"]))
    return any(command[0].startswith(f"slurmstepd: [{job}.") for command in commands)


def test_a_controller_that_is_down_for_a_minute_fails_nothing(tmp_path):
    rules = (
        counter(40, runtime=5)
        + 'rule later:\n    input: "count.txt"\n    output: "later.txt"\n    shell: "touch {output}"\n'
    )
    workflow(tmp_path, rules)
    snakemake = Snakemake(tmp_path, "--jobs", "5", "later.txt")
    until(has_started(tmp_path), "the job")
    stop("slurmctld")
    time.sleep(60)  # the job ends, and the next one is to be submitted
    subprocess.run(["slurmctld"], check=True)
    printed = snakemake.succeeds()
    assert "Jobs not submitted yet: 1 (" in printed
    assert starts(tmp_path) == [0]


def test_ctrl_c_pressed_again_while_the_controller_is_down_leaves_an_empty_queue(tmp_path):
    workflow(tmp_path, counter(10**6, runtime=60))
    snakemake = Snakemake(tmp_path, "--jobs", "5", "count.txt")
    until(has_started(tmp_path), "the job")
    stop("slurmctld")
    try:
        snakemake.process.send_signal(signal.SIGINT)
        until(
            lambda: "SLURM does not answer; trying for a minute to cancel 1 jobs" in snakemake.log.read_text(), "a try"
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            snakemake.process.send_signal(number)
            time.sleep(1)
    finally:
        subprocess.run(["slurmctld"], check=True)
    printed = snakemake.fails()
    assert printed.count("Jobs are being cancelled; please wait.") == 2
    assert "Traceback" not in printed
    until(lambda: not queue(tmp_path), "an empty queue")


def test_a_database_that_is_down_keeps_no_job_from_running_and_no_failure_from_being_told(tmp_path):
    rules = counter(10**6, runtime=60) + 'rule other:\n    output: "other.txt"\n    shell: "sleep 5; touch {output}"\n'
    workflow(tmp_path, rules)
    stop("slurmdbd")
    try:
        assert subprocess.run(["sacct"], capture_output=True).returncode != 0
        snakemake = Snakemake(tmp_path, "--jobs", "5", "--keep-going", "count.txt", "other.txt")
        until(has_started(tmp_path), "the job")
        run("scancel", "--name=count")
        assert "CANCELLED: it was cancelled" in snakemake.fails()
    finally:
        subprocess.run(["slurmdbd"], check=True)
    assert (tmp_path / "other.txt").exists()
    until(lambda: subprocess.run(["sacct"], capture_output=True).returncode == 0, "the database")


def test_a_node_that_goes_down_gives_the_job_back(tmp_path):
    workflow(tmp_path, counter(10**6, runtime=60))
    snakemake = Snakemake(tmp_path, "--jobs", "5", "count.txt")
    until(lambda: "SLURM jobs: 1 running" in snakemake.log.read_text(), "a look at the job")
    job = running(tmp_path)
    host = os.uname().nodename.split(".")[0]
    run("scontrol", "update", f"nodename={host}", "state=down", "reason=test")
    # The node is the same when it is back: SLURM would find the job there twice.
    until(lambda: not is_on_the_node(job), "the end of the job's processes")
    run("scontrol", "update", f"nodename={host}", "state=resume")
    until(lambda: len(starts(tmp_path)) == 2, "the job's second start")
    message = f"SLURM has requeued {job} (rule count, 60 minutes), which ran on {host}: "
    until(lambda: message in snakemake.log.read_text(), "the message")
    (tmp_path / "enough").touch()
    snakemake.succeeds()
    assert "NODE_FAIL" in run("sacct", "--duplicates", "--jobs", job)  # as the message advises to ask
