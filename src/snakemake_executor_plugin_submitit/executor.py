"""The executor: jobs that are ready go to the cluster in arrays, and what becomes of them goes back to Snakemake."""

import itertools
import os
import queue
import signal
import threading
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

from . import clusters, jobs, runs, slurm
from .jobs import Ready
from .reattach import Earlier
from .resources import Request, ResourceError, Site, check_names
from .work import Work

POLL = 2.0  # seconds between looks at result files; SLURM itself is asked as seldom as Snakemake is told to
LONGEST_WAIT = 60.0  # seconds between submissions to a cluster that takes no jobs


class Executor(RemoteExecutor):
    """What Snakemake calls. A thread submits, so that a busy controller keeps nobody waiting; Snakemake's own watches."""

    # Snakemake's watching thread starts before __post_init__ has run.
    cluster: clusters.Cluster | None = None

    def __post_init__(self) -> None:
        """Begin a run, and look for jobs of earlier ones."""
        settings = self.workflow.executor_settings
        remote = self.workflow.remote_execution_settings
        _forget_allocation()
        self.site = Site(
            account=settings.account or None,
            partition=settings.partition or None,
            gpu_partition=settings.gpu_partition or None,
            signal_delay=settings.signal_delay,
            setup=(settings.setup,) if settings.setup else (),
        )
        self._check_rules()
        self.workdir = str(self.workflow.workdir_init)
        home = Path(self.workdir, ".snakemake", "submitit")
        earlier_runs = runs.earlier(home)
        self.run_ = runs.Run.start(home)
        interval, latency = remote.seconds_between_status_checks, self.workflow.execution_settings.latency_wait
        choice = (settings.cluster, self.run_.folder, settings.array_parallelism)
        cluster = clusters.choose(*choice, interval, latency, self.logger.warning)
        self.cluster_name = type(cluster).__name__.lower()
        on_slurm = self.cluster_name == "slurm"
        self.array_limit = min(settings.array_limit, slurm.largest_array()) if on_slurm else settings.array_limit
        self.earlier = Earlier.find(earlier_runs, self.cluster_name, cluster, self.logger)
        self.numbers, self.submissions = itertools.count(1), itertools.count(1)
        self.members: dict[str, set[str]] = {}  # of allocations: the tokens whose end is not yet known
        self.failed: set[str] = set()  # allocations with a member that failed
        self.ready: queue.SimpleQueue[Ready] = queue.SimpleQueue()
        self.stopping, self.submitting = threading.Event(), threading.Lock()
        self.next_seconds_between_status_checks = min(POLL, interval)
        self.cluster = cluster
        threading.Thread(target=self._submit_for_ever, daemon=True).start()

    @property
    def cores(self) -> str:
        """Return what a node gives: the cores of the machine that submits say nothing of it."""
        return "all"

    def additional_general_args(self) -> str:
        """Return arguments of the Snakemake on the node: retries are the business of the one that submits."""
        return "--preemptible-rules --preemptible-retries 0"

    def run_job(self, job: JobExecutorInterface) -> None:
        """Take one job."""
        self.run_jobs([job])

    def run_jobs(self, jobs_: list[JobExecutorInterface]) -> None:
        """Take jobs that are ready."""
        # Snakemake's own handler waits for what runs, for days perhaps; a shell or a scheduler that ends us does not.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, _interrupt)
        for job in jobs_:
            self.run_job_pre(job)
            token = f"{next(self.numbers):05d}-{jobs.name_of(job)}"
            try:
                ready = jobs.prepare(job, token, self.format_job_exec(job), self.site)
            except ResourceError as error:
                self.report_job_error(SubmittedJobInfo(job), msg=f"{error}.\n")
                continue
            if found := self.earlier.take(ready, jobs.inputs_of(job)):
                self.logger.info(f"Rule {ready.rule}: SLURM job {found.cluster_id} of an earlier run does this already.")
                self._register(job, found.folder, found.token, found.cluster_id)
            else:
                self.ready.put(ready)

    def _submit_for_ever(self) -> None:
        """Submit what is ready, when no more of it comes for a moment."""
        while not self.stopping.is_set():
            batch = [self.ready.get()]
            while True:
                try:
                    batch.append(self.ready.get(timeout=self.workflow.executor_settings.window))
                except queue.Empty:
                    break
            by_request: dict[Request, list[Ready]] = {}
            for ready in batch:
                by_request.setdefault(ready.request, []).append(ready)
            for request, members in by_request.items():
                bundles = [list(part) for part in _chunks(members, request.bundle)]
                # An array's members are alike: a last bundle that is smaller has an array of its own.
                for _, alike in itertools.groupby(bundles, key=len):
                    for array in _chunks(list(alike), self.array_limit):
                        self._submit_patiently(request, array)

    def _submit_patiently(self, request: Request, array: list[list[Ready]]) -> None:
        """Submit bundles as one array, however long the cluster takes no jobs."""
        wait = 5.0
        while not self.stopping.is_set():
            try:
                return self._submit(request, array)
            except clusters.BusyError as error:
                self.logger.warning(f"The cluster takes no jobs just now ({error}); trying again in {wait:.0f} seconds.")
                self.stopping.wait(wait)
                wait = min(2 * wait, LONGEST_WAIT)
            except Exception as error:
                rule = array[0][0].rule
                message = f"Rule {rule} could not be submitted: {error}.\n"
                for ready in itertools.chain(*array):
                    self.report_job_error(SubmittedJobInfo(ready.job), msg=message)
                return None
        return None

    def _submit(self, request: Request, array: list[list[Ready]]) -> None:
        settings, folder = self.workflow.executor_settings, str(self.run_.folder)
        delay = request.options(len(array[0]), "", "", 1)["signal_delay_s"]
        works = [
            Work(
                folder=folder,
                workdir=self.workdir,
                commands=tuple(ready.command for ready in bundle),
                at_once=request.at_once,
                grace=max(5.0, delay - 5.0),
                max_requeues=settings.max_requeues,
            )
            for bundle in array
        ]
        name = "+".join(sorted({ready.rule for ready in itertools.chain(*array)}))[:100]
        with self.submitting:
            if self.stopping.is_set():
                return
            ids = self.cluster.submit(request, works, name, f"{self.run_.id}/{next(self.submissions)}")
            pairs = [(ready, key) for bundle, key in zip(array, ids, strict=True) for ready in bundle]
            self.run_.note(self._entry(ready, key) for ready, key in pairs)
        limit = request.minutes(len(array[0]))
        kind = f"array of {len(ids)}" if len(ids) > 1 else "job"
        self.logger.info(f"Submitted {name}: {kind}, {ids[0]}{f' to {ids[-1]}' if ids[1:] else ''}, {limit} minutes each.")
        for ready, key in pairs:
            self._register(ready.job, folder, ready.command.token, key)

    def _entry(self, ready: Ready, key: str) -> runs.Entry:
        about = (self.cluster_name, key, ready.outputs, ready.fingerprint)
        return runs.Entry(ready.command.token, *about, submitted=runs.now(), folder=str(self.run_.folder))

    def _register(self, job: JobExecutorInterface, folder: str, token: str, key: str) -> None:
        self.members.setdefault(key, set()).add(token)
        aux = {"folder": folder, "token": token}
        self.report_job_submission(SubmittedJobInfo(job, external_jobid=key, aux=aux))

    async def check_active_jobs(
        self, active_jobs: list[SubmittedJobInfo]
    ) -> AsyncGenerator[SubmittedJobInfo, None]:
        """Report jobs that have ended, and yield the others."""
        if self.cluster is None or not active_jobs:
            return
        results = runs.results({Path(info.aux["folder"]) for info in active_jobs})
        results = [results.get((info.aux["folder"], info.aux["token"])) for info in active_jobs]
        open_ = {info.external_jobid for info, found in zip(active_jobs, results, strict=True) if found is None}
        over = self.cluster.ended(open_) if open_ else {}
        for info, found in zip(active_jobs, results, strict=True):
            if found is None and info.external_jobid not in over:
                yield info
            elif found is not None and found["status"] == 0:
                self._close(info, ok=True)
                self.report_job_success(info)
            else:
                where = (info.job, info.external_jobid, Path(info.aux["folder"]), info.aux["token"])
                tell = jobs.failure_of_allocation if found is None else jobs.failure_of_command
                message = tell(over[info.external_jobid] if found is None else found, *where)
                self._close(info, ok=False)
                self.report_job_error(info, msg=message)

    def _close(self, info: SubmittedJobInfo, ok: bool) -> None:
        """Note a job's end; clear up after one that succeeded."""
        key, folder, token = info.external_jobid, Path(info.aux["folder"]), info.aux["token"]
        runs.Run(folder).note_end(token)
        self.members[key].discard(token)
        if not ok:
            self.failed.add(key)
        elif not self.workflow.executor_settings.keep_logs:
            runs.tidy(folder, token, key, is_last=not self.members[key] and key not in self.failed)

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        """Cancel all jobs of this run and of earlier ones, also those in mid-submission."""
        self.stopping.set()
        with self.submitting:  # what is under way gets its id first
            ids = {key for key, tokens in self.members.items() if tokens} | self.earlier.ids()
            ids |= {info.external_jobid for info in active_jobs if info.external_jobid}
            trouble = self.cluster.cancel(ids, [self.run_.id, *self.earlier.run_ids()])
        if trouble:
            self.logger.error(f"Jobs could not be cancelled: {trouble}")

    def shutdown(self) -> None:
        """End the threads, and leave no folder of a run that has nothing to tell."""
        self.stopping.set()
        super().shutdown()
        calls = ", ".join(f"{count} {name}" for name, count in sorted(slurm.CALLS.items()))
        self.logger.info(f"Calls to the cluster: {calls or 'none'}.")
        if left := self.earlier.ids():
            self.logger.warning(f"Jobs of an earlier run that nothing asked for are left: {' '.join(sorted(left))}")
        for run in (self.run_, *self.earlier.runs):
            run.remove_if_idle()

    def _check_rules(self) -> None:
        """Raise WorkflowError for resources that no rule can mean, before anything is submitted."""
        for rule in {job.rule for job in self.workflow.dag.needrun_jobs()}:
            try:
                check_names(rule.name, rule.resources)
            except ResourceError as error:
                raise WorkflowError(str(error)) from None


def _chunks(items: list, size: int) -> Iterable[list]:
    return (items[first : first + size] for first in range(0, len(items), size))


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _forget_allocation() -> None:
    """Where Snakemake itself runs in a SLURM job, keep that job's facts from being taken for its jobs' options."""
    for name in [name for name in os.environ if _tells_of_allocation(name)]:
        del os.environ[name]


def _tells_of_allocation(name: str) -> bool:
    """Return whether a variable tells of an allocation; SLURM_CONF, SBATCH_… and their like are the user's."""
    return name.startswith(("SLURM_", "SRUN_", "PMI_")) and name != "SLURM_CONF"
