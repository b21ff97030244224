"""Failures are distinguished, and their messages say what the user needs to know."""

import pytest
from scenario import Snakemake, counter, has_started, queue, run, running, until, workflow

RULE = """
rule broken:
    output: "{{name}}.txt"
    resources: mem_mb={memory}, runtime={runtime}
    shell: "{shell}"
"""


def message(folder, shell, memory="500", runtime="5"):
    """Return what Snakemake prints about a job that fails."""
    workflow(folder, RULE.format(shell=shell, memory=memory, runtime=runtime))
    return Snakemake(folder, "--jobs", "5", "it.txt").fails()


def test_an_exit_status(tmp_path):
    said = message(tmp_path, "echo the reason >&2; exit 3")
    assert "Rule broken (name=it), job " in said
    assert "FAILED: exit status 3 (on " in said
    assert "    the reason\n" in said
    assert list((tmp_path / ".snakemake/submitit").glob("*/00001-broken.log"))


@pytest.mark.parametrize("victim", ["$$", "$PPID"], ids=["the command", "its Snakemake"])
def test_killed_by_the_kernel(tmp_path, victim):
    said = message(tmp_path, f"kill -9 {victim}")
    assert "FAILED: killed by signal 9; if nobody did, the node ran out of memory: raise mem_mb (on " in said


def test_more_memory_than_asked_for(tmp_path):
    said = message(tmp_path, "python3 -c 'import time; x = bytearray(700_000_000); time.sleep(250)'")
    assert "exceeded memory limit" in said
    assert "OUT_OF_MEMORY: it needed more memory than it had asked for; raise mem_mb" in said


def test_a_retry_with_more_memory(tmp_path):
    wait = "time.sleep(0 if {resources.mem_mb} > 1000 else 250)"  # until SLURM notices the memory
    shell = f"python3 -c 'import time; x = bytearray(600_000_000); {wait}'; touch {{output}}"
    memory = "lambda wildcards, attempt: 1500 if attempt > 1 else 500"
    workflow(tmp_path, RULE.format(shell=shell, memory=memory, runtime="5"))
    printed = Snakemake(tmp_path, "--jobs", "5", "--retries", "1", "it.txt").succeeds()
    assert printed.count("Submitted broken") == 2


def test_cancelled_by_somebody(tmp_path):
    workflow(tmp_path, counter(10**6, runtime=60))
    snakemake = Snakemake(tmp_path, "--jobs", "5", "count.txt")
    until(has_started(tmp_path), "the job")
    run("scancel", running(tmp_path))
    assert "CANCELLED: it was cancelled (cancelled by user root, " in snakemake.fails()


def test_cancelled_while_pending(tmp_path):
    workflow(tmp_path, counter(10**6, runtime=60, slurm_extra="--begin=now+1hour"))
    snakemake = Snakemake(tmp_path, "--jobs", "5", "count.txt")
    until(lambda: queue(tmp_path), "the job")
    run("scancel", *queue(tmp_path))
    assert "CANCELLED: it was cancelled" in snakemake.fails()


def test_a_time_limit_that_cannot_be_resumed(tmp_path):
    said = message(tmp_path, "sleep 300", runtime="1")
    assert "TIMEOUT: its time was up, and it did not stop in a way that can be resumed; raise runtime" in said


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        (
            "slurm_partiton='main'",
            "rule broken: unknown resource slurm_partiton; the nearest known one is slurm_partition",
        ),
        ("slurm_extra='--mem=5'", "rule broken: slurm_extra has --mem, which is set by the resource mem_mb"),
        ("slurm_extra='--no-such-thing=5'", "Rule broken could not be submitted: sbatch: unrecognized option"),
        ("slurm_partition='nowhere'", "invalid partition"),
    ],
)
def test_what_slurm_is_not_to_be_asked(tmp_path, resource, said):
    assert said in message(tmp_path, "true", f"500, {resource}")
