"""Jobs of earlier runs whose Snakemake was killed: those that do what is asked now are waited for, not made again."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import clusters, runs, work
from .jobs import Ready
from .runs import Entry, Run

AGAIN = 10.0  # seconds between questions to a cluster that does not answer
MOST_WORDS = 10  # ids in one message


@dataclass
class Earlier:
    """What earlier runs have left: jobs in the queue, running, or ended while nobody looked."""

    cluster: clusters.Cluster
    logger: object
    runs: list[Run]
    entries: list[Entry]
    """The jobs that nobody has taken."""
    living: set[str]
    """Allocations that waited or ran at the start, and are not known to have ended since."""
    strays: set[str]
    """Those of them of which nobody knows what they do; to be cancelled."""
    doomed: set[str]
    """Those that were cancelled already, or would write what is now made otherwise; to be cancelled."""
    taken: set[str] = field(default_factory=set)
    """Allocations that somebody waits for."""

    @classmethod
    def find(cls, earlier: list[Run], name: str, cluster: clusters.Cluster, logger: object) -> "Earlier":
        """Return what is left of earlier runs on the cluster of a name; wait for a cluster that does not answer."""
        noted = [(entry, end) for run in earlier for entry, end in run.entries()]
        if elsewhere := {entry.cluster for entry, end in noted if not end and entry.cluster != name}:
            logger.warning(f"Jobs of an earlier run on the cluster {elsewhere.pop()!r} are not looked at.")
        noted = [(entry, end) for entry, end in noted if entry.cluster == name]
        ids = [entry.cluster_id for entry, end in noted if end != "ended"]
        while (living := cluster.alive([run.id for run in earlier], ids) if earlier else set()) is None:
            logger.warning(f"The cluster does not say what earlier runs left; asking again in {AGAIN:.0f} seconds.")
            time.sleep(AGAIN)
        results = runs.results((entry.folder, entry.token) for entry, end in noted if end != "ended")
        left, gone = [], []
        for entry, end in noted:
            if end == "ended":
                continue
            if result := results.get((entry.folder, entry.token)):
                is_left = result["status"] == 0 and not end
            else:
                is_left = entry.cluster_id in living
            (left if is_left else gone).append(entry)
        _note(Run.note_end, gone)
        doomed = {entry.cluster_id for entry, end in noted if end == "cancelled"} & living
        if found := sum(entry.cluster_id not in doomed for entry in left):
            logger.info(f"{found} jobs of an earlier run are still there; what is asked for is taken over.")
        strays = living - {entry.cluster_id for entry, _ in noted}
        if strays:
            logger.info(f"Cancelling {_words(strays)}: an earlier run was killed before it had noted what they do.")
            cluster.cancel(strays)
        return cls(cluster, logger, earlier, left, living, strays, doomed)

    def unasked(self) -> set[str]:
        """Return the allocations of jobs that go on and that nobody has asked for."""
        return {entry.cluster_id for entry in self.entries if not _has_ended(entry)} - self.doomed

    def take(self, wanted: list[Ready]) -> Iterator[tuple[Ready, Entry | None]]:
        """Return jobs, each with an earlier one that does what it asks, or with the rivals that have to end before it.

        An allocation is taken over or cancelled as a whole; what is already waited for is not cancelled.
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
        # A command that has ended writes no more, whatever else its allocation does.
        rivals = [{entry.cluster_id for entry in entries if not _has_ended(entry)} & self.living for entries in near]
        self._doom(set().union(*(ids for ids, fit in zip(rivals, fitting, strict=True) if fit is None)))
        for ready, entries, ids, fit in zip(wanted, near, rivals, fitting, strict=True):
            if fit is not None and fit.cluster_id not in self.doomed:
                self.taken.add(fit.cluster_id)
                self.entries.remove(fit)
                yield ready, fit
            else:
                _note(Run.note_cancelled, entries)  # nobody is to take them for what is made now
                yield replace(ready, rivals=frozenset(ids | self.strays)), None

    def _fitting(self, ready: Ready, near: list[Entry]) -> Entry | None:
        if len(near) != 1 or (near[0].outputs, near[0].fingerprint) != (ready.outputs, ready.fingerprint):
            return None
        return None if runs.is_stale(near[0], ready.inputs, _has_ended(near[0])) else near[0]

    def _doom(self, allocations: set[str]) -> None:
        if allocations := allocations - self.taken - self.doomed:
            self.logger.info(
                f"Cancelling {_words(allocations)} of an earlier run: they make the same files, otherwise."
            )
            self.doomed |= allocations

    def blocked(self, batch: list[Ready]) -> tuple[list[Ready], str]:
        """Return the jobs whose rivals have not ended, and why; cancel rivals that do nothing which is waited for."""
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

    def to_cancel(self) -> set[str]:
        """Return the allocations that were taken over or have to make way: all that an end of everything is about."""
        return self.taken | self.doomed | self.strays

    def note_cancelled(self) -> None:
        """Note that these were cancelled, for what nobody has taken of them."""
        _note(Run.note_cancelled, [entry for entry in self.entries if entry.cluster_id in self.to_cancel()])

    def close(self, keep_logs: bool) -> None:
        """Clear up after jobs that have succeeded and that nobody has asked for, as their files were there already."""
        results = runs.results((entry.folder, entry.token) for entry in self.entries)
        for entry in list(self.entries):
            if results.get((entry.folder, entry.token), {}).get("status") == 0:
                self.entries.remove(entry)
                allocation = runs.Allocation(Path(entry.folder), entry.cluster_id, {entry.token})
                allocation.close(entry.token, ok=True, keep_log=keep_logs)
                allocation.tidy()


def _has_ended(entry: Entry) -> bool:
    return work.result_path(entry.folder, entry.token).exists()


def _note(how: object, entries: Iterable[Entry]) -> None:
    """Write to the lists of the entries' runs what became of them, by a method of theirs."""
    tokens = defaultdict(list)
    for entry in entries:
        tokens[entry.folder].append(entry.token)
    for folder in tokens:
        how(Run(Path(folder)), *tokens[folder])


def _words(ids: set[str] | frozenset[str]) -> str:
    more = f" and {len(ids) - MOST_WORDS} more" if len(ids) > MOST_WORDS else ""
    return f"{' '.join(sorted(ids)[:MOST_WORDS])}{more}"
