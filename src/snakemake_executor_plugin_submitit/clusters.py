"""Where jobs run: on SLURM, in processes of this machine, or inside Snakemake to look for errors. One interface."""

import contextlib
import logging
import os
import re
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar, Protocol

import psutil
from snakemake_interface_common.exceptions import WorkflowError

from . import slurm, states
from .resources import Request
from .slurm import Sighting
from .watch import Watch
from .work import Work

if TYPE_CHECKING:
    from submitit import LocalJob

# A controller that is busy, restarting or down, and limits on jobs in the queue: all pass. What sbatch says otherwise
# is about the job.
PASSES = re.compile(
    r"timed out|unable to contact|connection refused|communication connection failure|temporarily|try again|"
    r"standby mode|slurm controller|is DOWN|Zero Bytes|Protocol authentication error",
    re.IGNORECASE,
)
FULL = re.compile(r"SubmitJob")  # AssocMaxSubmitJobLimit, QOSMaxSubmitJobPerUserLimit, AssocGrpSubmitJobsLimit, …
LATE = 600.0  # seconds after which no answer to a submission is still on its way
LOCAL_REQUEUES = 5  # submitit's own limit for processes of this machine
STOP_TAKES = 10.0  # seconds that processes of this machine have between SIGTERM and SIGKILL


class BusyError(RuntimeError):
    """The cluster takes no jobs just now; the same submission may succeed later."""


class FullError(BusyError):
    """A limit on a user's jobs in the queue: fewer may be taken now, and others of another account."""


class RefusedError(RuntimeError):
    """The cluster does not take these jobs, and will not."""


class Cluster(Protocol):
    """What the executor asks of a place where jobs run."""

    blocks: ClassVar[bool]
    """Whether jobs are over when their submission is: only what ends them lets it return."""

    def submit(self, request: Request, works: list[Work], name: str, tag: str) -> list[str]:
        """Submit works that ask for the same, marked with a tag; return an id each. Raises the errors above."""

    def ended(self, ids: set[str]) -> dict[str, Sighting]:
        """Return the jobs that are over, with what is known of their end."""

    def alive(self, runs: Iterable[str], ids: Iterable[str]) -> set[str] | None:
        """Return the jobs that wait or run, of runs and of ids; None where the cluster does not answer."""

    def cancel(self, ids: Iterable[str]) -> None:
        """Cancel jobs, or try to; those that are gone do no harm."""

    def cancel_run(self, run: str, ids: Iterable[str]) -> str:
        """Cancel jobs, and those of a run whose id was not yet known, with patience; return what went wrong."""


