"""SLURM's commands: few calls, none of which waits for ever, and None where no answer came."""

import os
import pwd
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

TIMEOUT = 60  # seconds
TEXT = {"text": True, "errors": "replace"}  # comments and names are whatever their users have typed
# What scontrol says where SLURM is installed and no cluster configured.
UNCONFIGURED = re.compile(r"configuration (source|file)|slurm\.conf", re.IGNORECASE)
CALLS: Counter = Counter()
"""How often each command was called, for the log."""


@dataclass(frozen=True)
class Sighting:
    """What SLURM says of a job."""

    state: str
    """In capitals, as in squeue: RUNNING, TIMEOUT, …"""
    reason: str = ""
    nodes: str = ""
    comment: str = ""
    exit_code: str = ""
    """Exit status and signal, as in sacct: 1:0."""
    elapsed: str = ""
    limit: str = ""


@dataclass(frozen=True)
class Answer:
    """What came of a call."""

    ok: bool
    text: str


def call(*command: str) -> Answer:
    """Run a command and return what it printed; one that is missing, fails or does not answer is not ok."""
    CALLS[command[0]] += 1
    try:
        run = subprocess.run(command, capture_output=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL, **TEXT)
    except subprocess.TimeoutExpired:
        return Answer(False, f"{command[0]} did not answer within {TIMEOUT} seconds")
    except OSError as error:
        return Answer(False, str(error))
    return Answer(run.returncode == 0, run.stdout if run.returncode == 0 else run.stderr.strip() or run.stdout.strip())


def is_configured() -> bool:
    """Return whether this machine belongs to a cluster, be its controller up, down or too busy to answer just now."""
    if not is_installed():
        return False
    answer = call("scontrol", "ping")
    return answer.ok or not UNCONFIGURED.search(answer.text)


def is_installed() -> bool:
    """Return whether SLURM's commands are found."""
    return shutil.which("scontrol") is not None


def largest_array() -> int:
    """Return how many members an array may have; SLURM's own default where it does not say."""
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", call("scontrol", "show", "config").text, flags=re.MULTILINE)
    return int(found.group(1)) if found else 1001


def queue() -> dict[str, Sighting] | None:
    """Return this user's jobs by id, those that ended in the last minutes too; None where SLURM does not answer."""
    # --all: those in hidden partitions too, which would otherwise look as if they were gone.
    options = ["--noheader", "--all", "--array", "--states=all", "--user", str(os.getuid())]
    answer = call("squeue", *options, "-o", "%i|%T|%r|%N|%k")
    if not answer.ok:
        return None
    rows = (line.split("|", 4) for line in answer.text.splitlines() if line.count("|") >= 4)
    return {key: Sighting(state, reason, nodes, comment) for key, state, reason, nodes, comment in rows}


def accounts(ids: Iterable[str]) -> dict[str, Sighting] | None:
    """Return what the accounting says of jobs, by id; None where it does not answer, nothing where there is none."""
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
        found[key] = Sighting(state.split()[0], reason, nodes, "", exit_code, elapsed, limit)
    return found


def cancel(ids: Iterable[str]) -> Answer:
    """Cancel jobs; ids that are gone do no harm."""
    ids, answer = list(ids), Answer(True, "")
    for first in range(0, len(ids), 100):  # a command line holds only so many
        part = call("scancel", *ids[first : first + 100])
        answer = answer if part.ok else part
    return answer


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
