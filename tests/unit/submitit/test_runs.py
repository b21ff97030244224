"""A run's private folder and its list; jobs of earlier runs, and which of them are taken over."""

import json
import logging
import os
import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest

from snakemake_executor_plugin_submitit import runs
from snakemake_executor_plugin_submitit.jobs import Ready
from snakemake_executor_plugin_submitit.reattach import PreviousRuns
from snakemake_executor_plugin_submitit.resources import Request
from snakemake_executor_plugin_submitit.runs import Entry, Run, previous
from snakemake_executor_plugin_submitit.work import Command, result_path


def entry(run, token="1-fit", cluster_id="7_0", outputs=("out",), fingerprint="same", submitted=None):
    return Entry(token, "slurm", cluster_id, outputs, fingerprint, submitted or time.time(), str(run.folder))


class Cluster:
    """A cluster with some living jobs, which records what is cancelled."""

    name = "slurm"

    def __init__(self, *alive):
        self.living, self.cancelled = set(alive), set()

    def alive(self, runs, ids):
        return self.living

    def cancel(self, ids):
        self.cancelled |= set(ids)


def asked(outputs=("out",), fingerprint="same", inputs=()):
    request = Request(runtime=5, cpus=1, signal_delay=120)
    return Ready(None, "fit", Command("1-fit", "true"), request, tuple(inputs), tuple(outputs), fingerprint)


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


def recover(run, cluster):
    gone, _ = previous(run.folder.parent, print)
    return PreviousRuns.recover(gone, cluster, logging.getLogger("test"), "now")


def another(run, process):
    """Make a run of another process, which has submitted nothing."""
    other = Run(run.folder.parent / "later")
    other.folder.mkdir()
    owner = {"host": os.uname().nodename, "pid": process.pid, "started": process.create_time()}
    (other.folder / "owner.json").write_text(json.dumps(owner))
    return other


def take(found, *wanted):
    """Return, for each wanted job, the SLURM id that is taken over, or the ids that have to end first."""
    return [entry.cluster_id if entry else sorted(ready.rivals) for ready, entry in found.take(list(wanted))]


def test_the_folder_is_private_and_others_may_have_theirs_beside_it(run):
    assert run.folder.stat().st_mode & 0o777 == 0o700
    plain = run.folder.parent.parent / "plain"
    plain.mkdir()  # as the user's umask says
    assert run.folder.parent.stat().st_mode == plain.stat().st_mode


