"""What a job's state means: does it go on, and if not, since when is that sure. Pure: no calls, no clocks."""

import re
from dataclasses import dataclass

from .slurm import Sighting

# States after which a job does not run again, unless SLURM requeues it.
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
# Passed through on the way back into the queue.
MAY_REQUEUE = {"BOOT_FAIL", "NODE_FAIL", "PREEMPTED"}
REQUEUE_TAKES = 60.0  # seconds
UNSTARTED = 5.0  # seconds until the end of a job that never ran is believed
NO_NODES = {"", "(null)", "None assigned"}
ABSENT = 5.0  # seconds out of the queue before the accounting is asked
LOST = 60.0  # seconds out of the queue, and unknown to the accounting, before a job counts as lost
SILENT = 900.0  # seconds out of the queue, where the accounting does not answer, or says that the job goes on

# Reasons to be pending that do not pass by waiting: what is asked for is not allowed, or a person holds the job.
STUCK = re.compile(
    "AccountNotAllowed|BadConstraints|DependencyNeverSatisfied|InvalidAccount|InvalidQOS|JobHeldAdmin|JobHeldUser|"
    "JobHoldMaxRequeue|MaxMemPerLimit|PartitionNodeLimit|PartitionTimeLimit|QOSNotAllowed|launch failed requeued held|"
    r"(QOS|Assoc)Max\w*Per(Job|Node)(Limit)?|QOSMin\w+"
)


@dataclass
class Memory:
    """Since when a job has been in what looks like its end, in seconds of a monotonic clock."""

    state: str = ""
    since: float = 0.0

    def note(self, state: str, now: float) -> float:
        """Take in the state seen now; return for how long it has been this one."""
        if state != self.state:
            self.state, self.since = state, now
        return now - self.since


def wants_accounting(seen: Sighting | None, absent: float) -> bool:
    """Return whether the accounting is to be asked: the queue has lost the job, for longer than a moment."""
    return seen is None and absent >= ABSENT


def ended(seen: Sighting, lasts: float, latency: float) -> bool:
    """Return whether a job that left no result is over; ``latency`` seconds is how late a file may be seen."""
    if seen.state not in FINAL:
        return False
    if seen.state in MAY_REQUEUE:
        return lasts >= REQUEUE_TAKES
    # Where it ran, a result may be under way, of a bundle's other commands too.
    return lasts >= (latency if has_run(seen) else min(latency, UNSTARTED))


def has_run(seen: Sighting) -> bool:
    """Return whether a job was ever given a node."""
    return seen.nodes not in NO_NODES


def lost(absent: float, is_unknown: bool) -> bool:
    """Return whether a job that is out of the queue is over; ``is_unknown``: the accounting does not know it either."""
    return absent >= (LOST if is_unknown else SILENT)


def describe(seen: Sighting) -> str:
    """Return what happened to a job, for a person."""
    what = FINAL.get(seen.state, "it is gone")
    facts = [seen.reason if seen.reason not in ("", "None") else ""]
    facts += [f"exit code {seen.exit_code}" if seen.exit_code not in ("", "0:0") else ""]
    facts += [f"ran {seen.elapsed} of {seen.limit}" if seen.elapsed else ""]
    facts += [f"on {seen.nodes}" if has_run(seen) else ""]
    about = ", ".join(fact for fact in facts if fact)
    return f"{seen.state}: {what}{f' ({about})' if about else ''}"
