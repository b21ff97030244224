"""What the executor reports to Snakemake about its jobs, and in which order."""

import asyncio
import itertools
import json
import queue
import signal
import threading
from types import SimpleNamespace

import pytest

from snakemake_executor_plugin_submitit import Executor, runs
from snakemake_executor_plugin_submitit.jobs import Ready
from snakemake_executor_plugin_submitit.resources import Request, Site
from snakemake_executor_plugin_submitit.slurm import JobStatus
from snakemake_executor_plugin_submitit.work import Command, Work, log_path, result_path

REQUEST = Request(runtime=5, cpus=1, signal_delay=120, bundle=4, at_once=2)


@pytest.fixture
def happened(monkeypatch):
    """Record reports to Snakemake and calls of the cluster, in order."""
    events = []

    def watched(self, info):
        events.append(("watched", info.external_jobid, info.aux["folder"], info.aux["token"]))

    monkeypatch.setattr(Executor, "report_job_success", lambda self, info: events.append(("ok", info.external_jobid)))
    monkeypatch.setattr(Executor, "report_job_submission", watched)
    monkeypatch.setattr(Executor, "_fail", lambda self, info, message: events.append((message, info.external_jobid)))
    return events


@pytest.fixture(autouse=True)
def handlers():
    """Restore the handlers of signals, in the place of which the executor puts its own."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def executor(happened, folder, over=()):
    """Return an executor whose cluster reports the jobs in `over` as over and takes two more, 7_0 and 7_1."""
    made = Executor.__new__(Executor)
    cluster = SimpleNamespace(name="slurm", blocks=False, cancel=lambda ids: happened.append(("cancel", *ids)))
    cluster.ended = lambda ids: happened.append(("ended?", *sorted(ids))) or over
    cluster.submit = lambda *submission: happened.append(submission) or ["7_0", "7_1"]
    cluster.cancel_run = lambda run, ids: happened.append(("cancel", run, *sorted(ids))) or "no answer"
    settings = SimpleNamespace(keep_logs=False, max_requeues=3)
    made.cluster, made.leaving = cluster, []
    made.workflow = SimpleNamespace(executor_settings=settings, config_settings=SimpleNamespace(configfiles=[]))
    made.workdir, made.submissions, made.numbers = "/work", itertools.count(1), itertools.count(1)
    made.logger = SimpleNamespace(info=lambda text: None, warning=happened.append, error=happened.append)
    made.monitor = SimpleNamespace(about={})
    made.allocations = {key: runs.Allocation(folder, key) for key in "1234"}
    for key, allocation in made.allocations.items():
        allocation.add(f"{key}-fit")
    made.this_run = runs.Run(folder / "run")
    made.this_run.start()
    made.run_job_pre, made.format_job_exec, made.site = lambda job: None, lambda job: "true", Site(signal_delay=120)
    made.previous, made.others = SimpleNamespace(held_by_others=list), []
    made.submitter = SimpleNamespace(ready=queue.SimpleQueue(), stopping=threading.Event())
    return made


def job(name="fit", **resources):
    return SimpleNamespace(
        name=name,
        shellcmd="true",
        params=[],
        input=[],
        output=[f"{name}.txt"],
        resources=resources,
        threads=1,
        wildcards_dict={},
        is_group=lambda: False,
    )


@pytest.mark.parametrize("is_full", [False, True])
def test_results_are_reported_before_the_cluster_is_asked_about_the_other_jobs(tmp_path, happened, is_full):
    """Even if the disk is so full that the ends of jobs cannot be recorded."""
    infos = [
        SimpleNamespace(job=job(), external_jobid=key, aux={"folder": str(tmp_path), "token": f"{key}-fit"})
        for key in "1234"
    ]
    for key, status in (("2", 0), ("4", 3)):
        result = {"status": status, "node": "n1", "requeues": 0, "note": ""}
        result_path(tmp_path, f"{key}-fit").write_text(json.dumps(result))
        log_path(tmp_path, f"{key}-fit").touch()
    if is_full:
        (tmp_path / "jobs.jsonl").mkdir()
    checked = executor(happened, tmp_path, {"1": JobStatus("TIMEOUT")})

    async def still_active():
        return [info.external_jobid async for info in checked.check_active_jobs(infos)]

    assert asyncio.run(still_active()) == ["3"]
    assert [event for event in happened if isinstance(event, tuple)] == [
        ("ok", "2"),
        ("Rule fit, job 4: FAILED: exit status 3 (on n1).\n", "4"),
        ("ended?", "1", "3"),
        ("cancel", "1"),
        (happened[-1][0], "1"),
    ]
    assert "Rule fit, job 1: TIMEOUT" in happened[-1][0]
    assert [key for key, allocation in checked.allocations.items() if allocation.waited_for] == ["3"]
    assert [allocation.cluster_id for allocation in checked.leaving] == ["2"]
    assert [path.name for path in sorted(tmp_path.glob("*.log"))] == (["2-fit.log"] if is_full else []) + ["4-fit.log"]


BUNDLES = [
    [Ready(None, "fit", Command(f"{n}-fit", "true"), REQUEST, (), (f"{n}",), "same") for n in pair]
    for pair in ("12", "34")
]


def test_what_is_submitted_is_recorded_and_watched(tmp_path, happened):
    made = executor(happened, tmp_path)
    made._submit(REQUEST, BUNDLES)
    folder = str(made.this_run.folder)
    works = [
        Work(folder, "/work", tuple(ready.command for ready in bundle), max_requeues=3, at_once=2) for bundle in BUNDLES
    ]
    ids = {"1-fit": "7_0", "2-fit": "7_0", "3-fit": "7_1", "4-fit": "7_1"}
    watched = [("watched", key, folder, token) for token, key in ids.items()]
    assert happened == [(REQUEST, works, "fit", "run/1"), *watched]
    assert {entry.token: entry.cluster_id for entry in made.this_run.open_entries()} == ids
    assert made.allocations["7_1"].waited_for == {"3-fit", "4-fit"}
    assert made.monitor.about["7_1"] == "rule fit, 5 minutes"


def test_what_is_submitted_and_cannot_be_recorded_is_cancelled(tmp_path, happened):
    """It is reported as failed and may be submitted again; a later Snakemake would not know it."""
    made = executor(happened, tmp_path)
    (made.this_run.folder / "jobs.jsonl").mkdir()
    with pytest.raises(IsADirectoryError):
        made._submit(REQUEST, BUNDLES)
    assert happened[1:] == [("cancel", "7_0", "7_1")]


def test_what_cannot_be_requested_is_refused_what_is_found_is_taken_over_and_the_rest_is_submitted(tmp_path, happened):
    """SIGTERM now does what Ctrl-C does."""
    made = executor(happened, tmp_path)
    found = runs.Entry("1-old", "slurm", "5_0", ("old.txt",), "same", 0.0, "earlier")

    made.previous.take = lambda wanted: [(ready, found if ready.rule == "old" else None) for ready in wanted]
    made.previous.note_taken = lambda entries: happened.append(("taken", *(entry.token for entry in entries)))
    made.run_jobs([job("bad", mem_mb="8G"), job("old"), job("new")])
    assert happened == [
        ("rule bad: resource mem_mb is '8G'; a whole number from 1 is needed.\n", None),
        ("taken", "1-old"),
        ("watched", "5_0", "earlier", "1-old"),
    ]
    assert made.submitter.ready.get_nowait().command.token == "00003-new"
    assert made.submitter.ready.empty()
    with pytest.raises(KeyboardInterrupt):
        signal.getsignal(signal.SIGTERM)(signal.SIGTERM, None)


def test_everything_is_cancelled_also_what_is_just_being_submitted(tmp_path, happened):
    earlier = runs.Run(tmp_path / "earlier")
    earlier.start()
    earlier.note([runs.Entry("1-old", "slurm", "5_0", (), "same", 0.0, str(earlier.folder))])
    made = executor(happened, tmp_path)
    made._register(job(), str(earlier.folder), "1-old", "5_0")  # taken over

    def acquire(timeout):
        assert made.submitter.stopping.is_set()
        made._submit(REQUEST, BUNDLES)
        return timeout > 60

    made.submitter.underway = SimpleNamespace(acquire=acquire, release=lambda: happened.append("released"))
    made.previous.all_to_cancel, made.previous.note_cancelled = lambda: {"6"}, lambda: happened.append("noted")
    made.cancel_jobs([SimpleNamespace(external_jobid="9")])
    assert happened[-4:] == [
        "noted",
        ("cancel", "run", "1", "2", "3", "4", "5_0", "6", "7_0", "7_1", "9"),
        "Jobs could not be cancelled: no answer",
        "released",
    ]
    for run in (earlier, made.this_run):
        assert {noted.end for noted in run.entries()} == {"cancelled"}
    signal.getsignal(signal.SIGTERM)(signal.SIGTERM, None)  # does not interrupt this, which would leave jobs running


def test_why_a_group_failed_is_printed_by_the_executor_since_snakemake_does_not(tmp_path, monkeypatch):
    said = []
    made = executor(said, tmp_path)
    monkeypatch.setattr(made, "report_job_error", lambda info, msg: said.append(("reported", msg)))
    for is_group in (False, True):
        made._fail(SimpleNamespace(job=SimpleNamespace(is_group=lambda is_group=is_group: is_group)), "why")
    assert said == [("reported", "why"), "why", ("reported", "why")]
