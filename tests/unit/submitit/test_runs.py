"""A run's private folder and its list; jobs of earlier runs, and which of them do what is asked now."""

import json
import logging
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from snakemake_executor_plugin_submitit.reattach import Earlier
from snakemake_executor_plugin_submitit.runs import Entry, Run, earlier
from snakemake_executor_plugin_submitit.work import result_path


def entry(run, token="1-fit", cluster_id="7_0", outputs=("out",), fingerprint="same", submitted=None):
    return Entry(token, "slurm", cluster_id, outputs, fingerprint, submitted or time.time(), str(run.folder))


class Cluster:
    """A cluster on which some jobs are alive, and that notes what is cancelled."""

    def __init__(self, *alive):
        self.living, self.cancelled = set(alive), set()

    def alive(self, ids):
        return self.living & set(ids)

    def cancel(self, ids, runs):
        self.cancelled |= set(ids)


def asked(outputs=("out",), fingerprint="same"):
    return SimpleNamespace(outputs=outputs, fingerprint=fingerprint)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run whose Snakemake is gone."""
    monkeypatch.chdir(tmp_path)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    run = Run.new(tmp_path / "runs")
    run.start()
    owner = json.loads((run.folder / "owner.json").read_text())
    (run.folder / "owner.json").write_text(json.dumps(owner | {"pid": gone.pid}))
    return run


def find(run, cluster):
    return Earlier.find(earlier(run.folder.parent), "slurm", cluster, logging.getLogger("test"))


def test_the_folder_is_private(run):
    for folder in (run.folder, run.folder.parent):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_run_whose_snakemake_lives_is_left_alone(run):
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    (run.folder / "owner.json").write_text(json.dumps({"host": os.uname().nodename, "pid": process.pid}))
    assert earlier(run.folder.parent) == []
    process.communicate(b"\n")


def test_the_list_survives_a_line_that_was_cut_short(run):
    run.note([entry(run, "1-fit"), entry(run, "2-fit", "7_1", ("other",))])
    run.note_end("1-fit")
    with (run.folder / "jobs.jsonl").open("a") as file:
        file.write('{"token": "3-')
    assert [one.token for one in run.open_entries()] == ["2-fit"]


def test_a_job_that_lives_and_does_what_is_asked_is_taken_once(run):
    run.note([entry(run)])
    found = find(run, Cluster("7_0"))
    assert found.take(asked(), []).cluster_id == "7_0"
    assert found.take(asked(), []) is None


def test_a_job_that_is_gone_without_a_result_is_not(run):
    run.note([entry(run)])
    assert find(run, Cluster()).take(asked(), []) is None


@pytest.mark.parametrize(("status", "made", "taken"), [(0, True, True), (0, False, False), (1, True, False)])
def test_a_job_that_has_ended_is_taken_if_it_made_what_it_should(run, status, made, taken):
    run.note([entry(run)])
    result_path(run.folder, "1-fit").write_text(json.dumps({"status": status}))
    if made:
        open("out", "w").close()
    assert (find(run, Cluster()).take(asked(), []) is not None) == taken


@pytest.mark.parametrize("other", [asked(fingerprint="changed"), asked(outputs=("out", "more"))])
def test_a_job_that_would_make_the_same_files_otherwise_is_cancelled(run, other):
    run.note([entry(run)])
    cluster = Cluster("7_0")
    assert find(run, cluster).take(other, []) is None
    assert cluster.cancelled == {"7_0"}


def test_a_job_whose_input_is_younger_is_cancelled(run):
    run.note([entry(run, submitted=time.time() - 60)])
    open("input", "w").close()
    cluster = Cluster("7_0")
    assert find(run, cluster).take(asked(), ["input"]) is None
    assert cluster.cancelled == {"7_0"}


def test_a_run_that_left_nothing_is_removed(run):
    run.note([entry(run)])
    run.remove_if_idle()
    assert run.folder.exists()
    run.note_end("1-fit")
    run.remove_if_idle()
    assert not run.folder.exists()


def test_a_success_that_nobody_asks_for_is_cleared_up(run):
    run.note([entry(run)])
    result_path(run.folder, "1-fit").write_text(json.dumps({"status": 0}))
    for name in ("1-fit.log", "7_0_0_log.out", "7_0_0_result.pkl"):
        (run.folder / name).touch()
    found = find(run, Cluster())
    found.close()
    assert not found.ids()
    run.remove_if_idle()
    assert not run.folder.exists()
