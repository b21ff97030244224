"""What the executor asks of Snakemake's jobs, single or in groups: names, files, resources, and words for a person."""

import re
import signal
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

from . import work
from .resources import Request, Site, request
from .runs import fingerprint
from .slurm import Sighting
from .states import describe

LAST_LINES = 30  # half of which are what a job's own Snakemake says last
OUT_OF_MEMORY = re.compile(r"exceeded (job )?memory limit|oom.kill|out of memory", re.IGNORECASE)
# What a job's Snakemake says of the command of its rule, and keeps from its own exit status.
STATUS = re.compile(r"returned non-zero exit status (\d+)|died with <Signals\.\w+: (\d+)>")
KILLED = "killed by signal 9; if nobody did, the node ran out of memory: raise mem_mb"


@dataclass(frozen=True)
class Ready:
    """A job of Snakemake's on its way to the cluster."""

    job: JobExecutorInterface
    rule: str
    command: work.Command
    request: Request
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    fingerprint: str
    rivals: frozenset[str] = frozenset()
    """Allocations of earlier runs that write the same files, and have to end first."""


def parts(job: JobExecutorInterface) -> list:
    """Return a job, or the jobs of a group."""
    return list(job.jobs) if job.is_group() else [job]


def name_of(job: JobExecutorInterface) -> str:
    """Return what the cluster calls a job: its rule, or its group."""
    return job.name if not job.is_group() else str(job.groupid)


def outputs_of(job: JobExecutorInterface) -> tuple[str, ...]:
    """Return the files that a job makes, in order."""
    return tuple(sorted(str(path) for part in parts(job) for path in part.output))


def inputs_of(job: JobExecutorInterface) -> tuple[str, ...]:
    """Return the files that a job reads and does not make itself, in order."""
    return tuple(sorted({str(path) for part in parts(job) for path in part.input} - set(outputs_of(job))))


def prepare(job: JobExecutorInterface, token: str, shell: str, site: Site) -> Ready:
    """Describe a job. Raises ResourceError for resources that cannot be asked of the cluster."""
    resources = dict(job.resources.items())
    if job.is_group():  # whose resources are sums; of these, sums mean nothing
        for name in ("bundle", "at_once"):
            resources |= {name: max(dict(part.resources.items()).get(name, 1) for part in parts(job))}
    about = [
        (part.name, part.shellcmd, sorted(map(repr, part.params)), sorted(map(str, part.input))) for part in parts(job)
    ]
    return Ready(
        job=job,
        rule=name_of(job),
        command=work.Command(token, shell),
        request=request(name_of(job), job.threads, resources, site),
        inputs=inputs_of(job),
        outputs=outputs_of(job),
        fingerprint=fingerprint(sorted(map(repr, about)), outputs_of(job)),
    )


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


def failure_of_allocation(seen: Sighting, job: JobExecutorInterface, cluster_id: str, folder: Path, token: str) -> str:
    """Return the message for a job whose allocation ended without a result of it."""
    logs = [work.log_path(folder, token), folder / f"{cluster_id}_0_log.out"]
    # Where memory is watched and not limited, SLURM calls this a plain failure.
    if seen.state == "FAILED" and any(OUT_OF_MEMORY.search(line) for line in _last_lines(logs[-1])):
        seen = replace(seen, state="OUT_OF_MEMORY")
    return _message(job, cluster_id, describe(seen), logs)


def _message(job: JobExecutorInterface, cluster_id: str, what: str, logs: list[Path]) -> str:
    wildcards = ", ".join(f"{key}={value}" for key, value in job.wildcards_dict.items()) if not job.is_group() else ""
    lines = [f"Rule {name_of(job)}{f' ({wildcards})' if wildcards else ''}, job {cluster_id}: {what}."]
    for log in logs:
        if last := _last_lines(log):
            lines += [f"Last lines of {log}:", *(f"    {line}" for line in last)]
    return "\n".join(lines) + "\n"


def _status_of_rule(log: Path) -> int:
    """Return the exit status of a rule's command, negative for a signal; 0 where the log does not tell."""
    found = [match for line in _last_lines(log) if (match := STATUS.search(line))]
    if not found:
        return 0
    return _signed(int(found[-1].group(1) or 0) or -int(found[-1].group(2)))


def _signed(status: int) -> int:
    """Return a status with a signal as a negative number, as Python has it, where a shell adds 128."""
    return 128 - status if 128 < status <= 128 + signal.SIGRTMAX else status


def _last_lines(path: Path) -> list[str]:
    try:
        with path.open(errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, LAST_LINES)]
    except FileNotFoundError:
        return []
