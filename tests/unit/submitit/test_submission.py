"""Which jobs go into which arrays, and what happens to jobs that a cluster does not take immediately."""

import contextlib
import time
from dataclasses import replace
from types import SimpleNamespace

from snakemake_executor_plugin_submitit import submission
from snakemake_executor_plugin_submitit.base import BusyError, FullError
from snakemake_executor_plugin_submitit.resources import Request
from snakemake_executor_plugin_submitit.submission import Submitter, alike

CHEAP = Request(runtime=5, cpus=1, account="lab", signal_delay=120)
LARGE = replace(CHEAP, cpus=8)


def jobs(count, request=CHEAP, rivals=frozenset()):
    return [
        SimpleNamespace(job=number, rule="fit", request=request, rivals=rivals, command=SimpleNamespace(token=object()))
        for number in range(count)
    ]


class Cluster:
    """A cluster with room for a number of array members per account."""

    def __init__(self, largest=1000, **room):
        self.room, self.arrays, self.calls, self.failed = room, [], 0, []
        self.error = None
        self.said = []
        self.submitter = Submitter(
            self.submit, self.blocked, lambda job, text: self.failed.append((job, text)), self.said.append, 0, largest
        )

    def blocked(self, batch):
        return [ready for ready in batch if ready.rivals], "7_0 has not ended"

    def submit(self, request, array):
        self.calls += 1
        if self.error:
            raise self.error
        if len(array) > self.room.get(request.account, len(array)):
            raise FullError("AssocMaxSubmitJobLimit")
        if request.account in self.room:
            self.room[request.account] -= len(array)
        self.arrays.append([len(bundle) for bundle in array])


def test_what_asks_for_the_same_shares_an_array_in_bundles_of_one_size():
    bundled = replace(CHEAP, bundle=4)
    batch = jobs(3) + jobs(2, LARGE) + jobs(1) + jobs(10, bundled)
    found = [(request, [len(bundle) for bundle in bundles]) for request, bundles in alike(batch)]
    assert found == [(CHEAP, [1, 1, 1, 1]), (LARGE, [1, 1]), (bundled, [4, 4]), (bundled, [2])]


def test_arrays_are_limited():
    cluster = Cluster(largest=3)
    assert cluster.submitter.submit_all(jobs(7))[0] == []
    assert [len(array) for array in cluster.arrays] == [3, 3, 1]


def test_a_full_queue_takes_what_has_room_and_keeps_no_other_account_waiting():
    cluster = Cluster(lab=10)
    other = replace(CHEAP, account="other")
    left, reason = cluster.submitter.submit_all(jobs(1000) + jobs(5, LARGE) + jobs(20, other))
    assert (len(left), reason) == (990 + 5, "AssocMaxSubmitJobLimit")
    assert sum(map(sum, cluster.arrays)) == 10 + 20
    assert cluster.calls < 20


def test_a_queue_that_stays_full_is_asked_once_and_one_with_room_again_gets_ever_more():
    cluster = Cluster(lab=0)
    left, _ = cluster.submitter.submit_all(jobs(100))
    cluster.calls = 0
    left, _ = cluster.submitter.submit_all(left)
    assert (len(left), cluster.calls) == (100, 1)
    cluster.room["lab"] = 1000
    assert cluster.submitter.submit_all(left)[0] == []
    assert [len(array) for array in cluster.arrays] == [1, 2, 4, 8, 16, 32, 37]


def test_a_busy_cluster_loses_nothing_and_is_asked_once():
    cluster = Cluster()
    cluster.error = BusyError("it is DOWN")
    batch = jobs(3) + jobs(2, LARGE)
    left, reason = cluster.submitter.submit_all(batch)
    assert (left, reason, cluster.calls) == (batch, "it is DOWN", 1)


def test_an_error_in_the_search_for_rivals_loses_nothing():
    cluster, batch = Cluster(), jobs(2)

    def blocked(batch):
        raise OSError("Stale file handle")

    cluster.submitter.blocked = blocked
    assert cluster.submitter.submit_all(batch) == (batch, "Stale file handle")
    assert not cluster.calls


def test_jobs_that_have_to_wait_for_others_keep_nobody_else_waiting():
    cluster = Cluster()
    waiting = jobs(2, rivals={"7_0"})
    left, reason = cluster.submitter.submit_all([*waiting, *jobs(3)])
    assert (left, reason, cluster.arrays) == (waiting, "7_0 has not ended", [[1, 1, 1]])


def test_what_cannot_be_submitted_is_told():
    cluster = Cluster()
    cluster.error = ValueError("no such partition")
    assert cluster.submitter.submit_all(jobs(2))[0] == []
    assert cluster.failed == [
        (0, "Rule fit could not be submitted: no such partition.\n"),
        (1, "Rule fit could not be submitted, as above.\n"),
    ]


def test_what_waits_is_tried_again_in_its_time_and_what_comes_new_at_once(monkeypatch):
    monkeypatch.setattr(submission, "FIRST_WAIT", 1000.0)
    cluster = Cluster(lab=0, other=5)
    for ready in jobs(3):
        cluster.submitter.ready.put(ready)
    cluster.submitter.start()
    until(lambda: cluster.said)
    calls = cluster.calls
    for ready in jobs(5, replace(CHEAP, account="other")):
        cluster.submitter.ready.put(ready)
    until(lambda: sum(map(sum, cluster.arrays)) == 5)
    assert cluster.said == ["Jobs not submitted yet: 3 (AssocMaxSubmitJobLimit); trying again in 1000 seconds."]
    assert cluster.calls - calls <= 5
    cluster.submitter.stopping.set()


def test_the_pauses_before_what_waits_is_tried_again_grow_until_some_of_it_is_taken(monkeypatch):
    cluster, now, pauses = Cluster(lab=0), 0.0, []

    def gather(patience):
        nonlocal now
        pauses.append(patience)
        attempt = len(pauses)
        now += 1 if attempt == 2 else patience or 0
        cluster.room["lab"] = {8: 1, 9: 1000}.get(attempt, 0)
        if attempt == 10:
            cluster.submitter.stopping.set()
        return jobs({1: 3, 2: 2}.get(attempt, 0))

    monkeypatch.setattr(submission.time, "monotonic", lambda: now)
    monkeypatch.setattr(cluster.submitter, "_gather", gather)
    cluster.submitter._run()
    assert pauses == [None, 5, 4, 10, 20, 40, 60, 60, 5, None]
    assert sum(map(sum, cluster.arrays)) == 5


def test_a_submission_under_way_is_the_last_when_jobs_are_being_cancelled():
    """Cancelling waits for it, so that its jobs are among those that are cancelled."""
    cluster = Cluster(largest=2)
    submitter, submit = cluster.submitter, cluster.submitter.submit

    def then_stop(request, array):
        assert submitter.underway.locked()
        submit(request, array)
        submitter.stopping.set()

    submitter.submit = then_stop
    submitter.submit_all(jobs(5))
    assert cluster.arrays == [[1, 1]]


def test_a_submission_that_waits_for_the_cancelling_does_not_take_place():
    cluster = Cluster()

    @contextlib.contextmanager
    def cancelling():
        cluster.submitter.stopping.set()
        yield

    cluster.submitter.underway = cancelling()
    cluster.submitter.submit_all(jobs(5))
    assert not cluster.calls


def until(condition):
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
