"""When a job without a result is over, by what SLURM reports and for how long; warnings and progress."""

import pytest

from snakemake_executor_plugin_submitit import slurm as commands
from snakemake_executor_plugin_submitit.monitor import JobMonitor
from snakemake_executor_plugin_submitit.slurm import JobStatus

LATENCY = 30.0


class Slurm:
    """Fake squeue and sacct, with the number of their calls."""

    def __init__(self, queue, accounts=None):
        self.table, self.accounting, self.asked = queue, accounts, {"queue": 0, "accounts": 0}
        self.said, self.told = [], []
        self.now = self.takes = 0
        self.monitor = JobMonitor(
            10, LATENCY, self.said.append, self.told.append, self.queue, self.accounts, lambda: self.now
        )

    def queue(self):
        self.asked["queue"] += 1
        self.now += self.takes
        return self.table

    def accounts(self, ids):
        self.asked["accounts"] += 1
        self.now += self.takes
        return self.accounting

    def over_after(self, *ids, until=2000):
        """Look every second; return the seconds after which the first job was over, and its status."""
        for now in range(until):
            if over := self.look(now, *ids):
                return now, over
        return None, {}

    def look(self, now, *ids):
        """Return the jobs that are over at the time `now`."""
        self.now = now
        return dict(self.monitor.ended(set(ids or ("7_0",))))


def seen(state, reason="", nodes="n1", submitted=""):
    return {"7_0": JobStatus(state, reason, nodes, submitted)}


def test_what_waits_or_runs_is_not_over_and_seldom_asked_about():
    for state in ("PENDING", "RUNNING", "COMPLETING", "SUSPENDED", "REQUEUED"):
        slurm = Slurm(seen(state))
        assert slurm.over_after("7_0", until=600) == (None, {})
        assert slurm.asked == {"queue": 60, "accounts": 0}


def test_one_call_for_however_many_jobs():
    ids = [f"7_{i}" for i in range(1000)]
    slurm = Slurm({key: JobStatus("RUNNING") for key in ids})
    slurm.over_after(*ids, until=60)
    assert slurm.asked == {"queue": 6, "accounts": 0}


@pytest.mark.parametrize("nodes", ["", "(null)", "None assigned"])
def test_what_never_ran_is_over_within_seconds_and_told_by_the_accounting(nodes):
    accounts = {"7_0": JobStatus("CANCELLED", "cancelled by user ann", nodes)}
    after, over = Slurm(seen("CANCELLED", nodes=nodes), accounts).over_after("7_0")
    assert after <= 6
    assert over["7_0"].reason == "cancelled by user ann"


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED", "CANCELLED", "TIMEOUT"])
def test_a_job_that_ran_gets_time_for_its_results_to_arrive(state):
    after, over = Slurm(seen(state), {}).over_after("7_0")
    assert after == LATENCY
    assert over["7_0"].state == state


def test_a_failed_node_gets_time_to_give_the_job_back():
    after, _ = Slurm(seen("NODE_FAIL"), {}).over_after("7_0")
    assert after >= 60


def test_a_job_that_the_queue_has_forgotten_is_asked_of_the_accounting():
    after, over = Slurm({}, seen("TIMEOUT")).over_after("7_0")
    assert after == LATENCY
    assert over["7_0"].state == "TIMEOUT"


def test_what_the_accounting_said_before_a_requeue_is_not_how_the_job_ended():
    slurm = Slurm({}, seen("NODE_FAIL"))
    assert slurm.over_after("7_0", until=20) == (None, {})
    slurm.table = seen("RUNNING")
    slurm.look(100)
    slurm.table, slurm.accounting = {}, seen("TIMEOUT")
    assert [slurm.look(now).get("7_0") for now in range(200, 300)][-1].state == "TIMEOUT"


def test_a_job_that_nobody_knows_is_lost_after_a_minute():
    after, over = Slurm({}, {}).over_after("7_0")
    assert 60 <= after <= 75
    assert "neither queue nor accounting know it" in over["7_0"].reason


def test_what_the_accounting_knows_to_run_goes_on_however_seldom_the_queue_is_asked():
    slurm = Slurm({}, seen("RUNNING"))
    slurm.monitor.interval = 100
    assert slurm.over_after("7_0", until=800) == (None, {})


