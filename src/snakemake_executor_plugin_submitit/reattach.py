"""Jobs of earlier runs whose Snakemake was killed: those that do what is needed are taken over, not submitted again."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import runs, work
from .base import Cluster
from .jobs import Ready
from .runs import Entry, Run

AGAIN = 10.0  # seconds between questions to a cluster that does not answer
MOST_WORDS = 10  # ids in one message


@dataclass
class PreviousRuns:
    """The jobs of earlier runs: waiting, running, or ended while no Snakemake was watching."""

    cluster: Cluster
    logger: object
    runs: list[Run]
    entries: list[Entry]
    """The jobs that can still be taken over."""
    living: set[str]
    """Allocations that waited or ran at the start and are not known to have ended."""
    unrecorded: set[str]
    """Allocations of unknown content, which are cancelled."""
    to_cancel: set[str]
    """Allocations that were cancelled before, or would write the same files in another way."""
    this_run: str = ""
    """Id of the run that takes jobs over."""
    taken: set[str] = field(default_factory=set)
    """Allocations that this run waits for."""
    lists: list[Run] = field(default_factory=list)
    """Runs with jobs that had not ended at the start."""

    @classmethod
    def find(cls, gone: list[Run], name: str, cluster: Cluster, logger: object, this_run: str = "") -> "PreviousRuns":
        """Return what is left of dead runs on the cluster called ``name``; wait until the cluster answers.

        Allocations that another living run has taken over are left out.
        """
        noted = [one for run in gone for one in run.entries()]
        if elsewhere := {one.entry.cluster for one in noted if not one.end and one.entry.cluster != name}:
            logger.warning(f"Jobs of an earlier run on the cluster {elsewhere.pop()!r} are ignored.")
        noted = [one for one in noted if one.entry.cluster == name]
        recorded = {one.entry.cluster_id for one in noted}
        of_others = {(entry.folder, entry.cluster_id) for _, entry in runs.held(gone, {run.id for run in gone})}
        noted = [
            one for one in noted if one.end != "ended" and (one.entry.folder, one.entry.cluster_id) not in of_others
        ]
        ids = [one.entry.cluster_id for one in noted]
        while (living := cluster.alive([run.id for run in gone], ids) if gone else set()) is None:
            logger.warning(f"The cluster does not say what earlier runs left; asking again in {AGAIN:.0f} seconds.")
            time.sleep(AGAIN)
        unrecorded = living - recorded
        living -= {key for _, key in of_others}
        results = runs.results((one.entry.folder, one.entry.token) for one in noted)
        left, over = [], []
        for one in noted:
            if result := results.get((one.entry.folder, one.entry.token)):
                is_left = result["status"] == 0 and not one.end
            else:
                is_left = one.entry.cluster_id in living
            (left if is_left else over).append(one.entry)
        _note(Run.note_end, over)
        to_cancel = {one.entry.cluster_id for one in noted if one.end == "cancelled"} & living
        if count := sum(entry.cluster_id not in to_cancel for entry in left):
            logger.info(f"{count} jobs of an earlier run are still there; those that are needed are taken over.")
        if unrecorded:
            logger.info(f"Cancelling {_words(unrecorded)}: an earlier run was killed before it had recorded them.")
            cluster.cancel(unrecorded)
        found = cls(cluster, logger, gone, left, living, unrecorded, to_cancel, this_run)
        found.lists = [run for run in gone if any(run.open_entries())]
        return found

    def unneeded(self) -> set[str]:
        """Return the allocations of jobs that have not ended and that this run does not need."""
        return {entry.cluster_id for entry in self.entries if not _has_ended(entry)} - self.to_cancel

    def take(self, wanted: list[Ready]) -> Iterator[tuple[Ready, Entry | None]]:
        """Return each job with an earlier one that does the same, or with the rivals that have to end before it.

        An allocation is taken over or cancelled as a whole; one that this run waits for is not cancelled.
        """
        writers = defaultdict(list)
        for entry in self.entries:
            for path in entry.outputs:
                writers[path].append(entry)
        near = [
            {(entry.folder, entry.token): entry for path in ready.outputs for entry in writers[path]}.values()
            for ready in wanted
        ]
        fitting = [self._fitting(ready, list(entries)) for ready, entries in zip(wanted, near, strict=True)]
        # A command that has ended does not write any more, whatever the rest of its allocation does.
        rivals = [{entry.cluster_id for entry in entries if not _has_ended(entry)} & self.living for entries in near]
        self._give_up(set().union(*(ids for ids, fit in zip(rivals, fitting, strict=True) if fit is None)))
        for ready, entries, ids, fit in zip(wanted, near, rivals, fitting, strict=True):
            if fit is not None and fit.cluster_id not in self.to_cancel:
                self.taken.add(fit.cluster_id)
                self.entries.remove(fit)
                yield ready, fit
            else:
                _note(Run.note_cancelled, entries)  # so that no later run takes them over
                yield replace(ready, rivals=frozenset(ids | self.unrecorded)), None

    def held_by_others(self) -> list[tuple[Run, Entry]]:
        """Withdraw the jobs that other living runs have taken over; return them, each with its taker."""
        found = runs.held(self.lists, {self.this_run, *(run.id for run in self.runs)})
        allocations = {(entry.folder, entry.cluster_id) for _, entry in found}
        self.entries = [entry for entry in self.entries if (entry.folder, entry.cluster_id) not in allocations]
        return found

    def note_taken(self, entries: Iterable[Entry]) -> None:
        """Record in the lists of the runs that submitted them that this run has taken jobs over."""
        _note(lambda run, *tokens: run.note_taken(self.this_run, *tokens), entries)

    def _fitting(self, ready: Ready, near: list[Entry]) -> Entry | None:
        if len(near) != 1 or (near[0].outputs, near[0].fingerprint) != (ready.outputs, ready.fingerprint):
            return None
        return None if runs.is_stale(near[0], ready.inputs, _has_ended(near[0])) else near[0]

    def _give_up(self, allocations: set[str]) -> None:
        if allocations := allocations - self.taken - self.to_cancel:
            self.logger.info(
                f"Cancelling {_words(allocations)} of an earlier run: settings of jobs that make the same files differ."
            )
            self.to_cancel |= allocations

    def blocked(self, batch: list[Ready]) -> tuple[list[Ready], str]:
        """Return the jobs whose rivals have not ended, and why; cancel rivals that this run does not wait for."""
        rivals = frozenset().union(*(ready.rivals for ready in batch)) & self.living
        if not rivals:
            return [], ""
        living = self.cluster.alive([], rivals)
        if living is None:
            still, reason = rivals, "the cluster does not say whether jobs of an earlier run have ended"
        else:
            still = rivals & living
            self.living = self.living - (rivals - still)
            reason = f"{_words(still)} of an earlier run, which make the same files, have not ended" if still else ""
            self.cluster.cancel(still - self.taken)
        return [ready for ready in batch if ready.rivals & still], reason

    def all_to_cancel(self) -> set[str]:
        """Return the allocations to cancel when this run is interrupted."""
        return self.taken | self.to_cancel | self.unrecorded

    def note_cancelled(self) -> None:
        """Record as cancelled the jobs of these allocations that this run has not taken over."""
        ids = self.all_to_cancel()
        _note(Run.note_cancelled, [entry for entry in self.entries if entry.cluster_id in ids])

    def close(self, keep_logs: bool) -> None:
        """Clear up after jobs that have succeeded but were not needed, since their outputs existed."""
        results = runs.results((entry.folder, entry.token) for entry in self.entries)
        for entry in list(self.entries):
            if results.get((entry.folder, entry.token), {}).get("status") == 0:
                self.entries.remove(entry)
                allocation = runs.Allocation(Path(entry.folder), entry.cluster_id, {entry.token})
                allocation.close(entry.token, ok=True, keep_log=keep_logs)
                allocation.tidy()


def _has_ended(entry: Entry) -> bool:
    return work.result_path(entry.folder, entry.token).exists()


def _note(note: Callable[..., None], entries: Iterable[Entry]) -> None:
    """Call ``note`` with each run and its tokens, to record in its list what became of the entries."""
    tokens = defaultdict(list)
    for entry in entries:
        tokens[entry.folder].append(entry.token)
    for folder in tokens:
        note(Run(Path(folder)), *tokens[folder])


def _words(ids: set[str] | frozenset[str]) -> str:
    more = f" and {len(ids) - MOST_WORDS} more" if len(ids) > MOST_WORDS else ""
    return f"{' '.join(sorted(ids)[:MOST_WORDS])}{more}"