@dataclass
class Slurm:
    """Jobs of a SLURM cluster, as arrays."""

    blocks: ClassVar[bool] = False

    folder: Path
    parallel: int
    """How many members of an array may run at once."""
    watch: Watch
    doubtful: dict[str, float] = field(default_factory=dict)
    """Tags of submissions that failed, and when: the answer may have been lost, or be late, and the jobs be there."""
    absent_since: dict[str, float] = field(default_factory=dict)
    """When jobs of earlier runs were first not in the queue."""

    def submit(self, request: Request, works: list[Work], name: str, tag: str) -> list[str]:
        """See Cluster."""
        self._withdraw()
        executor = _submitit().SlurmExecutor(folder=self.folder, max_num_timeout=10**6)  # Work counts by itself
        executor.update_parameters(**request.options(len(works[0].commands), name, tag, self.parallel))
        slurm.CALLS["sbatch"] += 1
        try:
            return [job.job_id for job in executor.submit_array(works)]
        except Exception as error:
            for path in (*self.folder.glob(f"{'[0-9a-f]' * 32}.pkl"), *self.folder.glob(".submission_file_*.sh")):
                path.unlink(missing_ok=True)
            kind = FullError if FULL.search(str(error)) else BusyError if PASSES.search(str(error)) else RefusedError
            if kind is not FullError:
                self.doubtful[tag] = time.monotonic()
                with contextlib.suppress(BusyError):
                    self._withdraw()
            raise kind(" ".join(str(error).split())) from None

    def _withdraw(self) -> None:
        """Cancel what failed submissions have left in the queue. Raises BusyError until it is known to have ended."""
        now = time.monotonic()
        self.doubtful = {tag: when for tag, when in self.doubtful.items() if now - when < LATE}
        if not self.doubtful:
            return
        table = slurm.queue()
        if table is None:
            raise BusyError("squeue does not answer, after an sbatch that may have been heard")
        if left := {
            key.split("_")[0] for key, seen in table.items() if seen.comment in self.doubtful and _goes_on(seen)
        }:
            slurm.cancel(left)
            raise BusyError(f"{' '.join(left)} has not ended, whose sbatch was reported as failed")

    def ended(self, ids: set[str]) -> dict[str, Sighting]:
        """See Cluster."""
        return self.watch.ended(ids, time.monotonic())

    def alive(self, runs: Iterable[str], ids: Iterable[str]) -> set[str] | None:
        """See Cluster."""
        table, marks, ids = slurm.queue(), tuple(f"{run}/" for run in runs), set(ids)
        if table is None:
            return None
        now = time.monotonic()
        self.absent_since = {key: since for key, since in self.absent_since.items() if key not in table}
        absent = {key: self.absent_since.setdefault(key, now) for key in ids - table.keys()}
        # A controller that starts knows no job for a moment; an accounting may have missed a job's end for ever.
        if missing := {key for key, since in absent.items() if now - since < states.SILENT}:
            accounts = slurm.accounts(sorted(missing)) or {}
            # One that may be requeued is in the queue if it is.
            table |= {key: seen for key, seen in accounts.items() if seen.state not in states.FINAL}
        return {key for key, seen in table.items() if (key in ids or seen.comment.startswith(marks)) and _goes_on(seen)}

    def cancel(self, ids: Iterable[str]) -> None:
        """See Cluster."""
        slurm.cancel(ids)

    def cancel_run(self, run: str, ids: Iterable[str]) -> str:
        """See Cluster."""
        answer, ids = slurm.Answer(True, ""), list(ids)
        for _ in range(6):  # a controller that restarts is back in less
            table = slurm.queue()
            unknown = [key for key, seen in (table or {}).items() if seen.comment.startswith(f"{run}/")]
            arrays = sorted({key.split("_")[0] for key in unknown})
            answer = slurm.cancel(sorted(set(ids) - set(unknown)) + arrays)
            if answer.ok and table is not None:
                return ""
            time.sleep(10)
        return f"{answer.text}; cancel them by hand: scancel {' '.join(ids)}"


def _goes_on(seen: Sighting) -> bool:
    return seen.state not in states.FINAL or seen.state in states.MAY_REQUEUE


@dataclass
class Local:
    """Jobs in processes of this machine, each under a controller of submitit's that outlives Snakemake."""

    folder: Path
    jobs: dict[str, "LocalJob"] = field(default_factory=dict)
    gone_since: dict[str, float] = field(default_factory=dict)
    blocks: ClassVar[bool] = False
    gpu_users: dict[int, list[str]] = field(default_factory=lambda: {gpu: [] for gpu in _gpus_here()})

    def submit(self, request: Request, works: list[Work], name: str, tag: str) -> list[str]:
        """See Cluster."""
        works = [replace(work, max_requeues=min(work.max_requeues, LOCAL_REQUEUES)) for work in works]
        return [self._submit(request, work) for work in works]

    def _submit(self, request: Request, work: Work) -> str:
        if request.gpus > len(self.gpu_users):
            found = f"this machine has {len(self.gpu_users)}, or CUDA_VISIBLE_DEVICES names no more by number"
            raise RefusedError(f"{request.gpus} GPUs are asked for; {found}. Ask for fewer: --set-resources RULE:gpu=0")
        for users in self.gpu_users.values():
            users[:] = [job for job in users if self._runs(job)]
        gpus = sorted(self.gpu_users, key=lambda gpu: len(self.gpu_users[gpu]))[: request.gpus]
        executor = _submitit().LocalExecutor(folder=self.folder, max_num_timeout=10**6)
        minutes = request.minutes(len(work.commands))
        delay = request.warning(len(work.commands))
        executor.update_parameters(
            timeout_min=minutes, signal_delay_s=delay, gpus_per_node=len(gpus), visible_gpus=gpus, stderr_to_stdout=True
        )
        job = executor.submit(work)
        self.jobs[job.job_id] = job
        for gpu in gpus:
            self.gpu_users[gpu].append(job.job_id)
        return job.job_id

    def ended(self, ids: set[str]) -> dict[str, Sighting]:
        """See Cluster."""
        now = time.monotonic()
        for key in ids:
            if self._runs(key):
                self.gone_since.pop(key, None)
            else:
                self.gone_since.setdefault(key, now)
        return {
            key: Sighting("FAILED", "its process ended without a result; was it killed, or its time up?")
            for key in ids
            if now - self.gone_since.get(key, now) > 2
        }

    def alive(self, runs: Iterable[str], ids: Iterable[str]) -> set[str]:
        """See Cluster."""
        folders = {str(self.folder.parent / run) for run in runs}
        found = set()
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or ()
            if "submitit.local._local" in words and folders & set(words):
                found.add(str(process.pid))
        return found

    def _runs(self, key: str) -> bool:
        if key in self.jobs:
            return not self.jobs[key].done()
        try:  # a process of an earlier run; an id may have been given away again
            return any("submitit.local" in word for word in psutil.Process(int(key)).cmdline())
        except psutil.Error:
            return False

    def cancel(self, ids: Iterable[str]) -> None:
        """See Cluster."""
        for key in ids:
            if self._runs(key):
                os.kill(int(key), signal.SIGTERM)

    def cancel_run(self, run: str, ids: Iterable[str]) -> str:
        """See Cluster."""
        stop_groups(self.folder.parent / run)
        self.cancel(ids)
        return ""