def test_an_accounting_that_does_not_answer_is_waited_for():
    slurm = Slurm({}, None)
    assert slurm.over_after("7_0", until=900) == (None, {})
    assert slurm.asked["accounts"] <= 900 / 20
    assert slurm.over_after("7_0")[1]


def test_a_controller_that_does_not_answer_fails_nothing_and_is_asked_less_and_less(monkeypatch):
    monkeypatch.setattr(commands, "LAST_ERRORS", {})
    slurm = Slurm(None)
    assert slurm.over_after("7_0", until=1200) == (None, {})
    assert slurm.asked["queue"] < 30
    assert slurm.said == ["squeue does not answer; jobs count as running until it does"]
    slurm.table = seen("RUNNING")
    slurm.look(1300)
    assert slurm.said[1] == "squeue answers again, after 1300 seconds"


def test_silence_does_not_count_towards_an_end():
    slurm = Slurm(seen("NODE_FAIL"), {})
    slurm.look(0)
    slurm.table = None
    slurm.look(10)
    slurm.table = seen("NODE_FAIL")
    assert not slurm.look(100)


@pytest.mark.parametrize("before", [seen("NODE_FAIL"), seen("PREEMPTED"), {}])
def test_nothing_that_may_pass_is_an_end_while_nobody_answers(before):
    """The job of a failed node is requeued, and a controller that has just started knows no jobs."""
    slurm = Slurm(before, {})
    slurm.look(0)
    slurm.table = None
    assert slurm.over_after("7_0", until=600) == (None, {})


def test_looks_that_are_far_apart_end_nothing_that_was_seen_once():
    slurm = Slurm(seen("PREEMPTED"), {})
    slurm.monitor.interval = 120
    assert slurm.over_after("7_0", until=120) == (None, {})
    assert slurm.over_after("7_0")[1]


def test_what_the_accounting_says_goes_on_is_not_lost():
    """For example in a hidden partition; but the accounting may have missed its end."""
    slurm = Slurm({}, seen("RUNNING"))
    assert slurm.over_after("7_0", until=900) == (None, {})
    slurm.accounting = seen("OUT_OF_MEMORY")
    assert slurm.look(899 + 20)["7_0"].state == "OUT_OF_MEMORY"
    after, _ = Slurm({}, seen("RUNNING")).over_after("7_0")
    assert 900 <= after <= 920


def test_a_reason_that_waiting_does_not_change_is_said_once():
    slurm = Slurm(seen("PENDING", "PartitionTimeLimit"))
    slurm.monitor.about["7_0"] = "rule fit, 600 minutes"
    slurm.over_after("7_0", until=100)
    assert slurm.said == [
        "SLURM job 7 (rule fit, 600 minutes) is pending with reason PartitionTimeLimit, which waiting will not change: "
        "lower runtime, or name another partition. Ctrl-C cancels all jobs; `scancel 7` has this one tried again"
    ]


@pytest.mark.parametrize("before", ["RUNNING", "COMPLETING", "NODE_FAIL", "PREEMPTED"])
@pytest.mark.parametrize("after", ["PENDING", "RUNNING"])  # the latter if it waited for less than the interval
def test_a_requeued_job_is_reported_once(before, after):
    slurm = Slurm(seen(before, submitted="10:00"))
    slurm.monitor.about["7_0"] = "rule fit, 600 minutes"
    slurm.look(0)
    slurm.table = seen(after, "BeginTime", submitted="11:00")
    slurm.over_after("7_0", until=59)
    assert slurm.told == [
        "SLURM has requeued 7_0 (rule fit, 600 minutes), which ran on n1: time limit, preemption or node failure; "
        "`sacct --duplicates --jobs 7_0` says which"
    ]


def test_a_requeued_job_that_was_not_seen_to_run_is_reported():
    slurm = Slurm(seen("PENDING", nodes="", submitted="10:00"))
    slurm.look(0)
    slurm.table = seen("PENDING", nodes="", submitted="10:01")
    slurm.look(10)
    assert slurm.told[0].startswith("SLURM has requeued 7_0: time limit")


