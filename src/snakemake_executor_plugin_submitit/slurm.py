"""Calls of SLURM's commands, each with a timeout; the result is None if SLURM does not answer."""

import os
import pwd
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

TIMEOUT = 60  # seconds
MOST_IDS = 10  # in one message
TEXT = {"text": True, "errors": "replace"}  # comments and job names may hold any bytes
# What scontrol prints if SLURM is installed but no cluster is configured.
UNCONFIGURED = re.compile(r"configuration (source|file)|slurm\.conf", re.IGNORECASE)
CALLS: Counter = Counter()
"""How often each command was called, for the log."""
LAST_ERRORS: dict[str, str] = {}
"""First line of the last error of each command."""


@dataclass(frozen=True)
class JobStatus:
    """What SLURM reports about a job."""

    state: str
    """In capitals, as in squeue: RUNNING, TIMEOUT, …"""
    reason: str = ""
    nodes: str = ""
    submitted: str = ""
    """When it was submitted or, later, requeued."""
    comment: str = ""
    exit_code: str = ""
    """Exit status and signal, as in sacct: 1:0."""
    elapsed: str = ""
    limit: str = ""


@dataclass(frozen=True)
class Answer:
    """The result of a call."""

    ok: bool
    text: str


def call(*command: str) -> Answer:
    """Run a command and return its output; `ok` is False if it is missing, fails or does not answer in time."""
    CALLS[command[0]] += 1
    try:
        run = subprocess.run(command, capture_output=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL, **TEXT)
    except subprocess.TimeoutExpired:
        text = f"{command[0]} did not answer within {TIMEOUT} seconds"
    except OSError as error:
        text = str(error)
    else:
        if run.returncode == 0:
            return Answer(True, run.stdout)
        text = run.stderr.strip() or run.stdout.strip()
    LAST_ERRORS[command[0]] = text.partition("\n")[0]
    return Answer(False, text)


def is_configured() -> bool:
    """Return whether this machine belongs to a cluster, whatever the state of its controller."""
    if not is_installed():
        return False
    answer = call("scontrol", "ping")
    return answer.ok or not UNCONFIGURED.search(answer.text)


def is_installed() -> bool:
    """Return whether SLURM's commands are on the path."""
    return shutil.which("scontrol") is not None


def largest_array() -> int:
    """Return the largest number of members of an array; SLURM's default if it does not answer."""
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", call("scontrol", "show", "config").text, flags=re.MULTILINE)
    return int(found.group(1)) if found else 1001


def array_of(job: str) -> str:
    """Return the id of the array that a job is a member of; the job's own id if it is in none."""
    return job.split("_")[0]


def shortened(ids: Iterable[str]) -> str:
    """Return the ids of jobs for a message, at most MOST_IDS of them."""
    ids = sorted(ids)
    more = f" and {len(ids) - MOST_IDS} more" if len(ids) > MOST_IDS else ""
    return f"{' '.join(ids[:MOST_IDS])}{more}"


def queue() -> dict[str, JobStatus] | None:
    """Return this user's jobs by id, including those that ended in the last minutes; None if SLURM does not answer."""
    # --all: jobs in hidden partitions would otherwise seem to be gone.
    options = ["--noheader", "--all", "--array", "--states=all", "--user", str(os.getuid())]
    answer = call("squeue", *options, "-o", "%i|%T|%r|%N|%V|%k")
    if not answer.ok:
        return None
    rows = (line.split("|", 5) for line in answer.text.splitlines() if line.count("|") >= 5)
    return {key: JobStatus(*status) for key, *status in rows}


def accounts(ids: Iterable[str]) -> dict[str, JobStatus] | None:
    """Return what the accounting reports, by job id; None if it does not answer, an empty dict if there is none."""
    fields = "JobID,State,ExitCode,Reason,NodeList,Elapsed,Timelimit"
    answer = call("sacct", "--noheader", "--parsable2", "--allocations", "--jobs", ",".join(ids), "--format", fields)
    if not answer.ok:
        return {} if "accounting storage is disabled" in answer.text else None
    found = {}
    for line in answer.text.splitlines():
        if line.count("|") != fields.count(","):
            continue
        key, state, exit_code, reason, nodes, elapsed, limit = line.split("|")
        who = re.fullmatch(r"CANCELLED by (\d+)", state)
        reason = f"cancelled by user {_user(int(who.group(1)))}" if who else reason
        found[key] = JobStatus(state.split()[0], reason, nodes, exit_code=exit_code, elapsed=elapsed, limit=limit)
    return found


def cancel(ids: Iterable[str]) -> Answer:
    """Cancel jobs; ids of jobs that have ended are ignored."""
    ids, answer = list(ids), Answer(True, "")
    for first in range(0, len(ids), 100):  # the length of a command line is limited
        part = call("scancel", *ids[first : first + 100])
        answer = answer if part.ok else part
    return answer


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
