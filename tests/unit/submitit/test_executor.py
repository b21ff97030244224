"""What the executor reports to Snakemake about its jobs, and in which order."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from snakemake_executor_plugin_submitit import Executor, runs
from snakemake_executor_plugin_submitit.slurm import JobStatus
from snakemake_executor_plugin_submitit.work import result_path


@pytest.fixture
def happened(monkeypatch):
    """Record reports to Snakemake and calls of the cluster, in order."""
    events = []
    monkeypatch.setattr(Executor, "report_job_success", lambda self, info: events.append(("ok", info.external_jobid)))
    monkeypatch.setattr(Executor, "_fail", lambda self, info, message: events.append((message, info.external_jobid)))
    return events


def executor(happened, folder, over):
    """Return an executor whose cluster reports the jobs in `over` as over."""
    made = Executor.__new__(Executor)
    cluster = SimpleNamespace(blocks=False, cancel=lambda ids: happened.append(("cancel", *ids)))
    cluster.ended = lambda ids: happened.append(("ended?", *sorted(ids))) or over
    settings = SimpleNamespace(keep_logs=False)
    made.cluster, made.leaving, made.workflow = cluster, [], SimpleNamespace(executor_settings=settings)
    made.allocations = {key: runs.Allocation(folder, key) for key in "1234"}
    return made


def test_results_are_reported_before_the_cluster_is_asked_about_the_other_jobs(tmp_path, happened):
    job = SimpleNamespace(name="fit", wildcards_dict={}, is_group=lambda: False)
    infos = [
        SimpleNamespace(job=job, external_jobid=key, aux={"folder": str(tmp_path), "token": f"{key}-fit"})
        for key in "1234"
    ]
    for key, status in (("2", 0), ("4", 3)):
        result = {"status": status, "node": "n1", "requeues": 0, "note": ""}
        result_path(tmp_path, f"{key}-fit").write_text(json.dumps(result))
    checked = executor(happened, tmp_path, {"1": JobStatus("TIMEOUT")})

    async def still_active():
        return [info.external_jobid async for info in checked.check_active_jobs(infos)]

    assert asyncio.run(still_active()) == ["3"]
    assert happened == [
        ("ok", "2"),
        ("Rule fit, job 4: FAILED: exit status 3 (on n1).\n", "4"),
        ("ended?", "1", "3"),
        ("cancel", "1"),
        (happened[-1][0], "1"),
    ]
    assert "Rule fit, job 1: TIMEOUT" in happened[-1][0]