def test_jobs_of_a_failed_node_are_reported_together():
    ids = [f"7_{i}" for i in range(12)]
    slurm = Slurm({key: JobStatus("RUNNING", nodes="n1", submitted="10:00") for key in [*ids, "8"]})
    slurm.look(0, *ids, "8")
    slurm.table |= {key: JobStatus("PENDING", submitted="11:00") for key in ids}
    slurm.look(10, *ids, "8")
    assert len(slurm.told) == 1
    assert "SLURM has requeued 7_0 7_1 7_10 7_11 7_2 7_3 7_4 7_5 7_6 7_7 and 2 more, which ran on n1" in slurm.told[0]


@pytest.mark.parametrize(
    ("reason", "passes"),
    [
        ("QOSMaxWallDurationPerJobLimit", False),
        ("AssocMaxGRESPerJob", False),
        ("QOSMinGRES", False),
        ("job requeued in held state", False),
        ("launch_failed_requeued_held", False),
        ("AssocGrpCpuLimit", True),
        ("QOSMaxJobsPerUserLimit", True),
        ("PartitionDown", True),
        ("Priority", True),
    ],
)
def test_limits_of_a_job_do_not_pass_those_of_all_jobs_and_maintenance_do(reason, passes):
    slurm = Slurm(seen("PENDING", reason))
    slurm.over_after("7_0", until=100)
    assert (not slurm.said) == passes


def test_the_queue_is_asked_for_hidden_partitions_too(monkeypatch):
    asked = []
    monkeypatch.setattr(commands, "call", lambda *command: asked.append(command) or commands.Answer(True, ""))
    assert commands.queue() == {}
    assert "--all" in asked[0]


def test_a_silent_squeue_is_reported_with_its_error(monkeypatch):
    monkeypatch.setattr(
        commands, "LAST_ERRORS", {"squeue": "slurm_load_jobs error: Unable to contact slurm controller"}
    )
    slurm = Slurm(None)
    slurm.look(0)
    assert slurm.said == [
        "squeue does not answer (slurm_load_jobs error: Unable to contact slurm controller); "
        "jobs count as running until it does"
    ]


def test_calls_that_take_longer_than_the_interval_are_not_repeated_without_a_pause():
    slurm = Slurm(seen("RUNNING"))
    slurm.takes = 50
    slurm.look(0)
    slurm.look(55)
    assert slurm.asked["queue"] == 1
    slurm = Slurm({}, seen("RUNNING"))
    slurm.look(0)
    slurm.takes = 50
    slurm.look(10)
    assert slurm.asked == {"queue": 2, "accounts": 1}
    slurm.takes = 0
    slurm.look(111)  # squeue ended at 60, sacct at 110
    assert slurm.asked["accounts"] == 1


def test_progress_is_reported_when_it_changes_and_seldom():
    table = {f"7_{i}": JobStatus("RUNNING", "None") for i in range(12)}
    table |= {f"8_{i}": JobStatus("PENDING", "Resources") for i in range(2)}
    table |= {"9": JobStatus("PENDING", "(null)"), "10": JobStatus("COMPLETED"), "11": JobStatus("RUNNING")}
    table |= {"12": JobStatus("PENDING", "ReqNodeNotAvail, UnavailableNodes:n[1-4]")}
    slurm = Slurm(table, {})
    ids = [key for key in table if key != "11"]  # 11 is not a job of this run
    slurm.over_after(*ids, until=60)
    assert not slurm.told
    for now in range(60, 1000):
        slurm.look(now, *ids)
    assert slurm.told == ["SLURM jobs: 12 running, 4 pending (Resources 2, ReqNodeNotAvail 1)"]
    slurm.table = table = table | {"8_0": JobStatus("RUNNING")}
    for now in range(1000, 1500):
        slurm.look(now, *ids)
        slurm.table = table | {"8_1": JobStatus("RUNNING")}
    assert slurm.told[1:] == ["SLURM jobs: 13 running, 3 pending (ReqNodeNotAvail 1, Resources 1)"]
    for now in range(1500, 1700):
        slurm.look(now, *ids)
    assert slurm.told[2:] == ["SLURM jobs: 14 running, 2 pending (ReqNodeNotAvail 1)"]