@pytest.fixture
def neighbour():
    """Another process, which runs during the test."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield psutil.Process(process.pid)
    process.communicate(b"\n")


def test_a_run_whose_snakemake_lives_is_left_alone(run, neighbour):
    owner = {"host": os.uname().nodename, "pid": neighbour.pid, "started": neighbour.create_time()}
    (run.folder / "owner.json").write_text(json.dumps(owner))
    assert previous(run.folder.parent, print) == ([], [run])


def test_a_process_that_was_given_the_number_of_a_snakemake_is_not_taken_for_it(run, neighbour):
    owner = {"host": os.uname().nodename, "pid": neighbour.pid, "started": neighbour.create_time() - 1000}
    (run.folder / "owner.json").write_text(json.dumps(owner))
    assert previous(run.folder.parent, print) == ([run], [])


def test_a_snakemake_on_another_host_lives_as_long_as_it_says_so(run, monkeypatch):
    run.note([entry(run)])
    owner = {"host": "elsewhere", "pid": 1, "started": 0, "seen": 1}
    (run.folder / "owner.json").write_text(json.dumps(owner))
    said, pauses = [], []
    monkeypatch.setattr(runs.time, "sleep", pauses.append)
    assert previous(run.folder.parent, said.append) == ([run], [])
    assert "whether the Snakemake that submitted jobs from elsewhere still runs" in said[0]
    assert pauses == [60]

    def says_so(seconds):
        (run.folder / "owner.json").write_text(json.dumps(owner | {"seen": 2}))

    monkeypatch.setattr(runs.time, "sleep", says_so)
    assert previous(run.folder.parent, print) == ([], [run])


def test_a_run_shows_that_it_lives(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "BEAT", 0.05)
    run = Run.new(tmp_path)
    run.start()
    first, end = run.owner()["seen"], time.monotonic() + 60
    with (run.folder / "owner.json").open() as file:
        while run.owner()["seen"] == first:
            assert time.monotonic() < end
            time.sleep(0.01)
        assert json.load(file)["seen"] == first  # whoever reads it meanwhile reads all of it, and takes nobody for gone
    run.remove_if_idle()
    assert not run.folder.exists()


def test_links_and_folders_of_other_users_are_no_runs(run, monkeypatch):
    (run.folder / "owner.json").unlink()  # one that nobody is known to own is
    (run.folder.parent / "link").symlink_to(run.folder)
    (run.folder.parent / "file").touch()
    assert previous(run.folder.parent, print) == ([run], [])
    monkeypatch.setattr(os, "getuid", lambda: run.folder.stat().st_uid + 1)
    assert previous(run.folder.parent, print) == ([], [])


def test_a_run_that_is_just_starting_is_not_taken_for_one_that_is_gone(tmp_path, monkeypatch):
    """Its folder is seen once it has an owner: the folder of a run that is gone may be removed."""
    seen, beat = [], Run._beat

    def looked_at(self, owner):
        seen.append(previous(tmp_path, print))
        beat(self, owner)

    monkeypatch.setattr(Run, "_beat", looked_at)
    run = Run.new(tmp_path)
    run.start()
    assert seen == [([], [])]
    assert run.owner()["pid"] == os.getpid()
    assert run.folder.stat().st_mode & 0o777 == 0o700


def test_the_list_survives_a_line_that_was_cut_short(run):
    run.note([entry(run, "1-fit"), entry(run, "2-fit", "7_1", ("other",))])
    run.note_end("1-fit")
    with (run.folder / "jobs.jsonl").open("a") as file:
        file.write('{"token": "3-')
    assert [one.token for one in run.open_entries()] == ["2-fit"]
    run.note_end("2-fit")
    assert not list(run.open_entries())


def test_a_job_that_lives_and_does_what_is_asked_is_taken_once(run):
    run.note([entry(run)])
    found = recover(run, Cluster("7_0"))
    assert take(found, asked()) == ["7_0"]
    assert take(found, asked()) == [[]]


def test_a_list_that_cannot_be_written_is_warned_of_and_stops_nothing(run, caplog):
    """As on a full disk: the jobs of this run go on."""
    run.note([entry(run)])
    found = recover(run, Cluster("7_0"))
    (run.folder / "jobs.jsonl").unlink()
    (run.folder / "jobs.jsonl").mkdir()
    assert take(found, asked(fingerprint="other")) == [["7_0"]]
    found.note_cancelled()
    assert caplog.text.count("Could not record what became of 1 jobs: ") == 2


def test_a_job_that_is_gone_without_a_result_is_not(run):
    run.note([entry(run)])
    assert take(recover(run, Cluster()), asked()) == [[]]
    assert not any(run.open_entries())


@pytest.mark.parametrize(("status", "made", "taken"), [(0, True, True), (0, False, False), (1, True, False)])
def test_a_job_that_has_ended_is_taken_if_it_made_what_it_should(run, status, made, taken):
    run.note([entry(run)])
    result_path(run.folder, "1-fit").write_text(json.dumps({"status": status}))
    if made:
        open("out", "w").close()
    assert take(recover(run, Cluster()), asked()) == (["7_0"] if taken else [[]])


def test_a_result_that_a_full_disk_cut_short_is_none(run):
    run.note([entry(run)])
    result_path(run.folder, "1-fit").touch()
    assert take(recover(run, Cluster()), asked()) == [[]]


@pytest.mark.parametrize("other", [asked(fingerprint="changed"), asked(outputs=("out", "more"))])
def test_a_job_that_would_make_the_same_files_otherwise_has_to_end_first(run, other):
    run.note([entry(run)])
    cluster = Cluster("7_0")
    found = recover(run, cluster)
    ((ready, _),) = found.take([other])
    free = asked(["free"])
    reason = "7_0 of an earlier run, which make the same files, have not ended"
    assert found.blocked([ready, free]) == ([ready], reason)
    assert cluster.cancelled == {"7_0"}
    cluster.living = None
    blocked, reason = found.blocked([ready, free])
    assert blocked == [ready]
    assert "does not say" in reason
    cluster.living = set()
    assert found.blocked([ready, free]) == ([], "")
    cluster.living = None  # rivals that have ended are not asked about again
    assert found.blocked([ready, free]) == ([], "")


@pytest.mark.parametrize(("age", "taken"), [(60, False), (-60, True)])
def test_a_job_whose_input_is_younger_is_not_taken(run, age, taken):
    run.note([entry(run, submitted=time.time() - age)])
    open("input", "w").close()
    found = take(recover(run, Cluster("7_0")), asked(inputs=["input", "temporary, and removed in the meantime"]))
    assert found == (["7_0"] if taken else [["7_0"]])


BUNDLE = asked(["a"]), asked(["b"]), asked(["c"])


def bundle(run):
    """Record three jobs in one allocation, and find them."""
    run.note([entry(run, f"{name}-fit", "7_0", (name,)) for name in "abc"])
    return recover(run, Cluster("7_0"))


def test_an_allocation_is_taken_over_as_a_whole(run):
    assert take(bundle(run), *BUNDLE) == ["7_0"] * 3


def test_an_allocation_of_which_something_has_changed_is_given_up_as_a_whole(run):
    found = bundle(run)
    assert take(found, BUNDLE[0], asked(["b"], "changed")) == [["7_0"]] * 2
    assert take(found, BUNDLE[2]) == [["7_0"]]
    assert not any(run.open_entries())


@pytest.mark.parametrize("status", [0, 1])
def test_a_member_that_has_ended_stands_in_nobody_s_way(run, status):
    run.note([entry(run, f"{name}-fit", "7_0", (name,)) for name in "abc"])
    result_path(run.folder, "b-fit").write_text(json.dumps({"status": status}))  # and its output is not there
    found = recover(run, Cluster("7_0"))
    assert take(found, *BUNDLE) == ["7_0", [], "7_0"]


def test_what_ctrl_c_has_cancelled_is_not_taken_over_but_waited_for(run):
    run.note([entry(run), entry(run, "2-fit", "8_0", ("other",))])
    run.note_cancelled("1-fit", "2-fit")
    cluster = Cluster("7_0")
    found = recover(run, cluster)
    assert take(found, asked(), asked(["other"])) == [["7_0"], []]
    assert not cluster.cancelled
    assert not found.unneeded()


def test_what_is_not_needed_stays_and_ctrl_c_ends_the_rest_of_what_is_given_up(run):
    run.note([entry(run, f"{name}-fit", key, (name,)) for name, key in (("a", "7_0"), ("b", "7_0"), ("c", "8_0"))])
    found = recover(run, Cluster("7_0", "8_0"))
    assert take(found, asked(["a"], "changed")) == [["7_0"]]
    assert (found.all_to_cancel(), found.unneeded()) == ({"7_0"}, {"8_0"})
    found.note_cancelled()
    found.close(keep_logs=False)
    assert [one.token for one in run.open_entries()] == ["c-fit"]


def test_what_has_ended_and_is_still_seen_in_the_queue_is_no_stray(run):
    run.note([entry(run)])
    run.note_end("1-fit")
    cluster = Cluster("7_0")
    assert take(recover(run, cluster), asked()) == [[]]
    assert not cluster.cancelled


def test_what_was_made_anew_is_what_the_next_run_takes(run):
    run.note([entry(run)])
    result_path(run.folder, "1-fit").write_text(json.dumps({"status": 0}))  # and its output is not there
    assert take(recover(run, Cluster()), asked()) == [[]]
    run.note([entry(run, "2-fit", "8_0")])
    assert take(recover(run, Cluster("8_0")), asked()) == ["8_0"]


def test_what_is_waited_for_is_not_cancelled(run):
    found = bundle(run)
    assert take(found, BUNDLE[0]) == ["7_0"]
    ((ready, _),) = found.take([asked(["b"], "changed")])
    assert found.blocked([ready])[0] == [ready]
    assert not found.cluster.cancelled
    assert take(found, BUNDLE[2]) == ["7_0"]


def test_jobs_on_another_cluster_are_left_alone_with_a_warning(run, caplog):
    run.note([replace(entry(run), cluster="local")])
    assert take(recover(run, Cluster()), asked()) == [[]]
    assert "Jobs of an earlier run on the cluster 'local' are ignored." in caplog.text
    assert any(run.open_entries())
    run.note_end("1-fit")
    caplog.clear()
    recover(run, Cluster())
    assert not caplog.text


def test_jobs_that_a_killed_snakemake_had_not_noted_are_cancelled(run):
    run.note([entry(run)])
    cluster = Cluster("7_0", "8_0", "8_1")
    found = recover(run, cluster)
    assert cluster.cancelled == {"8_0", "8_1"}
    assert take(found, asked(), asked(["other"])) == ["7_0", ["8_0", "8_1"]]


def test_an_allocation_is_cleared_up_when_it_has_ended_and_nobody_waits_for_anything_of_it(run):
    """Not before: if it is requeued, the results tell which of its commands have run."""
    allocation = runs.Allocation(run.folder, "7_1")
    allocation.add("1-fit")
    allocation.add("2-fit")
    for name in ("1-fit.result.json", "2-fit.result.json", "7_1_0_log.out", "7_10_0_result.pkl"):
        (run.folder / name).touch()
    allocation.close("1-fit", ok=True, keep_log=False)
    allocation.close("2-fit", ok=True, keep_log=False)
    assert not allocation.tidy()
    (run.folder / "7_1_0_result.pkl").touch()
    allocation.add("3-fit")
    assert not allocation.tidy()
    assert result_path(run.folder, "2-fit").exists()
    allocation.close("3-fit", ok=True, keep_log=False)
    assert allocation.tidy()
    assert sorted(path.name for path in run.folder.iterdir()) == ["7_10_0_result.pkl", "jobs.jsonl", "owner.json"]


def test_a_run_that_left_nothing_is_removed(run):
    run.note([entry(run)])
    run.remove_if_idle()
    assert run.folder.exists()
    run.note_end("1-fit")
    for name in ("1-fit.log", "7_0_0_log.out"):
        (run.folder / name).touch()
        run.remove_if_idle()
        (run.folder / name).unlink()
    run.remove_if_idle()
    assert not run.folder.exists()


def test_a_success_that_nobody_asks_for_is_cleared_up(run):
    run.note([entry(run)])
    result_path(run.folder, "1-fit").write_text(json.dumps({"status": 0}))
    for name in ("1-fit.log", "7_0_0_log.out", "7_0_0_result.pkl"):
        (run.folder / name).touch()
    found = recover(run, Cluster())
    found.close(keep_logs=False)
    assert not found.unneeded()
    run.remove_if_idle()
    assert not run.folder.exists()


def test_jobs_that_a_living_run_has_taken_over_are_its_own(run, neighbour):
    """With the rest of their allocation, of which some may have been cancelled."""
    run.note([entry(run, f"{name}-fit", "7_0", (name,)) for name in "abc"])
    run.note([entry(run, "d-fit", "8_0", ("d",))])
    other = another(run, neighbour)
    run.note_taken(other.id, "a-fit")
    run.note_cancelled("b-fit")
    cluster = Cluster("7_0", "8_0")
    found = recover(run, cluster)
    assert [(holder, one.token) for holder, one in found.held_by_others()] == [
        (other, "a-fit"),
        (other, "b-fit"),
        (other, "c-fit"),
    ]
    assert take(found, *BUNDLE, asked(["d"])) == [[], [], [], "8_0"]  # the first three are refused by the executor
    assert found.all_to_cancel() == {"8_0"}
    assert not found.unneeded()
    assert not cluster.cancelled
    assert [one.token for one in run.open_entries()] == ["a-fit", "c-fit", "d-fit"]
    run.note_end("a-fit")
    assert found.held_by_others() == []


def test_jobs_that_a_run_has_taken_over_and_not_ended_are_free_again_once_it_is_gone(run, neighbour):
    run.note([entry(run)])
    other = another(run, neighbour)
    run.note_taken(other.id, "1-fit")
    owner = json.loads((other.folder / "owner.json").read_text())
    (other.folder / "owner.json").write_text(json.dumps(owner | {"started": owner["started"] - 1000}))
    assert take(recover(run, Cluster("7_0")), asked()) == ["7_0"]
    (other.folder / "owner.json").unlink()
    other.folder.rmdir()
    found = recover(run, Cluster("7_0"))
    assert not found.held_by_others()
    assert take(found, asked()) == ["7_0"]


def test_a_job_that_another_run_takes_first_is_not_taken(run, neighbour):
    run.note([entry(run), entry(run, "2-fit", "8_0", ("other",))])
    first, second = (
        PreviousRuns.recover([run], Cluster("7_0", "8_0"), logging.getLogger("test"), name)
        for name in ("first", "later")
    )
    another(run, neighbour)
    ((_, taken),) = second.take([asked()])
    second.note_taken([taken])
    assert not second.held_by_others()  # its own
    assert [one.token for _, one in first.held_by_others()] == ["1-fit"]
    assert take(first, asked(["other"])) == ["8_0"]
    assert not first.unneeded()


def test_a_run_elsewhere_that_has_only_taken_jobs_over_is_watched_for_signs_of_life(run, neighbour, monkeypatch):
    monkeypatch.setattr(runs, "WATCH", 0.0)
    run.note([entry(run)])
    other = another(run, neighbour)
    (other.folder / "owner.json").write_text(json.dumps({"host": "elsewhere", "pid": 1, "started": 0, "seen": 1}))
    asked_of = []
    assert previous(run.folder.parent, asked_of.append) == ([run], [other])
    assert not asked_of
    run.note_taken(other.id, "1-fit")
    assert previous(run.folder.parent, asked_of.append) == ([run, other], [])
    assert "jobs from elsewhere" in asked_of[0]
