"""Submission: ready jobs are gathered for a moment and submitted in arrays, repeatedly if the cluster is busy."""

import itertools
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

from .base import BusyError, FullError
from .jobs import Ready
from .resources import Request

FIRST_WAIT = 5.0  # seconds until jobs that were not taken are submitted again
LONGEST_WAIT = 60.0

Bundle = list[Ready]


@dataclass
class Submitter:
    """A thread that submits, so that a busy cluster does not block Snakemake."""

    submit: Callable[[Request, list[Bundle]], None]
    """Submits bundles of the same size with equal requests as one array."""
    blocked: Callable[[list[Ready]], tuple[list[Ready], str]]
    """Returns the jobs that have to wait for others to end, and why."""
    fail: Callable[[JobExecutorInterface, str], None]
    """Reports a job that the cluster refuses."""
    warn: Callable[[str], None]
    window: float
    """Seconds without a new job after which those gathered are submitted."""
    largest: int
    """Largest number of members of an array."""
    sizes: dict[tuple, int] = field(default_factory=dict, init=False)
    """The same, by account, partition and QOS, after a limit on jobs in the queue has refused more."""
    ready: queue.SimpleQueue = field(default_factory=queue.SimpleQueue, init=False)
    """Where jobs to be submitted are put."""
    stopping: threading.Event = field(default_factory=threading.Event, init=False)
    underway: threading.Lock = field(default_factory=threading.Lock, init=False)
    """Held during a submission: once the thread is stopping and this is free, all ids are known."""

    def start(self) -> None:
        """Start the thread; it ends with the process."""
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        waiting: list[Ready] = []
        pause, due = FIRST_WAIT, 0.0
        while not self.stopping.is_set():
            fresh = self._gather(max(due - time.monotonic(), 0) if waiting else None)
            again = waiting if time.monotonic() >= due else []
            left, reason = self.submit_all(again + fresh)
            if waiting and not again:  # those tried now wait together with those before them
                waiting += left
                continue
            is_stuck = again and len(left) == len(again + fresh)
            pause = min(2 * pause, LONGEST_WAIT) if is_stuck else FIRST_WAIT
            waiting, due = left, time.monotonic() + pause
            if left and not self.stopping.is_set():
                self.warn(f"Jobs not submitted yet: {len(left)} ({reason}); trying again in {pause:.0f} seconds.")

    def _gather(self, patience: float | None) -> list[Ready]:
        """Return jobs that have become ready; an empty list if there are none for `patience` seconds."""
        batch = []
        while True:
            try:
                batch.append(self.ready.get(timeout=self.window if batch else patience))
            except queue.Empty:
                return batch

    def submit_all(self, batch: list[Ready]) -> tuple[list[Ready], str]:
        """Submit what the cluster takes now; return the jobs that it may take later, and the reason."""
        try:
            left, reason = self.blocked(batch)
        except Exception as error:  # an exception would end this thread, and Snakemake would hang
            return batch, str(error)
        full = set()  # limits under which not even one more job is taken
        held = {ready.command.token for ready in left}
        todo = deque(alike(ready for ready in batch if ready.command.token not in held))
        while todo and not self.stopping.is_set():
            request, bundles = todo.popleft()
            limited = (request.account, request.partition, request.qos)
            size = self.sizes.get(limited, self.largest)
            array, rest = bundles[:size], bundles[size:]
            try:
                with self.underway:
                    if not self.stopping.is_set():
                        self.submit(request, array)
                if limited in self.sizes:
                    self.sizes[limited] = min(2 * size, self.largest)
            except FullError as error:
                reason = str(error)
                self.sizes[limited] = max(len(array) // 2, 1)
                if len(array) == 1:
                    full.add(limited)
                rest = bundles
            except BusyError as error:
                reason = str(error)
                todo.appendleft((request, bundles))
                left += [ready for _, bundles in todo for bundle in bundles for ready in bundle]
                break
            except Exception as error:  # whatever it is, Snakemake must learn that these jobs failed
                self._fail(array, error)
            if limited in full:
                left += itertools.chain(*rest)
            elif rest:
                todo.appendleft((request, rest))
        return left, reason

    def _fail(self, array: list[Bundle], error: Exception) -> None:
        why = f": {error}"
        for ready in itertools.chain(*array):
            self.fail(ready.job, f"Rule {ready.rule} could not be submitted{why}.\n")
            why = ", as above"


def alike(batch: Iterable[Ready]) -> Iterable[tuple[Request, list[Bundle]]]:
    """Return jobs in bundles, grouped into those of equal requests and size, which may share an array."""
    by_request: dict[Request, list[Ready]] = {}
    for ready in batch:
        by_request.setdefault(ready.request, []).append(ready)
    for request, members in by_request.items():
        bundles = [members[first : first + request.bundle] for first in range(0, len(members), request.bundle)]
        # The last bundle may be smaller: its limits differ, so it is an array of its own.
        for _, same_size in itertools.groupby(bundles, key=len):
            yield request, list(same_size)
