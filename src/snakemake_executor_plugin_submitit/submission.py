"""The way into the queue: jobs that are ready are gathered for a moment and submitted in arrays, with patience."""

import itertools
import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from . import clusters
from .jobs import Ready
from .resources import Request

LONGEST_WAIT = 60.0  # seconds between submissions to a cluster that takes no jobs

Bundle = list[Ready]


@dataclass
class Submitter:
    """A thread that submits, so that a cluster which is busy keeps Snakemake from nothing."""

    submit: Callable[[Request, list[Bundle]], None]
    """Submits bundles of the same size that ask for the same, as one array."""
    fail: Callable[[Ready, str], None]
    """Reports a job that the cluster does not take."""
    warn: Callable[[str], None]
    window: float
    """Seconds without a new job after which those gathered are submitted."""
    largest: int
    """Most members of an array."""
    ready: queue.SimpleQueue = field(default_factory=queue.SimpleQueue)
    stopping: threading.Event = field(default_factory=threading.Event)
    underway: threading.Lock = field(default_factory=threading.Lock)
    """Held while the cluster is being asked: who stops the thread waits for this, and knows all ids then."""

    def start(self) -> None:
        """Start the thread; it ends with the process."""
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while not self.stopping.is_set():
            for request, array in arrays(self._gather(), self.largest):
                self._submit_patiently(request, array)

    def _gather(self) -> list[Ready]:
        batch = [self.ready.get()]
        while True:
            try:
                batch.append(self.ready.get(timeout=self.window))
            except queue.Empty:
                return batch

    def _submit_patiently(self, request: Request, array: list[Bundle]) -> None:
        """Submit one array, however long the cluster takes no jobs."""
        wait = 5.0
        while not self.stopping.is_set():
            try:
                with self.underway:
                    if not self.stopping.is_set():
                        self.submit(request, array)
                return
            except clusters.BusyError as error:
                self.warn(f"The cluster takes no jobs just now ({error}); trying again in {wait:.0f} seconds.")
                self.stopping.wait(wait)
                wait = min(2 * wait, LONGEST_WAIT)
            except Exception as error:  # whatever it is, Snakemake must hear of it: nobody joins this thread
                for ready in itertools.chain(*array):
                    self.fail(ready, f"Rule {ready.rule} could not be submitted: {error}.\n")
                return


def arrays(batch: Iterable[Ready], largest: int) -> Iterable[tuple[Request, list[Bundle]]]:
    """Return jobs as arrays of at most ``largest`` members: those that ask for the same, in bundles of one size."""
    by_request: dict[Request, list[Ready]] = {}
    for ready in batch:
        by_request.setdefault(ready.request, []).append(ready)
    for request, members in by_request.items():
        bundles = list(_chunks(members, request.bundle))
        # The last bundle may be smaller: its limits are others, hence an array of its own.
        for _, alike in itertools.groupby(bundles, key=len):
            for array in _chunks(list(alike), largest):
                yield request, array


def _chunks(items: list, size: int) -> Iterable[list]:
    return (items[first : first + size] for first in range(0, len(items), size))
