"""The executor: jobs that are ready go to the cluster in arrays, and what becomes of them goes back to Snakemake."""

import contextlib
import itertools
import os
import signal
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface
from snakemake_interface_executor_plugins.settings import ExecutorSettingsBase

from . import clusters, jobs, runs, slurm
from .jobs import Ready
from .reattach import Earlier
from .resources import Request, ResourceError, Site, check_names
from .submission import Bundle, Submitter
from .watch import Watch
from .work import Work

POLL = 2.0  # seconds between looks at result files; SLURM itself is asked as seldom as Snakemake is told to
LONGEST_SUBMISSION = 120.0  # seconds that an sbatch under way is waited for, before all that it left is cancelled
LAST_FILES = 5.0  # seconds that allocations have to end, before Snakemake does


class Executor(RemoteExecutor):
    """What Snakemake calls. Its own thread watches jobs, and one of ours submits them."""

    # Snakemake's watching thread starts before __post_init__ has run.
    cluster: clusters.Cluster | None = None

    def __post_init__(self) -> None:
        """Begin a run, and look for jobs of earlier ones."""
        settings = self.workflow.executor_settings
        _check_settings(settings)
        self._check_rules()
        self.site = _site(settings)
        self.workdir = str(self.workflow.workdir_init)
        home = Path(self.workdir, ".snakemake", "submitit")
        earlier_runs, self.others = runs.earlier(home, self.logger.warning)
        self.this_run = runs.Run.new(home)
        interval = self.workflow.remote_execution_settings.seconds_between_status_checks
        watch = Watch(interval, self.workflow.execution_settings.latency_wait, self.logger.warning)
        cluster = clusters.choose(settings.cluster, self.this_run.folder, settings.array_parallelism, watch)
        self.cluster_name = type(cluster).__name__.lower()
        self.logger.info(f"Jobs run on the cluster {self.cluster_name!r}, as run {self.this_run.id}.")
        largest = max(min(settings.array_limit, slurm.largest_array()), 1) if self.cluster_name == "slurm" else 1
        self.earlier = Earlier.find(earlier_runs, self.cluster_name, cluster, self.logger)
        self.numbers, self.submissions = itertools.count(1), itertools.count(1)
        self.allocations: dict[str, runs.Allocation] = {}
        self.leaving: list[runs.Allocation] = []  # those about to end, whose jobs have all succeeded
        self.next_seconds_between_status_checks = min(POLL, interval)
        self.submitter = Submitter(
            self._submit, self.earlier.blocked, self._refuse, self.logger.warning, settings.window, largest
        )
        self.cluster = cluster
        self.submitter.start()

    @property
    def cores(self) -> str:
        """Return the cores that a job's Snakemake may use: those of its node, not of the machine that submits."""
        return "all"

    def additional_general_args(self) -> str:
        """Return arguments of a job's Snakemake: retries are the business of the one that submits."""
        return "--preemptible-rules --preemptible-retries 0"

    def run_job(self, job: JobExecutorInterface) -> None:
        """Take one job."""
        self.run_jobs([job])

    def run_jobs(self, ready_jobs: list[JobExecutorInterface]) -> None:
        """Take jobs that are ready."""
        # Snakemake's own handler waits for what runs, for days perhaps; who ends us does not.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, _interrupt)
        self.this_run.start()
        wanted = []
        made_by_others = {
            path: (run, entry) for run in self.others for entry in run.open_entries() for path in entry.outputs
        }
        for job in ready_jobs:
            self.run_job_pre(job)
            token = f"{next(self.numbers):05d}-{jobs.name_of(job)}"
            try:
                ready = jobs.prepare(job, token, self.format_job_exec(job), self.site)
            except ResourceError as error:
                self._refuse(job, f"{error}.\n")
                continue
            if clash := next((made_by_others[path] for path in ready.outputs if path in made_by_others), None):
                self._refuse(job, _made_elsewhere(ready.rule, *clash))
            else:
                wanted.append(ready)
        for ready, found in self.earlier.take(wanted):
            if found:
                self.logger.info(f"Rule {ready.rule}: job {found.cluster_id} of an earlier run does this already.")
                self._register(ready.job, found.folder, found.token, found.cluster_id)
            else:
                self.submitter.ready.put(ready)

    def _submit(self, request: Request, array: list[Bundle]) -> None:
        """Submit bundles as one array. Raises BusyError, or one of its kinds, and RefusedError."""
        folder = str(self.this_run.folder)
        works = [
            Work(
                folder=folder,
                workdir=self.workdir,
                commands=tuple(ready.command for ready in bundle),
                at_once=request.at_once,
                max_requeues=self.workflow.executor_settings.max_requeues,
            )
            for bundle in array
        ]
        name = "+".join(sorted({ready.rule for ready in itertools.chain(*array)}))[:100]
        ids = self.cluster.submit(request, works, name, f"{self.this_run.id}/{next(self.submissions)}")
        pairs = [(ready, key) for bundle, key in zip(array, ids, strict=True) for ready in bundle]
        try:
            self.this_run.note(self._entry(ready, key) for ready, key in pairs)
        except OSError:
            self.cluster.cancel(ids)  # they are about to be reported as failed
            raise
        what = f"array of {len(ids)}, {ids[0]} to {ids[-1]}" if len(ids) > 1 else f"job {ids[0]}"
        each = f"{len(pairs)} jobs of Snakemake's, " if len(pairs) > len(ids) else ""
        self.logger.info(f"Submitted {name}: {what}, {each}{request.minutes(len(array[0]))} minutes at most.")
        for ready, key in pairs:
            self._register(ready.job, folder, ready.command.token, key)

    def _refuse(self, job: JobExecutorInterface, message: str) -> None:
        self._fail(SubmittedJobInfo(job), message)

    def _fail(self, info: SubmittedJobInfo, message: str) -> None:
        if info.job.is_group():  # of which Snakemake drops the message
            self.logger.error(message)
        self.report_job_error(info, msg=message)

    def _entry(self, ready: Ready, key: str) -> runs.Entry:
        about = (self.cluster_name, key, ready.outputs, ready.fingerprint)
        return runs.Entry(ready.command.token, *about, submitted=time.time(), folder=str(self.this_run.folder))

    def _register(self, job: JobExecutorInterface, folder: str, token: str, key: str) -> None:
        self.allocations.setdefault(key, runs.Allocation(Path(folder), key)).add(token)
        aux = {"folder": folder, "token": token}
        self.report_job_submission(SubmittedJobInfo(job, external_jobid=key, aux=aux))

    async def check_active_jobs(self, active_jobs: list[SubmittedJobInfo]) -> AsyncGenerator[SubmittedJobInfo, None]:
        """Report jobs that have ended, and yield the others."""
        if self.cluster is None or not active_jobs:
            return
        results = runs.results((info.aux["folder"], info.aux["token"]) for info in active_jobs)
        results = [results.get((info.aux["folder"], info.aux["token"])) for info in active_jobs]
        unclear = {info.external_jobid for info, found in zip(active_jobs, results, strict=True) if found is None}
        over = self.cluster.ended(unclear) if unclear else {}
        if over:
            self.cluster.cancel(over)  # one that was only lost from sight must not write beside its successor
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
                self._fail(info, message)
        self._tidy_allocations()

    def _close(self, info: SubmittedJobInfo, ok: bool) -> None:
        """Note a job's end; clear up after one that succeeded."""
        allocation, keep_logs = self.allocations[info.external_jobid], self.workflow.executor_settings.keep_logs
        with self._forgiving("note the end of a job"):
            allocation.close(info.aux["token"], ok, keep_logs)
        keeps = allocation.waited_for or allocation.has_failed or keep_logs or self.cluster.blocks
        if not keeps and allocation not in self.leaving:
            self.leaving.append(allocation)

    def _tidy_allocations(self) -> None:
        """Clear up after allocations whose jobs have all succeeded, once they have really ended."""
        with self._forgiving("clear up"):
            self.leaving = [allocation for allocation in self.leaving if not allocation.tidy()]

    @contextlib.contextmanager
    def _forgiving(self, what: str) -> Iterator[None]:
        """Go on where a file system fails for a moment: an error would end Snakemake, and not its jobs."""
        try:
            yield
        except OSError as error:
            self.logger.warning(f"Could not {what}: {error}. Going on.")

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        """Cancel all jobs of this run, those taken over, and those in mid-submission."""
        self.submitter.stopping.set()
        if self.cluster.blocks:
            self.cluster.cancel_run(self.this_run.id, [])
        has_lock = self.submitter.underway.acquire(timeout=LONGEST_SUBMISSION)
        ids = {info.external_jobid for info in active_jobs if info.external_jobid}
        waited_for = {key: allocation for key, allocation in self.allocations.items() if allocation.waited_for}
        ids |= waited_for.keys() | self.earlier.to_cancel()
        with self._forgiving("note what is cancelled"):
            self.earlier.note_cancelled()
            for allocation in waited_for.values():
                runs.Run(allocation.folder).note_cancelled(*allocation.waited_for)
        if trouble := self.cluster.cancel_run(self.this_run.id, ids):
            self.logger.error(f"Jobs could not be cancelled: {trouble}")
        if has_lock:
            self.submitter.underway.release()

    def shutdown(self) -> None:
        """End the threads, and leave no folder of a run that has nothing to tell."""
        self.submitter.stopping.set()
        super().shutdown()
        end = time.monotonic() + LAST_FILES
        while self.leaving and time.monotonic() < end:
            self._tidy_allocations()
            time.sleep(0.2)
        calls = ", ".join(f"{count} {name}" for name, count in sorted(slurm.CALLS.items()))
        self.logger.info(f"Calls to the cluster: {calls or 'none'}.")
        self.earlier.close(self.workflow.executor_settings.keep_logs)
        if left := self.earlier.unasked():
            self.logger.warning(f"Jobs of an earlier run that nothing asked for are left: {' '.join(sorted(left))}")
        for run in (self.this_run, *self.earlier.runs):
            run.remove_if_idle()

    def _check_rules(self) -> None:
        """Raise WorkflowError for resources that no rule can mean, before anything is submitted."""
        for rule in {job.rule for job in self.workflow.dag.needrun_jobs()}:
            try:
                check_names(rule.name, rule.resources)
            except ResourceError as error:
                raise WorkflowError(str(error)) from None


