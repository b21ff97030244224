"""What the executor reads from Snakemake's jobs and groups: names, files, resources; messages about failures."""

import hashlib
import json
import re
import shutil
import signal
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

from . import work
from .resources import Request, Site, request
from .slurm import JobStatus
from .states import describe

LAST_LINES = 30  # the last half is printed by the job's own Snakemake
OUT_OF_MEMORY = re.compile(r"exceeded (job )?memory limit|oom.kill|out of memory", re.IGNORECASE)
# How a job's Snakemake reports the exit status of the rule's command; its own exit status differs.
STATUS = re.compile(r"returned non-zero exit status (\d+)|died with <Signals\.\w+: (\d+)>")
KILLED = "killed by signal 9; if nobody did, the node ran out of memory: raise mem_mb"
CANCELLED = (
    "A cancelled job counts as failed and is tried again while retries are left; "
    "to stop the whole run, press Ctrl-C in Snakemake."
)


@dataclass(frozen=True)
class Ready:
    """A Snakemake job that is about to be submitted."""

    job: JobExecutorInterface
    rule: str
    command: work.Command
    request: Request
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    fingerprint: str
    """A digest of what determines what the job does."""
    rivals: frozenset[str] = frozenset()
    """Allocations of earlier runs that write the same files and have to end first."""


def parts(job: JobExecutorInterface) -> list:
    """Return a job, or the jobs of a group."""
    return list(job.jobs) if job.is_group() else [job]


def name_of(job: JobExecutorInterface) -> str:
    """Return the name of a job on the cluster: its rule or its group."""
    return job.name if not job.is_group() else str(job.groupid)


def outputs_of(job: JobExecutorInterface) -> tuple[str, ...]:
    """Return the files that a job makes, sorted."""
    return tuple(sorted(str(path) for part in parts(job) for path in part.output))


def inputs_of(job: JobExecutorInterface) -> tuple[str, ...]:
    """Return the files that a job reads and does not make itself, sorted."""
    return tuple(sorted({str(path) for part in parts(job) for path in part.input} - set(outputs_of(job))))


def prepare(job: JobExecutorInterface, token: str, shell: str, site: Site) -> Ready:
    """Return what is needed to submit a job. Raises ResourceError for invalid resources."""
    resources = dict(job.resources.items())
    if job.is_group():  # its resources are sums, which are meaningless for these two
        for name in ("bundle", "at_once"):
            resources |= {name: max(dict(part.resources.items()).get(name, 1) for part in parts(job))}
    contents = [
        (part.name, part.shellcmd, sorted(map(repr, part.params)), sorted(map(str, part.input))) for part in parts(job)
    ]
    return Ready(
        job=job,
        rule=name_of(job),
        command=work.Command(token, shell),
        request=request(name_of(job), job.threads, resources, site),
        inputs=inputs_of(job),
        outputs=outputs_of(job),
        fingerprint=_fingerprint(sorted(map(repr, contents)), outputs_of(job)),
    )


def _fingerprint(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()


def failure_of_command(result: dict, job: JobExecutorInterface, cluster_id: str, folder: Path, token: str) -> str:
    """Return the message for a command that ended in failure."""
    log = work.log_path(folder, token)
    status = _signed(result["status"])
    status = status if status < 0 else _status_of_rule(log) or status
    if result["note"]:
        how = result["note"]
    elif status < 0:
        how = KILLED if status == -signal.SIGKILL else f"killed by signal {-status}"
    else:
        how = f"exit status {status}"
    requeues = f", after {result['requeues']} requeues" if result["requeues"] else ""
    return _message(job, cluster_id, f"FAILED: {how} (on {result['node']}{requeues})", [log])


def failure_of_allocation(seen: JobStatus, job: JobExecutorInterface, cluster_id: str, folder: Path, token: str) -> str:
    """Return the message for a job whose allocation ended without a result for it."""
    logs = [work.log_path(folder, token), folder / f"{cluster_id}_0_log.out"]
    # If memory is polled and not limited by cgroups, SLURM reports only a failure.
    if seen.state == "FAILED" and any(OUT_OF_MEMORY.search(line) for line in _last_lines(logs[-1])):
        seen = replace(seen, state="OUT_OF_MEMORY")
    hints = [CANCELLED] if seen.state == "CANCELLED" else []
    if not any(map(_last_lines, logs)):
        hints.append(_no_log(folder))
    return _message(job, cluster_id, describe(seen), logs, hints)


def _no_log(folder: Path) -> str:
    """Return a hint for a job without any log."""
    try:
        free = f"{shutil.disk_usage(folder).free / 1e9:.1f} GB are free"
    except OSError as error:
        free = str(error)
    return f"Nothing was logged: is the disk or quota full? ({folder}: {free})"


def _message(job: JobExecutorInterface, cluster_id: str, what: str, logs: list[Path], hints: Iterable[str] = ()) -> str:
    wildcards = ", ".join(f"{key}={value}" for key, value in job.wildcards_dict.items()) if not job.is_group() else ""
    lines = [f"Rule {name_of(job)}{f' ({wildcards})' if wildcards else ''}, job {cluster_id}: {what}.", *hints]
    for log in logs:
        if last := _last_lines(log):
            lines += [f"Last lines of {log}:", *(f"    {line}" for line in last)]
    return "\n".join(lines) + "\n"


def _status_of_rule(log: Path) -> int:
    """Return the exit status of a rule's command, negative for a signal; 0 if the log does not show it."""
    found = [match for line in _last_lines(log) if (match := STATUS.search(line))]
    if not found:
        return 0
    return _signed(int(found[-1].group(1) or 0) or -int(found[-1].group(2)))


def _signed(status: int) -> int:
    """Return an exit status with signals as negative numbers, as in Python; a shell adds 128 to them."""
    return 128 - status if 128 < status <= 128 + signal.SIGRTMAX else status


def _last_lines(path: Path) -> list[str]:
    try:
        with path.open(errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, LAST_LINES)]
    except FileNotFoundError:
        return []
    except OSError as error:
        return [f"(cannot be read: {error})"]
