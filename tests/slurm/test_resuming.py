"""Stopped jobs resume: after time limits, preemption, and the death of Snakemake."""

import signal

from scenario import Snakemake, counter, has_started, queue, starts, submitted, until, workflow

ENDLESS = counter(10**6, runtime=60)  # longer than any test waits


def test_at_its_time_limit_a_job_goes_on(tmp_path):
    workflow(tmp_path, counter(200, runtime=2))
    printed = Snakemake(tmp_path, "--jobs", "5", "count.txt").succeeds()
    assert len(submitted(printed)) == 1
    first, *later = starts(tmp_path)
    assert first == 0
    assert later
    assert min(later) > 0  # it was resumed, not restarted


def test_a_job_is_not_requeued_for_ever(tmp_path):
    workflow(tmp_path, counter(10**6, runtime=2))  # SLURM's early signal may leave half a minute of it
    said = Snakemake(tmp_path, "--jobs", "5", "--submitit-max-requeues", "1", "count.txt").fails()
    assert "FAILED: stopped again after 1 requeues, the most allowed (on " in said
    assert len(starts(tmp_path)) == 2


def test_ctrl_c_and_sigterm_leave_an_empty_queue(tmp_path):
    for number in (signal.SIGINT, signal.SIGTERM):
        folder = workflow(tmp_path / number.name, ENDLESS)
        snakemake = Snakemake(folder, "--jobs", "5", "count.txt")
        until(has_started(folder), "the job")
        snakemake.kill(number)
        until(lambda folder=folder: not queue(folder), "an empty queue")


def test_ctrl_c_in_mid_submission_leaves_an_empty_queue(tmp_path):
    workflow(tmp_path, ENDLESS)
    snakemake = Snakemake(tmp_path, "--jobs", "5", "--submitit-window", "0", "count.txt")
    until(lambda: list((tmp_path / ".snakemake").glob("submitit/*/*.pkl")), "a pickle")
    snakemake.kill(signal.SIGINT)
    until(lambda: not queue(tmp_path), "an empty queue")


def killed(folder, last):
    """Kill a Snakemake, but not its counting job."""
    workflow(folder, counter(last, runtime=60))
    snakemake = Snakemake(folder, "--jobs", "5", "count.txt")
    until(has_started(folder), "the job")
    snakemake.kill()


def again(folder):
    """Start the next Snakemake."""
    Snakemake(folder, "--unlock").succeeds()
    return Snakemake(folder, "--jobs", "5", "--rerun-incomplete", "count.txt")


def test_a_killed_snakemake_finds_its_job_again(tmp_path):
    killed(tmp_path, 10**6)
    snakemake = again(tmp_path)
    until(lambda: "of an earlier run does this already" in snakemake.log.read_text(), "the job to be taken over")
    (tmp_path / "enough").touch()
    assert len(submitted(snakemake.succeeds())) == 1
    assert starts(tmp_path) == [0]
    assert not list((tmp_path / ".snakemake/submitit").iterdir())


def test_a_job_that_a_living_snakemake_has_taken_over_is_left_alone_by_a_third(tmp_path):
    killed(tmp_path, 10**6)
    second = again(tmp_path)
    until(lambda: "of an earlier run does this already" in second.log.read_text(), "the job to be taken over")
    third = Snakemake(tmp_path, "--jobs", "5", "--rerun-incomplete", "--nolock", "count.txt")
    assert f"another Snakemake that still runs, process {second.process.pid} on " in third.fails()
    (tmp_path / "enough").touch()
    assert len(submitted(second.succeeds())) == 1
    assert starts(tmp_path) == [0]


def test_what_ended_while_no_snakemake_looked_is_taken_over(tmp_path):
    killed(tmp_path, 10)
    until(lambda: not queue(tmp_path), "the job's end")
    assert len(submitted(again(tmp_path).succeeds())) == 1
    assert starts(tmp_path) == [0]


def test_a_job_that_was_submitted_and_not_noted_is_replaced(tmp_path):
    killed(tmp_path, 10**6)
    (jobs,) = tmp_path.glob(".snakemake/submitit/*/jobs.jsonl")
    jobs.unlink()  # as if it had been killed right after sbatch
    snakemake = again(tmp_path)
    until(lambda: len(starts(tmp_path)) == 2, "the second start")
    assert len(queue(tmp_path)) == 1
    (tmp_path / "enough").touch()
    assert "an earlier run was killed before it had recorded them" in snakemake.succeeds()


def test_a_job_that_would_do_something_else_is_replaced(tmp_path):
    killed(tmp_path, 10**6)
    workflow(tmp_path, counter(20, runtime=60))
    assert "of an earlier run: settings of jobs that make the same files differ" in again(tmp_path).succeeds()
    assert len(starts(tmp_path)) == 2
    assert int((tmp_path / "count.txt").read_text()) < 10**6
