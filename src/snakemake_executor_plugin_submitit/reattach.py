"""Jobs of earlier runs whose Snakemake was killed: those that do what is asked now are waited for, not made again."""

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import clusters, runs, work
from .jobs import Ready
from .runs import Entry, Run

AGAIN = 10.0  # seconds between questions to a cluster that does not answer


@dataclass
class Earlier:
    """What earlier runs have left: jobs in the queue, running, or ended while nobody looked."""

    cluster: clusters.Cluster
    logger: object
    runs: list[Run]
    entries: list[Entry]
    """The jobs that nobody has taken."""
    living: set[str]
    """Allocations that waited or ran at the start."""
    strays: set[str]
    """Those of them of which nobody knows what they do; cancelled."""
    taken: set[str] = field(default_factory=set)
    """Allocations that somebody waits for."""
    doomed: set[str] = field(default_factory=set)
    """Allocations that would write what is now made otherwise; to be cancelled."""

    @classmethod
    def find(cls, earlier: list[Run], name: str, cluster: clusters.Cluster, logger: object) -> "Earlier":
        """Return what is left of earlier runs on the cluster of a name; wait for a cluster that does not answer."""
        entries = [entry for run in earlier for entry in run.open_entries() if entry.cluster == name]
        while (living := cluster.alive([run.id for run in earlier]) if earlier else set()) is None:
            logger.warning(
                f"The cluster does not say what earlier runs have left; asking again in {AGAIN:.0f} seconds."
            )
            time.sleep(AGAIN)
        left, results = [], runs.results((entry.folder, entry.token) for entry in entries)
        for entry in entries:
            ended = results.get((entry.folder, entry.token))
            if entry.cluster_id in living or (ended and ended["status"] == 0):
                left.append(entry)
            else:
                Run(Path(entry.folder)).note_end(entry.token)
        if left:
            logger.info(f"{len(left)} jobs of an earlier run are still there; what is asked for is taken over.")
        strays = living - {entry.cluster_id for entry in entries}
        if strays:
            logger.info(f"Cancelling {_words(strays)}: an earlier run was killed before it had noted what they do.")
            cluster.cancel(strays)
        return cls(cluster, logger, earlier, left, living, strays)

    def unasked(self) -> set[str]:
        """Return the allocations of jobs that nobody has asked for."""
        return {entry.cluster_id for entry in self.entries} - self.doomed

    def take(self, wanted: list[Ready]) -> Iterator[tuple[Ready, Entry | None]]:
        """Return jobs, each with an earlier one that does what it asks, or with the rivals that have to end before it.

        An allocation is taken over or cancelled as a whole; what is already waited for is not cancelled.
        """
        writers = defaultdict(list)
        for entry in self.entries:
            for path in entry.outputs:
                writers[path].append(entry)
        near = [{entry.token: entry for path in ready.outputs for entry in writers[path]}.values() for ready in wanted]
        fitting = [self._fitting(ready, list(entries)) for ready, entries in zip(wanted, near, strict=True)]
        pairs = zip(near, fitting, strict=True)
        self._doom({entry.cluster_id for entries, fit in pairs if fit is None for entry in entries})
        for ready, entries, fit in zip(wanted, near, fitting, strict=True):
            if fit is not None and fit.cluster_id not in self.doomed:
                self.taken.add(fit.cluster_id)
                self.entries.remove(fit)
                yield ready, fit
            else:
                rivals = self.strays | {entry.cluster_id for entry in entries}
                yield replace(ready, rivals=frozenset(rivals & self.living)), None

    def _fitting(self, ready: Ready, near: list[Entry]) -> Entry | None:
        if len(near) != 1 or (near[0].outputs, near[0].fingerprint) != (ready.outputs, ready.fingerprint):
            return None
        ended = work.result_path(near[0].folder, near[0].token).exists()
        return None if runs.is_stale(near[0], ready.inputs, ended) else near[0]

    def _doom(self, allocations: set[str]) -> None:
        allocations -= self.taken | self.doomed
        if living := allocations & self.living:
            self.logger.info(f"Cancelling {_words(living)} of an earlier run: they make the same files, otherwise.")
        self.doomed |= allocations
        tokens = defaultdict(list)
        for entry in self.entries:
            if entry.cluster_id in allocations:
                tokens[entry.folder].append(entry.token)
        for folder in tokens:
            Run(Path(folder)).note_end(*tokens[folder])

    def make_way(self, rivals: frozenset[str]) -> None:
        """Cancel rivals, but for those that do other work which is waited for. Raises RivalError until all are gone."""
        living = self.cluster.alive([run.id for run in self.runs])
        if living is None:
            raise clusters.BusyError("the cluster does not say whether jobs of an earlier run have ended")
        if still := rivals & living:
            self.cluster.cancel(still - self.taken)
            raise clusters.RivalError(f"{_words(still)} of an earlier run, which make the same files, have not ended")

    def close(self) -> None:
        """Clear up after jobs that have succeeded and that nobody has asked for, as their files were there already."""
        results = runs.results((entry.folder, entry.token) for entry in self.entries)
        for entry in list(self.entries):
            if results.get((entry.folder, entry.token), {}).get("status") == 0:
                self.entries.remove(entry)
                allocation = runs.Allocation(Path(entry.folder), entry.cluster_id, {entry.token})
                allocation.close(entry.token, ok=True, keep_log=False)
                allocation.tidy()


def _words(ids: set[str] | frozenset[str]) -> str:
    return " ".join(sorted(ids))
