"""The way into the queue: jobs that are ready are gathered for a moment and submitted in arrays, with patience."""

import itertools
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

from . import clusters
from .jobs import Ready
from .resources import Request

FIRST_WAIT = 5.0  # seconds until what was not taken is submitted again
LONGEST_WAIT = 60.0

Bundle = list[Ready]


@dataclass
class Submitter:
    """A thread that submits, so that a cluster which is busy keeps Snakemake from nothing."""

    submit: Callable[[Request, list[Bundle]], None]
    """Submits bundles of the same size that ask for the same, as one array."""
    blocked: Callable[[list[Ready]], tuple[list[Ready], str]]
    """Returns the jobs that others have to make way for first, and why."""
    fail: Callable[[JobExecutorInterface, str], None]
    """Reports a job that the cluster does not take."""
    warn: Callable[[str], None]
    window: float
    """Seconds without a new job after which those gathered are submitted."""
    largest: int
    """Most members of an array."""
    sizes: dict[tuple, int] = field(default_factory=dict)
    """The same where a limit on jobs in the queue has refused more, by account, partition and QOS."""
    ready: queue.SimpleQueue = field(default_factory=queue.SimpleQueue)
    stopping: threading.Event = field(default_factory=threading.Event)
    underway: threading.Lock = field(default_factory=threading.Lock)
    """Held while the cluster is being asked: who stops the thread waits for this, and knows all ids then."""

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
            if waiting and not again:
                waiting += left
                continue
            is_stuck = again and len(left) == len(again + fresh)
            pause = min(2 * pause, LONGEST_WAIT) if is_stuck else FIRST_WAIT
            waiting, due = left, time.monotonic() + pause
            if left and not self.stopping.is_set():
                self.warn(f"Jobs not submitted yet: {len(left)} ({reason}); trying again in {pause:.0f} seconds.")

    def _gather(self, patience: float | None) -> list[Ready]:
        """Return jobs that have become ready; none after so many seconds without any."""
        batch = []
        while True:
            try:
                batch.append(self.ready.get(timeout=self.window if batch else patience))
            except queue.Empty:
                return batch

    def submit_all(self, batch: list[Ready]) -> tuple[list[Ready], str]:
        """Submit what the cluster takes now; return what it may take later, and why it did not."""
        try:
            left, reason = self.blocked(batch)
        except Exception as error:  # nobody joins this thread: its end would be a hang
            return batch, str(error)
        full = set()
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
            except clusters.FullError as error:
                reason = str(error)
                self.sizes[limited] = max(len(array) // 2, 1)
                if len(array) == 1:
                    full.add(limited)
                rest = bundles
            except clusters.BusyError as error:
                reason = str(error)
                left += itertools.chain(*bundles, *itertools.chain(*(bundles for _, bundles in todo)))
                break
            except Exception as error:  # whatever it is, Snakemake must hear of it: nobody joins this thread
                for ready in itertools.chain(*array):
                    self.fail(ready.job, f"Rule {ready.rule} could not be submitted: {error}.\n")
            if limited in full:
                left += itertools.chain(*rest)
            elif rest:
                todo.appendleft((request, rest))
        return left, reason


def alike(batch: Iterable[Ready]) -> Iterable[tuple[Request, list[Bundle]]]:
    """Return jobs in bundles of one size each, those together that may share an array."""
    by_request: dict[Request, list[Ready]] = {}
    for ready in batch:
        by_request.setdefault(ready.request, []).append(ready)
    for request, members in by_request.items():
        bundles = [members[first : first + request.bundle] for first in range(0, len(members), request.bundle)]
        # The last bundle may be smaller: its limits are others, hence an array of its own.
        for _, same_size in itertools.groupby(bundles, key=len):
            yield request, list(same_size)
