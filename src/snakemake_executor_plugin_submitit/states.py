"""What a job's state means: whether it is over, and how long to wait before that is certain. Pure functions."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from .slurm import JobStatus

# States after which a job does not run again unless SLURM requeues it.
FINAL = {
    "BOOT_FAIL": "the node did not boot",
    "CANCELLED": "it was cancelled",
    "COMPLETED": "it ended without a result",
    "DEADLINE": "its deadline passed",
    "FAILED": "it failed",
    "NODE_FAIL": "its node failed",
    "OUT_OF_MEMORY": "it needed more memory than it had asked for; raise mem_mb",
    "PREEMPTED": "it was preempted and not requeued",
    "REVOKED": "it was revoked",
    "TIMEOUT": "its time was up, and it did not stop in a way that can be resumed; raise runtime",
}
# States that a job may pass through before it is requeued.
MAY_REQUEUE = {"BOOT_FAIL", "NODE_FAIL", "PREEMPTED"}
REQUEUE_TAKES = 60.0  # seconds
UNSTARTED = 5.0  # seconds until a job that never ran counts as over
NO_NODES = {"", "(null)", "None assigned"}
ABSENT = 5.0  # seconds out of the queue before sacct is called
LOST = 60.0  # seconds out of the queue and unknown to the accounting until a job counts as lost
SILENT = 900.0  # the same, if the accounting does not answer or reports the job as not ended

# Reasons for pending that waiting does not resolve: the request is not allowed, or the job is held.
STUCK = re.compile(
    "AccountNotAllowed|BadConstraints|DependencyNeverSatisfied|InvalidAccount|InvalidQOS|JobHeldAdmin|JobHeldUser|"
    "JobHoldMaxRequeue|MaxMemPerLimit|PartitionNodeLimit|PartitionTimeLimit|QOSNotAllowed|launch failed requeued held|"
    r"job requeued in held state|(QOS|Assoc)Max\w*Per(Job|Node)(Limit)?|QOSMin\w+"
)
# What helps against them, by the first pattern that is found in the reason.
REMEDIES = {
    r"[Hh]eld|JobHold": "see why it is held; `scontrol release {job}` lets it run",
    r"Time|Wall": "lower runtime, or name another partition",
    r"Mem": "lower mem_mb, or name another partition",
    r"Account": "name an account that may be used there (slurm_account)",
    r"(Invalid|NotAllowed|QOSMin)": "name another QOS (qos), or ask for what this one requires",
    r"NodeLimit": "lower nodes, or name another partition",
    r"BadConstraints": "correct constraint, gpu_model or gres",
}


@dataclass
class StateTimer:
    """The last observed state of a job and when it was first observed, in seconds of a monotonic clock."""

    state: str = ""
    since: float = 0.0

    def note(self, state: str, now: float) -> None:
        """Record the state observed now."""
        if state != self.state:
            self.state, self.since = state, now


def ended(seen: JobStatus, lasts: float, latency: float) -> bool:
    """Return whether a job without a result is over; files may become visible `latency` seconds late."""
    if seen.state not in FINAL:
        return False
    if seen.state in MAY_REQUEUE:
        return lasts >= REQUEUE_TAKES
    # If it ran, results of it or of other commands in its bundle may not be visible yet.
    return lasts >= (latency if has_run(seen) else min(latency, UNSTARTED))


def has_run(seen: JobStatus) -> bool:
    """Return whether a job was ever given a node."""
    return seen.nodes not in NO_NODES


def requeued(before: JobStatus | None, seen: JobStatus | None) -> bool:
    """Return whether a job was requeued between two looks, even if it has started again since."""
    return before is not None and seen is not None and seen.submitted != before.submitted


def lost(absent: float, is_unknown: bool) -> bool:
    """Return whether a job that left the queue is lost; `is_unknown`: the accounting does not know it either."""
    return absent >= (LOST if is_unknown else SILENT)


def describe(seen: JobStatus) -> str:
    """Describe how a job ended, for the user."""
    what = FINAL.get(seen.state, "it is gone")
    facts = [seen.reason if seen.reason not in ("", "None") else ""]
    facts += [f"exit code {seen.exit_code}" if seen.exit_code not in ("", "0:0") else ""]
    facts += [f"ran {seen.elapsed} of {seen.limit}" if seen.elapsed else ""]
    facts += [f"on {seen.nodes}" if has_run(seen) else ""]
    about = ", ".join(fact for fact in facts if fact)
    return f"{seen.state}: {what}{f' ({about})' if about else ''}"


def stuck(seen: JobStatus, job: str) -> str:
    """Return what to do about a pending job whose reason waiting does not resolve, or an empty string."""
    reason = seen.reason.replace("_", " ")  # as some versions write them
    if seen.state != "PENDING" or not STUCK.fullmatch(reason):
        return ""
    remedies = (text for pattern, text in REMEDIES.items() if re.search(pattern, reason))
    return next(remedies, "ask for less, or name another partition or QOS").format(job=job)


def summary(statuses: Iterable[JobStatus]) -> str:
    """Return how many jobs are in each state that is not final, with the reasons of those that are pending."""
    counts, reasons = Counter(), Counter()
    for seen in statuses:
        if seen.state in FINAL:
            continue
        counts[seen.state] += 1
        reason = re.match(r"[A-Za-z][\w ]*", seen.reason)  # details may follow
        if seen.state == "PENDING" and reason and seen.reason != "None":
            reasons[reason.group()] += 1
    by_count = sorted(reasons, key=lambda reason: (-reasons[reason], reason))
    why = ", ".join(f"{reason} {reasons[reason]}" for reason in by_count)
    words = {"PENDING": f"pending ({why})"} if why else {}
    order = sorted(counts, key=lambda state: (state != "RUNNING", state))
    return ", ".join(f"{counts[state]} {words.get(state, state.lower())}" for state in order)