def _check_settings(settings: object) -> None:
    """Raise WorkflowError for numbers that mean nothing."""
    least = {"window": 0, "max_requeues": 0, "signal_delay": 0, "array_limit": 1, "array_parallelism": 1}
    for name, minimum in least.items():
        if (value := getattr(settings, name)) < minimum:
            raise WorkflowError(f"--submitit-{name.replace('_', '-')} is {value}; a number from {minimum} is needed")


def _made_elsewhere(rule: str, run: runs.Run, entry: runs.Entry) -> str:
    owner = run.owner() or {}
    who = f"process {owner.get('pid')} on {owner.get('host')}"
    return (
        f"Rule {rule}: another Snakemake that still runs, {who}, makes {', '.join(entry.outputs)} in its job "
        f"{entry.cluster_id}. End that Snakemake, or wait for it.\n"
    )


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _site(settings: ExecutorSettingsBase) -> Site:
    """Return what jobs ask for that say nothing themselves: by the options, or else by variables of sbatch's."""
    site = Site(
        account=settings.account or os.environ.get("SBATCH_ACCOUNT") or None,
        partition=settings.partition or os.environ.get("SBATCH_PARTITION") or None,
        gpu_partition=settings.gpu_partition or None,
        signal_delay=settings.signal_delay,
        requeue=settings.max_requeues > 0,
        setup=(settings.setup,) if settings.setup else (),
    )
    _forget_allocation()
    return site


def _forget_allocation() -> None:
    """Keep what SLURM's commands read of the environment from being taken for the jobs' options.

    They are those of the job that Snakemake itself may run in, and the user's for other jobs: sbatch lets SBATCH_… win
    over what a job asks for. Filters of squeue would hide jobs, which would then count as lost.
    """
    theirs = {"SLURM_CONF", "SLURM_CLUSTERS", "SBATCH_CLUSTERS"}
    ours = ("SLURM_", "SRUN_", "PMI_", "SBATCH_", "SCANCEL_", "SQUEUE_")
    told = [name for name in os.environ if name.startswith(ours) and name not in theirs]
    for name in told:
        del os.environ[name]
