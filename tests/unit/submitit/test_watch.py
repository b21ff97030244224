"""When a job that left no result is over: by what SLURM says, and for how long it has said it."""

import pytest

from snakemake_executor_plugin_submitit import slurm as commands
from snakemake_executor_plugin_submitit.slurm import Sighting
from snakemake_executor_plugin_submitit.watch import Watch

LATENCY = 30.0


class Slurm:
    """What squeue and sacct say, and how often they were asked."""

    def __init__(self, queue, accounts=None):
        self.table, self.accounting, self.asked = queue, accounts, {"queue": 0, "accounts": 0}
        self.said = []
        self.watch = Watch(10, LATENCY, self.said.append, self.queue, self.accounts)

    def queue(self):
        self.asked["queue"] += 1
        return self.table

    def accounts(self, ids):
        self.asked["accounts"] += 1
        return self.accounting

    def over_after(self, *ids, until=2000):
        """The seconds after which the first job was over and what was said of it, looking every second."""
        for now in range(until):
            if over := self.watch.ended(set(ids), now):
                return now, over
        return None, {}


def seen(state, reason="", nodes="n1"):
    return {"7_0": Sighting(state, reason, nodes)}


def test_what_waits_or_runs_is_not_over_and_seldom_asked_about():
    for state in ("PENDING", "RUNNING", "COMPLETING", "SUSPENDED", "REQUEUED"):
        slurm = Slurm(seen(state))
        assert slurm.over_after("7_0", until=600) == (None, {})
        assert slurm.asked == {"queue": 60, "accounts": 0}


def test_one_call_for_however_many_jobs():
    ids = [f"7_{i}" for i in range(1000)]
    slurm = Slurm({key: Sighting("RUNNING") for key in ids})
    slurm.over_after(*ids, until=60)
    assert slurm.asked == {"queue": 6, "accounts": 0}


@pytest.mark.parametrize("nodes", ["", "(null)", "None assigned"])
def test_what_never_ran_is_over_within_seconds_and_told_by_the_accounting(nodes):
    accounts = {"7_0": Sighting("CANCELLED", "cancelled by user ann", nodes)}
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


def test_a_job_that_nobody_knows_is_lost_after_a_minute():
    after, over = Slurm({}, {}).over_after("7_0")
    assert 60 <= after <= 75
    assert "neither queue nor accounting know it" in over["7_0"].reason


def test_what_the_accounting_knows_to_run_goes_on_however_seldom_the_queue_is_asked():
    slurm = Slurm({}, seen("RUNNING"))
    slurm.watch.interval = 100
    assert slurm.over_after("7_0", until=800) == (None, {})


def test_an_accounting_that_does_not_answer_is_waited_for():
    slurm = Slurm({}, None)
    assert slurm.over_after("7_0", until=900) == (None, {})
    assert slurm.asked["accounts"] <= 900 / 20
    assert slurm.over_after("7_0")[1]


def test_a_controller_that_does_not_answer_fails_nothing_and_is_asked_less_and_less():
    slurm = Slurm(None)
    assert slurm.over_after("7_0", until=1200) == (None, {})
    assert slurm.asked["queue"] < 30
    assert slurm.said == ["squeue does not answer; jobs count as running until it does"]
    slurm.table = seen("RUNNING")
    slurm.watch.ended({"7_0"}, 1300)
    assert slurm.said[1] == "squeue answers again, after 1300 seconds"


def test_silence_does_not_count_towards_an_end():
    slurm = Slurm(seen("NODE_FAIL"), {})
    slurm.watch.ended({"7_0"}, 0)
    slurm.table = None
    slurm.watch.ended({"7_0"}, 10)
    slurm.table = seen("NODE_FAIL")
    assert not slurm.watch.ended({"7_0"}, 100)


@pytest.mark.parametrize("before", [seen("NODE_FAIL"), seen("PREEMPTED"), {}])
def test_nothing_that_may_pass_is_an_end_while_nobody_answers(before):
    """A node that failed gives its job back, and a controller that starts knows no job for a moment."""
    slurm = Slurm(before, {})
    slurm.watch.ended({"7_0"}, 0)
    slurm.table = None
    assert slurm.over_after("7_0", until=600) == (None, {})


def test_looks_that_are_far_apart_end_nothing_that_was_seen_once():
    slurm = Slurm(seen("PREEMPTED"), {})
    slurm.watch.interval = 120
    assert slurm.over_after("7_0", until=120) == (None, {})
    assert slurm.over_after("7_0")[1]


def test_what_the_accounting_says_goes_on_is_not_lost():
    """As a job in a partition that is hidden; an accounting that has missed its end is not believed for ever."""
    slurm = Slurm({}, seen("RUNNING"))
    assert slurm.over_after("7_0", until=900) == (None, {})
    slurm.accounting = seen("OUT_OF_MEMORY")
    assert slurm.watch.ended({"7_0"}, 899 + 20)["7_0"].state == "OUT_OF_MEMORY"
    after, _ = Slurm({}, seen("RUNNING")).over_after("7_0")
    assert 900 <= after <= 920


def test_a_reason_that_waiting_does_not_change_is_said_once():
    slurm = Slurm(seen("PENDING", "PartitionTimeLimit"))
    slurm.over_after("7_0", until=100)
    assert slurm.said == ["SLURM job 7 is pending with reason PartitionTimeLimit, which waiting will not change"]


@pytest.mark.parametrize(
    ("reason", "passes"),
    [
        ("QOSMaxWallDurationPerJobLimit", False),
        ("AssocMaxGRESPerJob", False),
        ("QOSMinGRES", False),
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
