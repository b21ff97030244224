"""How the output of SLURM's commands is handled, with scripts that print what SLURM prints in trouble."""

import os
from dataclasses import replace
from types import SimpleNamespace

import pytest
from snakemake_interface_common.exceptions import WorkflowError
from submitit.helpers import DelayedSubmission

from snakemake_executor_plugin_submitit import ExecutorSettings, clusters, options, slurm
from snakemake_executor_plugin_submitit.base import BusyError, FullError, RefusedError
from snakemake_executor_plugin_submitit.clusters import Slurm, choose
from snakemake_executor_plugin_submitit.monitor import JobMonitor
from snakemake_executor_plugin_submitit.resources import Request
from snakemake_executor_plugin_submitit.slurm import JobStatus
from snakemake_executor_plugin_submitit.work import Command, Work

REQUEST = Request(runtime=5, cpus=1, signal_delay=120)


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Return a function that makes commands, each from its name and a line of shell."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")

    def make(**lines):
        for name, line in lines.items():
            (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{line}\n")
            (tmp_path / "bin" / name).chmod(0o755)

    return make


@pytest.fixture
def cluster(tmp_path):
    (tmp_path / "run").mkdir()
    return Slurm(tmp_path / "run", 1000, JobMonitor(10, 5, print, print))


def work(cluster, count=1):
    return [Work(str(cluster.folder), "/", (Command(f"{n}-fit", "true"),), max_requeues=20) for n in range(count)]


def test_the_queue_whatever_a_comment_holds(commands):
    commands(squeue=r"printf '7_0|RUNNING|None|n1|10:00|run/1|a\n7_1|PENDING|Priority||11:00|\351t\351\nodd\n'")
    assert slurm.queue() == {
        "7_0": JobStatus("RUNNING", "None", "n1", "10:00", "run/1|a"),
        "7_1": JobStatus("PENDING", "Priority", "", "11:00", "�t�"),
    }


def test_a_queue_that_does_not_answer_is_not_an_empty_one(commands):
    commands(squeue="echo 'error: Unable to contact' >&2; echo more >&2; exit 1")
    assert slurm.queue() is None
    assert slurm.LAST_ERRORS["squeue"] == "error: Unable to contact"
    commands(squeue="true")
    assert slurm.queue() == {}


def test_a_command_that_hangs_is_one_that_does_not_answer(commands, monkeypatch):
    monkeypatch.setattr(slurm, "TIMEOUT", 0.2)
    commands(squeue="exec sleep 30")
    assert slurm.queue() is None
    assert slurm.LAST_ERRORS["squeue"] == "squeue did not answer within 0.2 seconds"


def test_the_size_of_arrays_is_that_of_the_cluster(commands):
    commands(scontrol="printf 'MailProg = mail\\nMaxArraySize            = 50\\nMaxJobCount = 9\\n'")
    assert slurm.largest_array() == 50
    commands(scontrol="exit 1")
    assert slurm.largest_array() == 1001


def test_many_jobs_are_cancelled_in_parts_of_which_none_may_fail(commands, tmp_path):
    commands(scancel=f"echo $# $1 >> {tmp_path}/calls")
    assert slurm.cancel(map(str, range(250))).ok
    assert (tmp_path / "calls").read_text() == "100 0\n100 100\n50 200\n"
    commands(scancel="test $1 != 100")
    assert not slurm.cancel(map(str, range(250))).ok


def test_the_accounting(commands):
    commands(sacct="echo '7_0|CANCELLED by 0|0:15|None|n1|00:01:00|01:00:00'; echo '7_1|FAILED|3:0|None|n1|00:00:01|'")
    assert slurm.accounts(["7_0", "7_1"]) == {
        "7_0": JobStatus(
            "CANCELLED", "cancelled by user root", "n1", exit_code="0:15", elapsed="00:01:00", limit="01:00:00"
        ),
        "7_1": JobStatus("FAILED", "None", "n1", exit_code="3:0", elapsed="00:00:01"),
    }
    commands(sacct="echo 'Slurm accounting storage is disabled' >&2; exit 1")
    assert slurm.accounts(["7_0"]) == {}
    commands(sacct="echo 'sacct: error: Unable to connect' >&2; exit 1")
    assert slurm.accounts(["7_0"]) is None


@pytest.mark.parametrize(
    ("ping", "configured"),
    [
        ("echo 'Slurmctld(primary) at n is UP'", True),
        ("echo 'Slurmctld(primary) at n is DOWN'; exit 1", True),
        ("echo 'slurm_load_ctl_conf error: Unable to contact slurm controller' >&2; exit 1", True),
        ("echo 'scontrol: fatal: Could not establish a configuration source' >&2; exit 1", False),
    ],
)
def test_a_controller_in_trouble_is_no_reason_to_run_jobs_here(commands, ping, configured):
    commands(scontrol=ping)
    assert slurm.is_configured() == configured


def test_slurm_is_refused_where_there_is_none_and_where_jobs_would_go_elsewhere(commands, monkeypatch, tmp_path):
    monkeypatch.delenv("SLURM_CLUSTERS", raising=False)
    with monkeypatch.context() as without:
        without.setenv("PATH", str(tmp_path / "bin"))
        with pytest.raises(WorkflowError, match="SLURM's commands are not found on this machine"):
            choose("slurm", tmp_path, 10, None)
    commands(scontrol="echo 'scontrol: fatal: Could not establish a configuration source' >&2; exit 1")
    with pytest.raises(WorkflowError, match="belongs to no SLURM cluster \\(scontrol: fatal: Could not establish"):
        choose("slurm", tmp_path, 10, None)
    commands(scontrol="true")
    assert isinstance(choose("slurm", tmp_path, 10, None), Slurm)
    for name in ("SBATCH_CLUSTERS", "SLURM_CLUSTERS"):
        monkeypatch.setenv(name, "other")
        with pytest.raises(WorkflowError, match=f"{name} is set; unset it"):
            choose("slurm", tmp_path, 10, None)
        monkeypatch.delenv(name)


def test_the_cluster_is_the_one_that_is_named_and_otherwise_slurm_if_there_is_one(commands, monkeypatch, tmp_path):
    monkeypatch.delenv("SLURM_CLUSTERS", raising=False)
    commands(scontrol="true")
    assert [choose(name, tmp_path, 10, None).name for name in ("auto", "local", "debug")] == ["slurm", "local", "debug"]
    commands(scontrol="echo 'scontrol: fatal: Could not establish a configuration source' >&2; exit 1")
    assert choose("auto", tmp_path, 10, None).name == "local"
    with pytest.raises(WorkflowError, match="--submitit-cluster is 'pbs'; slurm, local, debug or auto is needed"):
        choose("pbs", tmp_path, 10, None)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Batch job submission failed: Socket timed out on send/recv operation", BusyError),
        ("Batch job submission failed: Unable to contact slurm controller (connect failure)", BusyError),
        ("AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: Job violates accounting/QOS", FullError),
        ("QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: Job violates policy", FullError),
        ("AssocMaxWallDurationPerJobLimit\nsbatch: error: Job violates accounting/QOS policy", RefusedError),
        ("invalid partition specified: nowhere", RefusedError),
    ],
)
def test_what_passes_and_what_does_not(commands, cluster, tmp_path, said, kind):
    commands(srun="true", squeue=f"touch {tmp_path}/asked", sbatch=f"printf 'sbatch: error: {said}' >&2; exit 1")
    with pytest.raises(kind) as error:
        cluster.submit(REQUEST, work(cluster, 3), "fit", "run/1")
    assert type(error.value) is kind
    assert not list(cluster.folder.iterdir())  # refused jobs leave no pickles
    assert (tmp_path / "asked").exists() == (kind is not FullError)  # a full queue has certainly taken nothing