@dataclass
class Debug:
    """Jobs run one after another inside Snakemake's own process, while they are submitted."""

    folder: Path
    blocks: ClassVar[bool] = True

    def submit(self, request: Request, works: list[Work], name: str, tag: str) -> list[str]:
        """See Cluster."""
        for work in works:
            _submitit().DebugExecutor(folder=self.folder).submit(work).submission().result()
        return [work.commands[0].token for work in works]

    def ended(self, ids: set[str]) -> dict[str, Sighting]:
        """See Cluster."""
        return {key: Sighting("FAILED", "it ended without a result") for key in ids}

    def alive(self, runs: Iterable[str], ids: Iterable[str]) -> set[str]:
        """See Cluster."""
        return set()

    def cancel(self, ids: Iterable[str]) -> None:
        """See Cluster."""

    def cancel_run(self, run: str, ids: Iterable[str]) -> str:
        """See Cluster."""
        stop_groups(self.folder)
        return ""


def stop_groups(folder: Path) -> None:
    """End the commands that run on this machine for a run: SIGTERM, and SIGKILL to those that do not heed it."""
    groups = []
    for path in folder.glob("*.group"):
        with contextlib.suppress(FileNotFoundError):  # its command has just ended
            groups.append(int(path.read_text() or 0))
    for number, patience in ((signal.SIGTERM, STOP_TAKES), (signal.SIGKILL, 1.0)):
        end = time.monotonic() + patience
        groups = [group for group in groups if group and _signal(group, number)]
        while groups and time.monotonic() < end:
            time.sleep(0.1)
            groups = [group for group in groups if _signal(group, 0)]


def _signal(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _gpus_here() -> list[int]:
    """Return the GPUs that jobs of this machine may use."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [int(gpu) for gpu in visible.split(",") if gpu.strip().isdigit()]
    return sorted(int(path.name.removeprefix("nvidia")) for path in Path("/dev").glob("nvidia[0-9]*"))


def _submitit() -> ModuleType:
    """Return submitit. Imported late: Snakemake imports the plugins of all executors, used or not."""
    try:
        import submitit
    except ModuleNotFoundError:
        raise WorkflowError(
            "the package submitit, by which jobs are submitted, is missing: pip install submitit"
        ) from None
    logging.getLogger("submitit").handlers.clear()  # it prints warnings to stdout; what matters is said here
    return submitit


def _check_slurm() -> None:
    """Raise WorkflowError where there is no SLURM, or jobs would go to a cluster that is not the one looked at."""
    if not slurm.is_installed():
        raise WorkflowError("SLURM's commands are not found on this machine; a login node of the cluster has them")
    if elsewhere := {"SBATCH_CLUSTERS", "SLURM_CLUSTERS"} & os.environ.keys():
        raise WorkflowError(f"{elsewhere.pop()} is set; unset it, and start Snakemake on a login node of that cluster")


def choose(name: str, folder: Path, parallel: int, watch: Watch) -> Cluster:
    """Return the cluster of a name; ``auto`` is SLURM where it is configured, else this machine."""
    _submitit()  # missing, it is to be named here and not at the first submission
    if name == "auto":
        name = "slurm" if slurm.is_configured() else "local"
    if name == "slurm":
        _check_slurm()
    kinds = {
        "slurm": lambda: Slurm(folder, parallel, watch),
        "local": lambda: Local(folder),
        "debug": lambda: Debug(folder),
    }
    if name not in kinds:
        raise WorkflowError(f"--submitit-cluster is {name!r}; slurm, local, debug or auto is needed")
    return kinds[name]()
