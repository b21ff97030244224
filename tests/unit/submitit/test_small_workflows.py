"""A small workflow on the clusters that need no SLURM: processes of this machine, and Snakemake's own process."""

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

PATIENCE = 300  # seconds, longer than anything takes unless it hangs

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
    params: pace=config.get("pace", 0.1)
    shell:
        "trap 'sleep 1; echo ended >> starts; exit 1' TERM; echo $$ >> starts; "
        "while ! test -e enough; do sleep {params.pace}; done; touch {output}"
rule follow:
    input: "patient.txt"
    output: f"{config.get('name', 'follow')}.txt"
    resources: runtime=5
    shell: "touch {output}"
rule shared:
    output: "shared.txt"
    cache: True
    resources: runtime=5
    shell: "echo $$ > {output}"
rule broken:
    output: "broken"
    retries: 1
    resources: runtime=5
    shell: "echo tried >> tries; echo the reason >&2; exit 3"
"""


def start(folder: Path, cluster: str, *arguments: str, said: str = "said") -> subprocess.Popen:
    (folder / "Snakefile").write_text(RULES)
    command = [
        "env",
        "--default-signal=INT",  # background processes of a shell, such as tests, ignore SIGINT by default
        f"SNAKEMAKE_OUTPUT_CACHE={folder / 'cache'}",
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
    with (folder / said).open("w") as file:  # a pipe would be held open by jobs that outlive Snakemake
        return subprocess.Popen(command, cwd=folder, env=environment, stderr=file)


def snakemake(folder: Path, cluster: str, *arguments: str) -> SimpleNamespace:
    """Run Snakemake; return its exit status and what it printed."""
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


SLURM = {
    "scontrol": "echo MaxArraySize = 2",
    "squeue": 'for i in 1_0 1_1 2; do echo "$i|RUNNING|None|n1|10:00|"; done',
    "srun": 'until test -x "$1"; do shift; done; exec "$@"',
    "sbatch": """
mkdir -p sent; id=$(($(ls sent | wc -l) + 1)); cp $1 sent/$id; echo "Submitted batch job $id"
last=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p' $1)
export SLURM_JOB_ID=$id
for i in $(seq 0 ${last:-0}); do
    test -n "$last" && export SLURM_ARRAY_JOB_ID=$id SLURM_ARRAY_TASK_ID=$i
    sh sent/$id > /dev/null 2>&1 &
done
""",
}


def test_a_workflow_on_slurm_asks_for_what_the_settings_say(tmp_path, monkeypatch):
    """SLURM's commands are scripts that start the jobs."""
    (tmp_path / "bin").mkdir()
    for name, line in SLURM.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    settings = ("--submitit-account", "lab", "--submitit-array-parallelism", "1", "--submitit-max-requeues", "0")
    run = snakemake(tmp_path, "slurm", "--jobs", "3", *settings, "1.txt", "2.txt", "3.txt")
    assert run.returncode == 0, run.stderr
    sent = [set(path.read_text().splitlines()) for path in (tmp_path / "sent").iterdir()]
    asked = {f"#SBATCH --{words}" for words in ("account=lab", "time=5", "cpus-per-task=1", "no-requeue")}
    assert [asked - lines for lines in sent] == [set(), set()]
    assert sum("#SBATCH --array=0-1%1" in lines for lines in sent) == 1


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
    assert (tmp_path / "tries").read_text().count("tried") == 2  # a job's Snakemake does not retry, only the first one


@pytest.mark.parametrize("cluster", ["local", "debug"])
def test_ctrl_c_ends_what_runs(tmp_path, cluster):
    run = start(tmp_path, cluster, "patient.txt")
    until(lambda: (tmp_path / "starts").exists() and (tmp_path / "starts").read_text())
    run.send_signal(signal.SIGINT)
    assert run.wait(PATIENCE) == 1
    shell = int((tmp_path / "starts").read_text().split()[0])
    until(lambda: not psutil.pid_exists(shell))


def test_a_second_ctrl_c_leaves_nothing_running(tmp_path):
    """While it waits for a process that ignores SIGTERM, which takes 10 seconds."""
    run = start(tmp_path, "local", "patient.txt")
    until(lambda: (tmp_path / "starts").exists() and (tmp_path / "starts").read_text())
    (folder,) = (tmp_path / ".snakemake/submitit").iterdir()
    ready = tmp_path / "ready"
    stubborn = subprocess.Popen(["sh", "-c", f"trap '' TERM; touch {ready}; sleep 300 & wait"], start_new_session=True)
    until(ready.exists)
    (folder / "stubborn.group").write_text(str(stubborn.pid))
    run.send_signal(signal.SIGINT)
    until(lambda: "Terminating processes" in (tmp_path / "said").read_text())
    for number in (signal.SIGINT, signal.SIGTERM):
        time.sleep(2)
        run.send_signal(number)
    assert run.wait(PATIENCE) == 1
    assert stubborn.wait(PATIENCE) == -signal.SIGKILL
    said = (tmp_path / "said").read_text()
    assert said.count("Jobs are being cancelled; please wait.") == 2
    assert "Traceback" not in said
    shell = int((tmp_path / "starts").read_text().split()[0])
    until(lambda: not psutil.pid_exists(shell))