def test_an_array_whose_answer_was_lost_is_withdrawn_before_it_is_submitted_again(commands, cluster, tmp_path):
    commands(
        srun="true",
        sbatch="echo 'sbatch: error: Socket timed out' >&2; exit 1",
        squeue="exit 1",
        scancel=f"echo $* >> {tmp_path}/cancelled",
    )
    with pytest.raises(BusyError, match="Socket timed out"):
        cluster.submit(REQUEST, work(cluster, 2), "fit", "run/1")
    commands(sbatch="echo 'Submitted batch job 8'")
    with pytest.raises(BusyError, match="squeue does not answer"):
        cluster.submit(REQUEST, work(cluster, 2), "fit", "run/2")
    assert not (tmp_path / "cancelled").exists()
    rows = r"7_0|RUNNING|None|n1|10:00|run/1\n7_1|COMPLETING|None|n1|10:00|run/1\n6|RUNNING|None|n1|10:00|run/0\n"
    commands(squeue=f"printf '{rows}'")
    with pytest.raises(BusyError, match="7 has not ended, whose sbatch was reported as failed"):
        cluster.submit(REQUEST, work(cluster, 2), "fit", "run/2")
    assert (tmp_path / "cancelled").read_text() == "7\n"
    commands(squeue=r"printf '7_0|CANCELLED|None|n1|10:00|run/1\n6|RUNNING|None|n1|10:00|run/0\n'")
    assert cluster.submit(REQUEST, work(cluster, 2), "fit", "run/2") == ["8_0", "8_1"]
    assert (tmp_path / "cancelled").read_text() == "7\n"


