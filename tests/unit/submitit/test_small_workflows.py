"""A small workflow through the clusters that need no SLURM: processes of this machine, and Snakemake's own process."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

PATIENCE = 300  # seconds: reached only by what hangs

RULES = """
rule all:
    input: "1.txt", "2.txt"
rule part:
    output: "{i}.txt"
    resources: runtime=5
    shell: "echo {wildcards.i} > {output}"
rule patient:
    output: "patient.txt"
    resources: runtime=5
    shell: "echo $$ >> starts; while ! test -e enough; do sleep 0.1; done; touch {output}"
rule broken:
    output: "broken"
    resources: runtime=5
    shell: "echo the reason >&2; exit 3"
"""


def start(folder: Path, cluster: str, *arguments: str) -> subprocess.Popen:
    (folder / "Snakefile").write_text(RULES)
    command = [
        "env",
        "--default-signal=INT",  # what runs in a shell's background, tests too, does not hear Ctrl-C
        sys.executable,
        "-m",
        "snakemake",
        "--executor",
        "submitit",
        "--submitit-cluster",
        cluster,
        "--jobs",
        "2",
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SNAKEMAKE_")}
    command += ["--seconds-between-status-checks", "1", *arguments]
    with (folder / "said").open("w") as said:  # a pipe would be held open by jobs that outlive Snakemake
        return subprocess.Popen(command, cwd=folder, env=environment, stderr=said)


def snakemake(folder: Path, cluster: str, *arguments: str) -> SimpleNamespace:
    """A run of Snakemake, with its exit status and what it said."""
    process = start(folder, cluster, *arguments)
    process.wait(PATIENCE)
    return SimpleNamespace(returncode=process.returncode, stderr=(folder / "said").read_text())


def until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.parametrize("cluster", ["local", "debug"])
def test_a_workflow_succeeds_and_leaves_its_results_only(tmp_path, cluster):
    run = snakemake(tmp_path, cluster)
    assert run.returncode == 0, run.stderr
    assert f"Jobs run on the cluster '{cluster}'" in run.stderr
    assert [(tmp_path / f"{i}.txt").read_text() for i in (1, 2)] == ["1\n", "2\n"]
    assert not list((tmp_path / ".snakemake/submitit").iterdir())


def test_a_setting_that_means_nothing_is_refused_at_the_start(tmp_path):
    run = snakemake(tmp_path, "local", "--submitit-array-limit", "0")
    assert run.returncode == 1
    assert "--submitit-array-limit is 0; a number from 1 is needed" in run.stderr


@pytest.mark.parametrize("cluster", ["local", "debug"])
def test_a_failure_says_why_and_leaves_its_log(tmp_path, cluster):
    run = snakemake(tmp_path, cluster, "broken")
    assert run.returncode == 1
    assert "Rule broken, job " in run.stderr
    assert "FAILED: exit status 3 (on " in run.stderr
    assert "    the reason\n" in run.stderr
    assert list((tmp_path / ".snakemake/submitit").glob("*/00001-broken.log"))


@pytest.mark.parametrize("cluster", ["local", "debug"])
def test_ctrl_c_ends_what_runs(tmp_path, cluster):
    run = start(tmp_path, cluster, "patient.txt")
    until(lambda: (tmp_path / "starts").exists() and (tmp_path / "starts").read_text())
    run.send_signal(signal.SIGINT)
    assert run.wait(PATIENCE) == 1
    shell = int((tmp_path / "starts").read_text())
    until(lambda: not psutil.pid_exists(shell))


@pytest.mark.parametrize("noted", [True, False], ids=["noted", "not noted"])
def test_a_killed_snakemake_s_job_is_found_again_and_replaced_if_nobody_knows_what_it_does(tmp_path, noted):
    killed = start(tmp_path, "local", "patient.txt")
    until((tmp_path / "starts").exists)
    killed.kill()
    killed.wait()
    if not noted:
        next(tmp_path.glob(".snakemake/submitit/*/jobs.jsonl")).unlink()
    assert snakemake(tmp_path, "local", "--unlock").returncode == 0
    again = start(tmp_path, "local", "--rerun-incomplete", "patient.txt")
    until(lambda: re.search("does this already|Submitted patient", (tmp_path / "said").read_text()))
    (tmp_path / "enough").touch()
    again.wait(PATIENCE)
    said = (tmp_path / "said").read_text()
    assert again.returncode == 0, said
    assert ("of an earlier run does this already" in said) == noted
    assert ("an earlier run was killed before it had noted what they do" in said) != noted
    assert (tmp_path / "starts").read_text().count("\n") == (1 if noted else 2)
    if noted:  # else there is the log of what was cancelled
        assert not list((tmp_path / ".snakemake/submitit").iterdir())
