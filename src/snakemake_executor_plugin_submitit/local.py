"""Clusters without SLURM: processes of this machine, and Snakemake's own process for debugging."""
# ruff: noqa: D102 - Cluster documents the methods

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import psutil

from .base import Cluster, RefusedError, import_submitit
from .resources import Request
from .slurm import JobStatus
from .work import Work, group_lives

if TYPE_CHECKING:
    from submitit import LocalJob

CONTROLLER = "submitit.local._local"  # the module that submitit runs for each job, followed by the job's folder
REQUEUES = 5  # submitit's own limit for processes of this machine
RESULT_TAKES = 2.0  # seconds after the end of a job's process until it counts as having left no result
STOP_TAKES = 10.0  # seconds that processes of this machine have between SIGTERM and SIGKILL


@dataclass
class Local(Cluster):
    """Jobs in processes of this machine, each under a controller of submitit's that outlives Snakemake."""

    name: ClassVar[str] = "local"

    folder: Path
    jobs: dict[str, "LocalJob"] = field(default_factory=dict, init=False)
    gone_since: dict[str, float] = field(default_factory=dict, init=False)
    """When the processes of jobs were first seen to be gone."""
    gpu_users: dict[int, list[str]] = field(default_factory=lambda: {gpu: [] for gpu in _gpus_here()}, init=False)
    """The jobs on each GPU; some of them may have ended."""

    def submit(self, request: Request, works: list[Work], name: str, tag: str) -> list[str]:
        works = [replace(work, max_requeues=min(work.max_requeues, REQUEUES)) for work in works]
        return [self._submit(request, work) for work in works]

    def _submit(self, request: Request, work: Work) -> str:
        if request.gpus > len(self.gpu_users):
            found = f"this machine has {len(self.gpu_users)}, or CUDA_VISIBLE_DEVICES names no more by number"
            raise RefusedError(f"{request.gpus} GPUs are requested; {found}. Request fewer: --set-resources RULE:gpu=0")
        for users in self.gpu_users.values():
            users[:] = [job for job in users if self._runs(job)]
        gpus = sorted(self.gpu_users, key=lambda gpu: len(self.gpu_users[gpu]))[: request.gpus]
        executor = import_submitit().LocalExecutor(folder=self.folder, max_num_timeout=10**6)
        executor.update_parameters(
            timeout_min=request.minutes(len(work.commands)),
            signal_delay_s=request.signal_seconds_before_end(len(work.commands)),
            gpus_per_node=len(gpus),
            visible_gpus=gpus,
            stderr_to_stdout=True,
        )
        job = executor.submit(work)
        self.jobs[job.job_id] = job
        for gpu in gpus:
            self.gpu_users[gpu].append(job.job_id)
        return job.job_id

    def ended(self, ids: set[str]) -> dict[str, JobStatus]:
        now = time.monotonic()
        for key in ids:
            if self._runs(key):
                self.gone_since.pop(key, None)
            else:
                self.gone_since.setdefault(key, now)
        return {
            key: JobStatus("FAILED", "its process ended without a result; was it killed, or its time up?")
            for key in ids
            if now - self.gone_since.get(key, now) > RESULT_TAKES
        }

    def alive(self, runs: Iterable[str], ids: Iterable[str]) -> set[str]:
        folders = {str(self.folder.parent / run) for run in runs}
        found = {key for key in ids if self._runs(key)}
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or ()
            if CONTROLLER in words and folders & set(words):
                found.add(str(process.pid))
        return found

    def _runs(self, key: str) -> bool:
        if key in self.jobs:
            return not self.jobs[key].done()
        try:  # a process of an earlier run, whose id may have been reused
            words = psutil.Process(int(key)).cmdline()
        except psutil.Error:
            return False
        return CONTROLLER in words and any(Path(word).parent == self.folder.parent for word in words)

    def cancel(self, ids: Iterable[str]) -> None:
        for key in ids:
            if self._runs(key):
                with contextlib.suppress(ProcessLookupError):  # it may have ended in the meantime
                    os.kill(int(key), signal.SIGTERM)

    def cancel_run(self, run: str, ids: Iterable[str]) -> str:
        stop_groups(self.folder.parent / run)
        self.cancel(ids)
        return ""


@dataclass
class Debug(Cluster):
    """Jobs run one after another inside Snakemake's own process, during their submission."""

    name: ClassVar[str] = "debug"
    blocks: ClassVar[bool] = True

    folder: Path

    def submit(self, request: Request, works: list[Work], name: str, tag: str) -> list[str]:
        for work in works:
            import_submitit().DebugExecutor(folder=self.folder).submit(work).submission().result()
        return [work.commands[0].token for work in works]

    def ended(self, ids: set[str]) -> dict[str, JobStatus]:
        return {key: JobStatus("FAILED", "it ended without a result") for key in ids}

    def cancel_run(self, run: str, ids: Iterable[str]) -> str:
        stop_groups(self.folder)
        return ""


def stop_groups(folder: Path) -> None:
    """Stop the commands of a run on this machine: SIGTERM, then SIGKILL for those that do not end."""
    groups = []
    for path in folder.glob("*.group"):
        with contextlib.suppress(FileNotFoundError):  # its command has just ended
            groups.append(int(path.read_text() or 0))
    for number, patience in ((signal.SIGTERM, STOP_TAKES), (signal.SIGKILL, 1.0)):
        end = time.monotonic() + patience
        groups = [group for group in groups if group and _signal(group, number)]
        while groups and time.monotonic() < end:
            time.sleep(0.1)
            groups = [group for group in groups if group_lives(group)]


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
