"""The executor: submits ready jobs to the cluster in arrays and reports to Snakemake how they end."""

import contextlib
import itertools
import os
import shlex
import shutil
import signal
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path

from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

from . import clusters, jobs, options, runs, slurm
from .base import Cluster
from .jobs import Ready
from .monitor import JobMonitor
from .names import ResourceError
from .reattach import PreviousRuns
from .resources import Request
from .submission import Bundle, Submitter
from .work import Work

POLL = 2.0  # seconds between looks at result files; squeue follows --seconds-between-status-checks
LONGEST_SUBMISSION = 120.0  # seconds that cancelling waits for an sbatch under way
LAST_FILES = 5.0  # seconds that Snakemake waits at its end for allocations to end


class Executor(RemoteExecutor):
    """What Snakemake calls. A thread of Snakemake's watches jobs, and one of this executor submits them."""

    # Snakemake's watching thread starts before __post_init__ has run.
    cluster: Cluster | None = None

    def __post_init__(self) -> None:
        """Start a run, and look for jobs of earlier ones."""
        settings = self.workflow.executor_settings
        options.check_settings(settings)
        options.check_rules(self.workflow, self.logger.warning)
        self.site = options.site(settings)
        options.clear_environment()
        self.workdir = str(self.workflow.workdir_init)
        home = Path(self.workdir, ".snakemake", "submitit")
        gone, self.others = runs.previous(home, self.logger.warning)
        self.this_run = runs.Run.new(home)
        interval = self.workflow.remote_execution_settings.seconds_between_status_checks
        latency = self.workflow.execution_settings.latency_wait
        self.monitor = JobMonitor(interval, latency, self.logger.warning, self.logger.info)
        cluster = clusters.choose(settings.cluster, self.this_run.folder, settings.array_parallelism, self.monitor)
        self.logger.info(f"Jobs run on the cluster {cluster.name!r}, as run {self.this_run.id}.")
        largest = max(min(settings.array_limit, cluster.largest_array()), 1)
        self.previous = PreviousRuns.recover(gone, cluster, self.logger, self.this_run.id)
        self.numbers, self.submissions = itertools.count(1), itertools.count(1)
        self.allocations: dict[str, runs.Allocation] = {}
        self.leaving: list[runs.Allocation] = []  # all their jobs have succeeded; their files go once they have ended
        self.next_seconds_between_status_checks = min(POLL, interval)
        self.submitter = Submitter(
            self._submit, self.previous.blocked, self._refuse, self.logger.warning, settings.window, largest
        )
        self.cluster = cluster  # last: now the watching thread may use everything above
        self.submitter.start()

    @property
    def cores(self) -> str:
        """Return the cores that a job's Snakemake may use: all of its node, whatever the submitting machine has."""
        return "all"

    def additional_general_args(self) -> str:
        """Return arguments of a job's Snakemake: only the submitting Snakemake retries; it uses the same cache."""
        arguments = ["--preemptible-rules", "--preemptible-retries", "0"]
        if self.workflow.workflow_settings.cache == []:  # Snakemake drops an option without values
            # In older versions the value of the directive, in newer ones an object.
            cached = [rule.name for rule in self.workflow.rules if getattr(rule.cache, "output", rule.cache)]
            arguments += ["--cache", *cached]
        return shlex.join(arguments)

    def run_job(self, job: JobExecutorInterface) -> None:
        """Submit one job."""
        self.run_jobs([job])

    def run_jobs(self, ready_jobs: list[JobExecutorInterface]) -> None:
        """Submit ready jobs, or take over jobs of earlier runs that do the same."""
        # Snakemake's own handler waits for running jobs, perhaps for days; SIGTERM is followed by SIGKILL sooner.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, _interrupt)
        self.this_run.start()
        self._keep_configs()
        wanted, made_by_others = [], self._made_by_others()
        for job in ready_jobs:
            self.run_job_pre(job)
            token = f"{next(self.numbers):05d}-{jobs.name_of(job)}"
            try:
                ready = jobs.prepare(job, token, self.format_job_exec(job), self.site)
            except ResourceError as error:
                self._refuse(job, f"{error}.\n")
                continue
            if clash := next((made_by_others[path] for path in ready.outputs if path in made_by_others), None):
                for part in jobs.parts(job):
                    part.cleanup = _keep_outputs  # Snakemake would delete what the other job has made
                self._refuse(job, _made_elsewhere(ready.rule, *clash))
            else:
                wanted.append(ready)
        pairs = self.previous.take(wanted)
        self.previous.note_taken(entry for _, entry in pairs if entry)
        for ready, entry in pairs:
            if entry:
                self.logger.info(f"Rule {ready.rule}: job {entry.cluster_id} of an earlier run does this already.")
                self.monitor.about[entry.cluster_id] = f"rule {ready.rule}"
                self._register(ready.job, entry.folder, entry.token, entry.cluster_id)
            else:
                self.submitter.ready.put(ready)

    def _keep_configs(self) -> None:
        """Let jobs read copies of the config files: the originals may be edited while jobs wait."""
        kept, settings = self.this_run.folder / "configs", self.workflow.config_settings
        if settings.configfiles and not kept.exists():
            kept.mkdir()
            copies = [kept / f"{number}-{path.name}" for number, path in enumerate(settings.configfiles)]
            for path, copy in zip(settings.configfiles, copies, strict=True):
                shutil.copyfile(path, copy)
            settings.configfiles = copies

    def _made_by_others(self) -> dict[str, tuple[runs.Run, runs.Entry]]:
        """Return the files that jobs of other living runs make, each with the run and its job."""
        theirs = [(run, entry) for run in self.others for entry in run.open_entries()]
        theirs += self.previous.held_by_others()
        return {path: (run, entry) for run, entry in theirs for path in entry.outputs}

    def _submit(self, request: Request, array: list[Bundle]) -> None:
        """Submit bundles as one array. Raises BusyError, FullError or RefusedError."""
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
            self.cluster.cancel(ids)  # the submitter reports them as failed
            raise
        what = f"array of {len(ids)}, {ids[0]} to {ids[-1]}" if len(ids) > 1 else f"job {ids[0]}"
        each = f"{len(pairs)} Snakemake jobs, " if len(pairs) > len(ids) else ""
        minutes = request.minutes(len(array[0]))
        self.logger.info(f"Submitted {name}: {what}, {each}{minutes} minutes at most.")
        self.monitor.about |= dict.fromkeys(ids, f"rule {name}, {minutes} minutes")
        for ready, key in pairs:
            self._register(ready.job, folder, ready.command.token, key)

    def _refuse(self, job: JobExecutorInterface, message: str) -> None:
        self._fail(SubmittedJobInfo(job), message)

    def _fail(self, info: SubmittedJobInfo, message: str) -> None:
        if info.job.is_group():  # Snakemake drops the messages of groups
            self.logger.error(message)
        self.report_job_error(info, msg=message)

    def _entry(self, ready: Ready, key: str) -> runs.Entry:
        return runs.Entry(
            token=ready.command.token,
            cluster=self.cluster.name,
            cluster_id=key,
            outputs=ready.outputs,
            fingerprint=ready.fingerprint,
            submitted=time.time(),
            folder=str(self.this_run.folder),
        )

    def _register(self, job: JobExecutorInterface, folder: str, token: str, key: str) -> None:
        self.allocations.setdefault(key, runs.Allocation(Path(folder), key)).add(token)
        aux = {"folder": folder, "token": token}
        self.report_job_submission(SubmittedJobInfo(job, external_jobid=key, aux=aux))

    async def check_active_jobs(self, active_jobs: list[SubmittedJobInfo]) -> AsyncGenerator[SubmittedJobInfo, None]:
        """Report jobs that have ended, and yield the others."""
        if self.cluster is None or not active_jobs:
            return
        results = runs.results((info.aux["folder"], info.aux["token"]) for info in active_jobs)
        unclear = []
        for info in active_jobs:
            if (result := results.get((info.aux["folder"], info.aux["token"]))) is None:
                unclear.append(info)
            elif result["status"] == 0:
                self._close(info, ok=True)
                self.report_job_success(info)
            else:
                self._close_failed(info, jobs.failure_of_command, result)
        # Results are reported first: squeue may take a minute to answer.
        over = self.cluster.ended({info.external_jobid for info in unclear}) if unclear else {}
        if over:
            self.cluster.cancel(over)  # a job that SLURM has only lost track of must not run in parallel to its retry
        for info in unclear:
            if info.external_jobid in over:
                self._close_failed(info, jobs.failure_of_allocation, over[info.external_jobid])
            else:
                yield info
        self._tidy_allocations()

    def _close_failed(self, info: SubmittedJobInfo, describe: Callable[..., str], what: object) -> None:
        message = describe(what, info.job, info.external_jobid, Path(info.aux["folder"]), info.aux["token"])
        self._close(info, ok=False)
        self._fail(info, message)

    def _close(self, info: SubmittedJobInfo, ok: bool) -> None:
        """Record a job's end; clear up if it succeeded."""
        allocation, keep_logs = self.allocations[info.external_jobid], self.workflow.executor_settings.keep_logs
        with self._forgiving("record the end of a job"):
            allocation.close(info.aux["token"], ok, keep_logs)
        is_kept = allocation.waited_for or allocation.has_failed or keep_logs
        if not is_kept and not self.cluster.blocks and allocation not in self.leaving:
            self.leaving.append(allocation)

    def _tidy_allocations(self) -> None:
        """Remove the files of allocations whose jobs have all succeeded, once they have ended."""
        with self._forgiving("clear up"):
            self.leaving = [allocation for allocation in self.leaving if not allocation.tidy()]

    @contextlib.contextmanager
    def _forgiving(self, what: str) -> Iterator[None]:
        """Log errors of the file system and continue: an exception would end Snakemake but not its jobs."""
        try:
            yield
        except OSError as error:
            self.logger.warning(f"Could not {what}: {error}. Continuing.")

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        """Cancel all jobs of this run, those taken over, and those being submitted."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):  # a second one would leave jobs running
                signal.signal(number, _ask_for_patience)
        self.submitter.stopping.set()
        if self.cluster.blocks:  # a submission under way lasts until its jobs have ended
            self.cluster.cancel_run(self.this_run.id, [])
        has_lock = self.submitter.underway.acquire(timeout=LONGEST_SUBMISSION)
        ids = {info.external_jobid for info in active_jobs if info.external_jobid}
        waited_for = {key: allocation for key, allocation in self.allocations.items() if allocation.waited_for}
        ids |= waited_for.keys() | self.previous.all_to_cancel()
        self.previous.note_cancelled()
        with self._forgiving("record which jobs are cancelled"):
            for allocation in waited_for.values():
                runs.Run(allocation.folder).note_cancelled(*allocation.waited_for)
        if trouble := self.cluster.cancel_run(self.this_run.id, ids):
            self.logger.error(f"Jobs could not be cancelled: {trouble}")
        if has_lock:
            self.submitter.underway.release()

    def shutdown(self) -> None:
        """End the threads, and remove folders of runs that hold no logs and no open jobs."""
        self.submitter.stopping.set()
        super().shutdown()
        end = time.monotonic() + LAST_FILES
        while self.leaving and time.monotonic() < end:
            self._tidy_allocations()
            time.sleep(0.2)
        calls = ", ".join(f"{count} {name}" for name, count in sorted(slurm.CALLS.items()))
        self.logger.info(f"Calls to the cluster: {calls or 'none'}.")
        with self._forgiving("clear up after an earlier run"):
            self.previous.close(self.workflow.executor_settings.keep_logs)
        if left := self.previous.unneeded():
            self.logger.warning(f"Jobs of an earlier run that are not needed were left alone: {' '.join(sorted(left))}")
        for run in (self.this_run, *self.previous.gone):
            run.remove_if_idle()


def _made_elsewhere(rule: str, run: runs.Run, entry: runs.Entry) -> str:
    owner = run.owner() or {}
    who = f"process {owner.get('pid')} on {owner.get('host')}"
    return (
        f"Rule {rule}: another Snakemake that still runs, {who}, makes {', '.join(entry.outputs)} in its job "
        f"{entry.cluster_id}. Stop that Snakemake, or wait for it.\n"
    )


async def _keep_outputs(*args: object, **options: object) -> None:
    """Take the place of a job's cleanup."""


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _ask_for_patience(number: int, frame: object) -> None:
    # Logging and printing take locks, which the interrupted code may hold.
    with contextlib.suppress(OSError):
        os.write(2, b"Jobs are being cancelled; please wait.\n")