def test_what_was_submitted_in_spite_of_an_error_is_cancelled_before_the_failure_is_told(commands, cluster, tmp_path):
    """Snakemake may submit the same jobs again."""
    commands(
        srun="true",
        sbatch="echo 'sbatch: error: a plugin failed' >&2; exit 1",
        squeue=r"printf '7_0|RUNNING|None|n1|10:00|run/1\n'",
        scancel=f"echo $* >> {tmp_path}/cancelled",
    )
    with pytest.raises(RefusedError, match="a plugin failed"):
        cluster.submit(REQUEST, work(cluster), "fit", "run/1")
    assert (tmp_path / "cancelled").read_text() == "7\n"


def test_what_has_not_appeared_in_the_queue_for_ten_minutes_is_not_waited_for(commands, cluster, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(clusters.time, "monotonic", lambda: now)
    commands(srun="true", squeue="exit 1", sbatch="echo 'sbatch: error: Socket timed out' >&2; exit 1")
    with pytest.raises(BusyError, match="Socket timed out"):
        cluster.submit(REQUEST, work(cluster), "fit", "run/1")
    commands(sbatch="echo 'Submitted batch job 8'")
    now = 1599.0
    with pytest.raises(BusyError, match="squeue does not answer"):
        cluster.submit(REQUEST, work(cluster), "fit", "run/2")
    now = 1601.0
    assert cluster.submit(REQUEST, work(cluster), "fit", "run/2") == ["8"]


def test_a_submission_asks_for_what_its_bundles_need(commands, cluster):
    commands(srun="true", sbatch="echo 'Submitted batch job 8'")
    cluster.parallel, works = 1, [replace(one, commands=one.commands * 3) for one in work(cluster, 2)]
    assert cluster.submit(REQUEST, works, "fit", "run/1") == ["8_0", "8_1"]
    script = (cluster.folder / "8_submission.sh").read_text().splitlines()
    output = f"#SBATCH --output={cluster.folder}/%A_%a_0_log.out"  # where the messages about failures look for it
    assert {"#SBATCH --time=15", "#SBATCH --array=0-1%1", "#SBATCH --comment=run/1", output} <= set(script)
    for key in ("8_0", "8_1"):
        waits = DelayedSubmission.load(cluster.folder / f"{key}_submitted.pkl")
        assert waits._timeout_countdown > 1000  # submitit's own limit of requeues, which is not ours


def test_jobs_of_a_run_are_those_with_its_mark_that_have_not_ended(commands, cluster):
    row = r"{0}|{1}|None|n1|10:00|{2}\n".format
    table = row("7_0", "RUNNING", "run/1") + row("7_1", "COMPLETED", "run/1") + row("8", "PENDING", "run2/1")
    commands(squeue=f"printf '{table}{row('9', 'NODE_FAIL', 'run/2')}'")
    assert cluster.alive(["run", "other"], []) == {"7_0", "9"}
    commands(squeue="exit 1")
    assert cluster.alive(["run", "other"], []) is None


def test_a_controller_that_has_just_started_and_knows_no_job_does_not_end_them(commands, cluster):
    row = "|0:0|None|n1|00:00:01|"
    commands(squeue="true", sacct=f"echo '7_0|RUNNING{row}'; echo '7_1|FAILED{row}'")
    assert cluster.alive([], ["7_0", "7_1", "7_2"]) == {"7_0"}


def test_an_accounting_that_has_missed_the_end_of_a_job_is_not_believed_for_ever(commands, cluster, monkeypatch):
    commands(squeue="true", sacct="echo '7_0|RUNNING|0:0|None|n1|00:00:01|'")
    now = 0.0
    monkeypatch.setattr(clusters.time, "monotonic", lambda: now)
    assert cluster.alive([], ["7_0"]) == {"7_0"}
    now = 899.0
    assert cluster.alive([], ["7_0"]) == {"7_0"}
    now = 901.0
    assert cluster.alive([], ["7_0"]) == set()


@pytest.mark.parametrize("state", ["PREEMPTED", "NODE_FAIL"])
def test_a_job_that_has_left_the_queue_is_not_to_be_requeued(commands, cluster, state):
    commands(squeue="true", sacct=f"echo '7_0|{state}|0:0|None|n1|00:00:01|'")
    assert cluster.alive([], ["7_0"]) == set()


def test_options_in_the_environment_do_not_win_over_what_jobs_ask_for(monkeypatch):
    """sbatch prefers them to a job's options; SBATCH_EXPORT=NONE would also remove variables that jobs need."""
    names = ("SBATCH_PARTITION", "SBATCH_TIMELIMIT", "SBATCH_EXPORT", "SCANCEL_INTERACTIVE", "SLURM_JOB_ID")
    for name in (*names, "SLURM_CONF", "SBATCH_CLUSTERS"):
        monkeypatch.setenv(name, "theirs")
    monkeypatch.setenv("SBATCH_ACCOUNT", "theirs")
    site = options.site(ExecutorSettings(account="ours", setup="module load cuda"))
    options.clear_environment()
    assert (site.account, site.partition) == ("ours", "theirs")  # if nothing else sets one
    assert site.setup == ("module load cuda",)
    assert not {*names, "SBATCH_ACCOUNT"} & os.environ.keys()
    assert {"SLURM_CONF", "SBATCH_CLUSTERS"} <= os.environ.keys()


@pytest.mark.parametrize("silent", ["squeue", "scancel"])
def test_cancelling_says_once_that_it_has_to_wait_for_slurm(commands, cluster, monkeypatch, silent):
    said, pauses = [], []
    cluster.monitor.warn = said.append
    monkeypatch.setattr(clusters, "time", SimpleNamespace(sleep=pauses.append))
    commands(**{"squeue": "true", "scancel": "true", silent: "echo 'error: no contact' >&2; exit 1"})
    trouble = cluster.cancel_run("run", ["7_0", "7_1"])
    assert trouble == "error: no contact; cancel them by hand: scancel 7_0 7_1"
    assert said == ["SLURM does not answer; trying for a minute to cancel 2 jobs"]
    assert sum(pauses) == 60


@pytest.mark.parametrize("silent", ["squeue", "scancel"])
def test_cancelling_goes_on_until_also_jobs_whose_ids_are_unknown_are_cancelled(
    commands, cluster, monkeypatch, tmp_path, silent
):
    monkeypatch.setattr(clusters, "CANCEL_PAUSE", 0)
    lines = {"squeue": r"printf '7_0|RUNNING|None|n1|10:00|run/1\n'", "scancel": f"echo $* >> {tmp_path}/cancelled"}
    lines[silent] = f"test -e {tmp_path}/tried || {{ touch {tmp_path}/tried; exit 1; }}; {lines[silent]}"
    commands(**lines)
    assert cluster.cancel_run("run", ["8"]) == ""
    assert (tmp_path / "cancelled").read_text().endswith("7 8\n")


def test_arrays_are_cancelled_as_a_whole(commands, cluster, tmp_path):
    row = r"{0}|RUNNING|None|n1|10:00|{1}\n".format
    table = row("7_0", "run/1") + row("7_1", "run/1") + row("8", "run/2") + row("9_0", "other/1")
    commands(squeue=f"printf '{table}'", scancel=f"echo $* >> {tmp_path}/cancelled")
    assert cluster.cancel_run("run", ["7_0", "7_1", "8", "5_3"]) == ""
    assert (tmp_path / "cancelled").read_text() == "5_3 7 8\n"
    cluster.cancel(["7_1"])
    assert (tmp_path / "cancelled").read_text() == "5_3 7 8\n7_1\n"
