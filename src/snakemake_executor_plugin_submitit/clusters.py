"""Jobs on SLURM, and the choice of the cluster."""
# ruff: noqa: D102 - Cluster documents the methods

import contextlib
import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from snakemake_interface_common.exceptions import WorkflowError

from . import slurm, states
from .base import BusyError, Cluster, FullError, RefusedError, import_submitit
from .local import Debug, Local
from .monitor import JobMonitor
from .resources import Request
from .slurm import JobStatus
from .work import Work

# A controller that is busy, restarting or down. Any other error of sbatch is about the job itself.
TRANSIENT = re.compile(
    r"timed out|unable to contact|connection refused|communication connection failure|temporarily|try again|"
    r"standby mode|slurm controller|is DOWN|Zero Bytes|Protocol authentication error",
    re.IGNORECASE,
)
FULL = re.compile(r"SubmitJob")  # AssocMaxSubmitJobLimit, QOSMaxSubmitJobPerUserLimit, AssocGrpSubmitJobsLimit, …
LATE = 600.0  # seconds after which a submission that has failed cannot appear in the queue any more
CANCEL_TRIES, CANCEL_PAUSE = 7, 10.0  # seconds; a controller that restarts is back within a minute


@dataclass
class Slurm(Cluster):
    """Jobs of a SLURM cluster, submitted as arrays."""

    name: ClassVar[str] = "slurm"

    folder: Path
    parallel: int
    """How many members of an array may run at the same time."""
    monitor: JobMonitor
    doubtful: dict[str, float] = field(default_factory=dict, init=False)
    """Tags of failed submissions and their times: their jobs may exist, if sbatch's answer was lost or is late."""
    absent_since: dict[str, float] = field(default_factory=dict, init=False)
    """When jobs of earlier runs were first missing from the queue."""

    def submit(self, request: Request, works: list[Work], name: str, tag: str) -> list[str]:
        self._withdraw()
        executor = import_submitit().SlurmExecutor(folder=self.folder, max_num_timeout=10**6)  # Work counts requeues
        executor.update_parameters(**request.options(len(works[0].commands), name, tag, self.parallel))
        slurm.CALLS["sbatch"] += 1
        try:
            return [job.job_id for job in executor.submit_array(works)]
        except Exception as error:
            # submitit's files for this submission; those of earlier ones have other names.
            for path in (*self.folder.glob(f"{'[0-9a-f]' * 32}.pkl"), *self.folder.glob(".submission_file_*.sh")):
                path.unlink(missing_ok=True)
            kind = _kind_of_error(str(error))
            if kind is not FullError:
                self.doubtful[tag] = time.monotonic()
                with contextlib.suppress(BusyError):
                    self._withdraw()
            raise kind(" ".join(str(error).split())) from None

    def _withdraw(self) -> None:
        """Cancel jobs of failed submissions that are in the queue. Raises BusyError until all of them have ended."""
        now = time.monotonic()
        self.doubtful = {tag: when for tag, when in self.doubtful.items() if now - when < LATE}
        if not self.doubtful:
            return
        table = slurm.queue()
        if table is None:
            raise BusyError("squeue does not answer, after a failed sbatch whose jobs may exist")
        alive = (key for key, seen in table.items() if seen.comment in self.doubtful and _is_alive(seen))
        if left := sorted(set(map(slurm.array_of, alive))):
            slurm.cancel(left)
            raise BusyError(f"{' '.join(left)} has not ended, whose sbatch was reported as failed")

    def largest_array(self) -> int:
        return slurm.largest_array()

    def ended(self, ids: set[str]) -> dict[str, JobStatus]:
        return self.monitor.ended(ids)

    def alive(self, runs: Iterable[str], ids: Iterable[str]) -> set[str] | None:
        table, marks, ids = slurm.queue(), tuple(f"{run}/" for run in runs), set(ids)
        if table is None:
            return None
        now = time.monotonic()
        self.absent_since = {key: since for key, since in self.absent_since.items() if key not in table}
        absent = {key: self.absent_since.setdefault(key, now) for key in ids - table.keys()}
        # A controller that has just started knows no jobs yet; an accounting may never learn of a job's end.
        if missing := {key for key, since in absent.items() if now - since < states.SILENT}:
            accounts = slurm.accounts(sorted(missing)) or {}
            # A job that is to be requeued would be in the queue, so every final state counts as ended here.
            table |= {key: seen for key, seen in accounts.items() if seen.state not in states.FINAL}
        return {
            key for key, seen in table.items() if (key in ids or seen.comment.startswith(marks)) and _is_alive(seen)
        }

    def cancel(self, ids: Iterable[str]) -> None:
        slurm.cancel(ids)

    def cancel_run(self, run: str, ids: Iterable[str]) -> str:
        answer, ids = slurm.Answer(True, ""), sorted(ids)
        for attempt in range(CANCEL_TRIES):
            table = slurm.queue()
            marked = [key for key, seen in (table or {}).items() if seen.comment.startswith(f"{run}/")]
            arrays = set(map(slurm.array_of, marked))  # one id in place of those of all members
            answer = slurm.cancel(sorted(set(ids) - set(marked) | arrays))
            if answer.ok and table is not None:
                return ""
            if attempt == 0:
                self.monitor.warn(f"SLURM does not answer; trying for a minute to cancel {len(ids)} jobs")
            if attempt < CANCEL_TRIES - 1:
                time.sleep(CANCEL_PAUSE)
        why = answer.text or slurm.LAST_ERRORS.get("squeue", "")
        by_hand = f"scancel {' '.join(ids)}" if ids else f"scancel those whose comment in squeue begins with {run}/"
        return f"{why}; cancel them by hand: {by_hand}"


def _kind_of_error(text: str) -> type[BusyError | RefusedError]:
    if FULL.search(text):
        return FullError
    return BusyError if TRANSIENT.search(text) else RefusedError


def _is_alive(seen: JobStatus) -> bool:
    return seen.state not in states.FINAL or seen.state in states.MAY_REQUEUE


def _check_slurm() -> None:
    """Raise WorkflowError if there is no SLURM, or if sbatch would use another cluster than squeue."""
    if not slurm.is_installed():
        raise WorkflowError("SLURM's commands are not found on this machine; a login node of the cluster has them")
    if not slurm.is_configured():
        reason = slurm.LAST_ERRORS["scontrol"]
        raise WorkflowError(f"this machine belongs to no SLURM cluster ({reason}); a login node of the cluster does")
    if elsewhere := {"SBATCH_CLUSTERS", "SLURM_CLUSTERS"} & os.environ.keys():
        raise WorkflowError(f"{elsewhere.pop()} is set; unset it, and start Snakemake on a login node of that cluster")


def choose(name: str, folder: Path, parallel: int, monitor: JobMonitor) -> Cluster:
    """Return the cluster of a name; `auto` is SLURM if it is configured, else this machine."""
    if name not in ("slurm", "local", "debug", "auto"):
        raise WorkflowError(f"--submitit-cluster is {name!r}; slurm, local, debug or auto is needed")
    import_submitit()  # if it is missing, fail here and not at the first submission
    if name == "auto":
        name = "slurm" if slurm.is_configured() else "local"
    if name == "slurm":
        _check_slurm()
        return Slurm(folder, parallel, monitor)
    return Local(folder) if name == "local" else Debug(folder)
