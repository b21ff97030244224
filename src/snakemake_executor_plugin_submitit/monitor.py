"""Watches SLURM jobs that have left no result: one call for all of them, at intervals that grow if SLURM is silent."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from . import slurm, states
from .slurm import JobStatus

ACCOUNTS_EVERY = 20.0  # seconds
SLOWEST = 60.0  # seconds between calls to a controller that does not answer
FIRST_PROGRESS = 60.0  # seconds until the first report of how many jobs run and wait: most reasons are known then
PROGRESS_EVERY = 600.0  # seconds between such reports

Table = dict[str, JobStatus] | None


@dataclass
class JobMonitor:
    """What squeue and sacct have reported about the jobs of a run, and when they may be called again."""

    interval: float
    """Seconds between calls of squeue."""
    latency: float
    """Seconds after which a file written on a node is visible here."""
    warn: Callable[[str], None]
    inform: Callable[[str], None]
    queue: Callable[[], Table] = slurm.queue
    accounts: Callable[[Iterable[str]], Table] = slurm.accounts
    clock: Callable[[], float] = time.monotonic
    about: dict[str, str] = field(default_factory=dict, init=False)
    """Words for a job in warnings, by id: its rule and, if known, its time limit."""
    seen: dict[str, JobStatus | None] = field(default_factory=dict, init=False)
    """What squeue last reported; None for a job that was not in the queue."""
    timers: dict[str, states.StateTimer] = field(default_factory=dict, init=False)
    accounted: dict[str, JobStatus] = field(default_factory=dict, init=False)
    """What the accounting has reported."""
    answered: float = field(default=0.0, init=False)
    """When squeue last answered."""
    next_queue: float = field(default=0.0, init=False)
    next_accounts: float = field(default=0.0, init=False)
    unanswered_since: float | None = field(default=None, init=False)
    accounting_answers: bool = field(default=True, init=False)
    warned: set[tuple[str, str]] = field(default_factory=set, init=False)
    """Arrays that were reported as stuck, each with the reason."""
    progress: str = field(default="", init=False)
    """The progress that was last reported."""
    next_progress: float | None = field(default=None, init=False)

    def ended(self, ids: set[str]) -> dict[str, JobStatus]:
        """Return the jobs among `ids` that are known to be over."""
        if self.clock() >= self.next_queue:
            self._ask_queue(ids)
        now = self.clock()
        over = {key for key in ids if key in self.timers and self._is_over(key, now)}
        missing = {key for key in ids if key in self.timers and self._is_missing(key, now)}
        unclear = {key for key in over | missing if not self._is_accounted(key)}
        if not unclear:
            return {key: self._final_status(key) for key in over}
        if now < self.next_accounts:
            return {key: self._final_status(key) for key in over & self.accounted.keys()}
        self._ask_accounts(unclear)
        return {key: self._final_status(key) for key in over if self._is_over(key, now)}

    def _ask_queue(self, ids: set[str]) -> None:
        table = self.queue()
        now = self.clock()  # after the call, which may take a minute
        if table is None:
            self._note_silence(now)
            return
        if self.unanswered_since is not None:
            self.warn(f"squeue answers again, after {now - self.unanswered_since:.0f} seconds")
            # A state observed before the silence may have changed during it.
            self.timers.clear()
        self.unanswered_since, self.answered, self.next_queue = None, now, now + self.interval
        before = {key: self.seen.get(key) for key in ids}
        for key in ids:
            self.seen[key] = table.get(key)
            if key in table and table[key].state not in states.FINAL:
                self.accounted.pop(key, None)  # that was about an earlier start of the job
            self.timers.setdefault(key, states.StateTimer()).note(self._state(key), now)
            self._warn_if_stuck(key)
        self._report_requeued({key: before[key] for key in ids if states.requeued(before[key], self.seen[key])})
        self._report_progress([table[key] for key in ids if key in table], now)

    def _note_silence(self, now: float) -> None:
        if self.unanswered_since is None:
            self.unanswered_since = now
            why = slurm.LAST_ERRORS.get("squeue")
            self.warn(f"squeue does not answer{f' ({why})' if why else ''}; jobs count as running until it does")
        waited = now - self.unanswered_since
        self.next_queue = now + min(max(self.interval, waited), max(self.interval, SLOWEST))

    def _ask_accounts(self, ids: set[str]) -> None:
        table = self.accounts(sorted(ids))
        self.next_accounts, self.accounting_answers = self.clock() + ACCOUNTS_EVERY, table is not None
        self.accounted |= table or {}

    def _state(self, key: str) -> str:
        return self.seen[key].state if self.seen.get(key) else "ABSENT"

    def _lasts(self, key: str, now: float) -> float:
        """Return for how many seconds a job has been in its state; up to the last answer if the state may pass."""
        timer = self.timers[key]
        return (self.answered if timer.state in {"ABSENT", *states.MAY_REQUEUE} else now) - timer.since

    def _is_missing(self, key: str, now: float) -> bool:
        return self.timers[key].state == "ABSENT" and self._lasts(key, now) >= states.ABSENT

    def _is_accounted(self, key: str) -> bool:
        """Return whether the accounting has reported a job's end."""
        return key in self.accounted and self.accounted[key].state in states.FINAL

    def _is_over(self, key: str, now: float) -> bool:
        lasts = self._lasts(key, now)
        if self.seen.get(key) is not None:
            return states.ended(self.seen[key], lasts, self.latency)
        if self._is_accounted(key):
            return states.ended(self.accounted[key], lasts, self.latency)
        # A job that the accounting reports as not ended is still there, unless the accounting has missed its end.
        return states.lost(lasts, self.accounting_answers and key not in self.accounted)

    def _final_status(self, key: str) -> JobStatus:
        seen, accounted = self.seen.get(key), self.accounted.get(key)
        if accounted is not None and (seen is None or accounted.state == seen.state):
            return accounted
        return seen or JobStatus("UNKNOWN", "neither queue nor accounting know it; was it cancelled while pending?")

    def _warn_if_stuck(self, key: str) -> None:
        seen, array = self.seen[key], slurm.array_of(key)
        if seen and (array, seen.reason) not in self.warned and (remedy := states.stuck(seen, array)):
            self.warned.add((array, seen.reason))
            self.warn(
                f"SLURM job {array}{self._about(key)} is pending with reason {seen.reason}, which waiting will not "
                f"change: {remedy}. Ctrl-C cancels all jobs; `scancel {array}` has this one tried again"
            )

    def _about(self, key: str) -> str:
        return f" ({self.about[key]})" if key in self.about else ""

    def _report_requeued(self, before: dict[str, JobStatus]) -> None:
        """Report jobs that were requeued, given with what they were before."""
        if not before:
            return
        first = min(before)
        nodes = " ".join(sorted({seen.nodes for seen in before.values() if states.has_run(seen)}))
        where = f", which ran on {nodes}" if nodes else ""
        self.inform(
            f"SLURM has requeued {slurm.shortened(before)}{self._about(first)}{where}: time limit, preemption or node "
            f"failure; `sacct --duplicates --jobs {first}` says which"
        )

    def _report_progress(self, statuses: list[JobStatus], now: float) -> None:
        """Report how many jobs run and wait if that has changed, at most once per PROGRESS_EVERY seconds."""
        if self.next_progress is None:
            self.next_progress = now + FIRST_PROGRESS
        progress = states.summary(statuses)
        if progress and progress != self.progress and now >= self.next_progress:
            self.inform(f"SLURM jobs: {progress}")
            self.progress, self.next_progress = progress, now + PROGRESS_EVERY