def test_a_third_snakemake_leaves_alone_what_a_second_has_taken_over(tmp_path):
    killed = start(tmp_path, "local", "patient.txt")
    until((tmp_path / "starts").exists)
    killed.kill()
    killed.wait()
    assert snakemake(tmp_path, "local", "--unlock").returncode == 0
    second = start(tmp_path, "local", "--rerun-incomplete", "patient.txt")
    until(lambda: "does this already" in (tmp_path / "said").read_text())
    (tmp_path / "patient.txt").touch()  # what the job writes may be there before Snakemake knows that it has ended
    third = start(tmp_path, "local", "--rerun-incomplete", "--nolock", "--force", "patient.txt", said="third")
    assert third.wait(PATIENCE) == 1
    refused = (tmp_path / "third").read_text()
    assert f"another Snakemake that still runs, process {second.pid} on " in refused
    assert (tmp_path / "patient.txt").exists()
    (tmp_path / "enough").touch()
    assert second.wait(PATIENCE) == 0, (tmp_path / "said").read_text()
    assert (tmp_path / "starts").read_text().count("\n") == 1


def test_a_config_file_that_is_edited_while_jobs_wait_changes_none_of_them(tmp_path):
    config = tmp_path / "study.yaml"
    config.write_text("name: first")
    run = start(tmp_path, "local", "--configfile", str(config), "--until", "follow", "first.txt")
    until((tmp_path / "starts").exists)
    config.write_text("name: second")
    (tmp_path / "enough").touch()
    assert run.wait(PATIENCE) == 0, (tmp_path / "said").read_text()
    assert (tmp_path / "first.txt").exists()
    assert not (tmp_path / "second.txt").exists()
    assert not list((tmp_path / ".snakemake/submitit").iterdir())


def test_jobs_use_the_cache(tmp_path):
    (tmp_path / "cache").mkdir()
    made = []
    for _ in range(2):
        run = snakemake(tmp_path, "local", "--cache", "--force", "shared.txt")
        assert run.returncode == 0, run.stderr
        made.append((tmp_path / "shared.txt").read_text())
        (tmp_path / "shared.txt").unlink()
    assert made[0] == made[1]


def test_names_that_look_misspelt_are_named(tmp_path):
    said = snakemake(tmp_path, "local", "--set-resources", "prat:bundle=2").stderr
    assert "set-resources names prat, which is not a rule; did you mean part?" in said
    said = snakemake(tmp_path, "local", "--set-resources", "part:bundel=2", "prat:bundle=2", "--forceall").stderr
    assert "set-resources names" not in said  # such as rules that were left out of a workflow
    assert said.count("Rule part: resource bundel is ignored; did you mean bundle?") == 1


@pytest.mark.parametrize("change", ["nothing", "list", "settings"])
def test_a_killed_snakemake_s_job_is_found_again_and_replaced_if_it_does_or_may_do_something_else(tmp_path, change):
    killed = start(tmp_path, "local", "patient.txt")
    until((tmp_path / "starts").exists)
    killed.kill()
    killed.wait()
    if change == "list":
        next(tmp_path.glob(".snakemake/submitit/*/jobs.jsonl")).unlink()
    assert snakemake(tmp_path, "local", "--unlock").returncode == 0
    config = ("--config", "pace=0.2") if change == "settings" else ()
    again = start(tmp_path, "local", "--rerun-incomplete", "patient.txt", *config)
    until(lambda: re.search("does this already|Submitted patient", (tmp_path / "said").read_text()))
    (tmp_path / "enough").touch()
    again.wait(PATIENCE)
    said = (tmp_path / "said").read_text()
    assert again.returncode == 0, said
    remarks = {
        "nothing": "of an earlier run does this already",
        "list": "an earlier run was killed before it had recorded them",
        "settings": "settings of jobs that make the same files differ",
    }
    assert [about for about, remark in remarks.items() if remark in said] == [change]
    ends = [line == "ended" for line in (tmp_path / "starts").read_text().split()]
    assert ends == ([False] if change == "nothing" else [False, True, False])  # never two at a time
    if change == "nothing":  # otherwise the log of the cancelled job remains
        assert not list((tmp_path / ".snakemake/submitit").iterdir())
