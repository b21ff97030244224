"""What is read from Snakemake's jobs, and the messages about failures."""

from types import SimpleNamespace

import pytest

from snakemake_executor_plugin_submitit.jobs import failure_of_allocation, failure_of_command, prepare
from snakemake_executor_plugin_submitit.resources import Site
from snakemake_executor_plugin_submitit.slurm import JobStatus

SITE = Site(signal_delay=120)


def part(name, output, attempt=1, **resources):
    """Return a Snakemake job with the attributes that are read."""
    return SimpleNamespace(
        name=name,
        shellcmd=f"make {output}",
        params=["p"],
        input=["in"],
        output=[output],
        resources=resources,
        threads=1,
        attempt=attempt,
        wildcards_dict={},
        is_group=lambda: False,
    )


def group(*parts, **resources):
    return SimpleNamespace(
        jobs=parts, groupid="pair", resources=resources, threads=1, wildcards_dict={}, is_group=lambda: True
    )


def test_a_group_takes_the_largest_bundle_of_its_parts():
    pair = group(part("a", "a", bundle=8), part("b", "b", bundle=4, at_once=2), bundle=12, at_once=2, mem_mb=300)
    ready = prepare(pair, "1-pair", "true", SITE)
    assert (ready.request.bundle, ready.request.at_once, ready.request.mem_mb) == (8, 2, 300)
    assert ready.outputs == ("a", "b")


def test_a_second_attempt_is_the_same_job():
    first, second = (prepare(part("a", "a", attempt), f"{attempt}-a", "true", SITE) for attempt in (1, 2))
    assert first.fingerprint == second.fingerprint
    assert first.fingerprint != prepare(part("a", "b"), "3-a", "true", SITE).fingerprint


@pytest.mark.parametrize(
    "change", [{"name": "b"}, {"shellcmd": "make more"}, {"params": ["q"]}, {"input": ["in", "more"]}]
)
def test_a_job_of_another_rule_command_parameter_or_input_is_another_job(change):
    """Otherwise a result of an earlier run would be taken for its own."""
    job, other = part("a", "a"), part("a", "a")
    vars(other).update(change)
    assert prepare(job, "1-a", "true", SITE).fingerprint != prepare(other, "1-a", "true", SITE).fingerprint


@pytest.mark.parametrize(
    ("status", "said"),
    [(3, "exit status 3"), (255, "exit status 255"), (-15, "killed by signal 15"), (137, "killed by signal 9")],
)
def test_a_status_is_told_as_what_it_is(tmp_path, status, said):
    result = {"status": status, "node": "n1", "requeues": 0, "note": ""}
    assert f"FAILED: {said}" in failure_of_command(result, part("a", "a"), "7_0", tmp_path, "1-a")


def failure_of_allocation_with_log(folder, seen, log="said"):
    if log:
        (folder / "1-a.log").write_text(log)
    return failure_of_allocation(seen, part("a", "a"), "7_0", folder, "1-a")


def test_a_log_that_cannot_be_read_does_not_hide_the_failure(tmp_path):
    (tmp_path / "1-a.log").mkdir()
    said = failure_of_allocation_with_log(tmp_path, JobStatus("TIMEOUT"), log="")
    assert "job 7_0: TIMEOUT" in said
    assert "(cannot be read: [Errno 21] Is a directory" in said
    result = {"status": 3, "node": "n1", "requeues": 0, "note": ""}
    assert "FAILED: exit status 3" in failure_of_command(result, part("a", "a"), "7_0", tmp_path, "1-a")


def test_a_job_that_logged_nothing_points_to_the_disk(tmp_path):
    said = failure_of_allocation_with_log(tmp_path, JobStatus("FAILED"), log="")
    assert "Nothing was logged: is the disk or quota full?" in said
    assert " GB are free)" in said
    assert "Nothing was logged" not in failure_of_allocation_with_log(tmp_path, JobStatus("FAILED"))


def test_a_cancelled_job_says_how_to_stop_the_whole_run(tmp_path):
    hint = "counts as failed and is tried again while retries are left; to stop the whole run, press Ctrl-C"
    assert hint in failure_of_allocation_with_log(tmp_path, JobStatus("CANCELLED"))
    assert hint not in failure_of_allocation_with_log(tmp_path, JobStatus("TIMEOUT"))
