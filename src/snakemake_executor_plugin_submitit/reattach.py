"""Jobs of earlier runs whose Snakemake was killed: those that do what is asked now are waited for, not made again."""

from dataclasses import dataclass
from pathlib import Path

from . import clusters, runs, work
from .jobs import Ready
from .runs import Entry, Run


@dataclass
class Earlier:
    """What earlier runs have left: jobs in the queue, running, or ended while nobody looked."""

    cluster: clusters.Cluster
    logger: object
    runs: list[Run]
    entries: dict[tuple[str, ...], Entry]
    """By outputs."""

    @classmethod
    def find(cls, earlier: list[Run], name: str, cluster: clusters.Cluster, logger: object) -> "Earlier":
        """Return what is left of earlier runs on the cluster of a name."""
        entries = [entry for run in earlier for entry in run.open_entries() if entry.cluster == name]
        alive = cluster.alive({entry.cluster_id for entry in entries}) if entries else set()
        left, results = {}, runs.results({Path(entry.folder) for entry in entries})
        for entry in entries:
            ended = results.get((entry.folder, entry.token))
            # Where the cluster does not answer, a job counts as alive: its end will show.
            if alive is None or entry.cluster_id in alive or (ended and ended["status"] == 0):
                left[entry.outputs] = entry
            else:
                Run(Path(entry.folder)).note_end(entry.token)
        if left:
            logger.info(f"{len(left)} jobs of an earlier run are still there; what is asked for is taken over.")
        return cls(cluster, logger, earlier, left)

    def ids(self) -> set[str]:
        """Return the jobs that nobody has asked for."""
        return {entry.cluster_id for entry in self.entries.values()}

    def run_ids(self) -> list[str]:
        """Return the ids of earlier runs."""
        return [run.id for run in self.runs]

    def take(self, ready: Ready, inputs: list[str]) -> Entry | None:
        """Return the job that does, or did, what is asked; cancel those that would write the same files otherwise."""
        entry = self.entries.pop(ready.outputs, None)
        if entry is not None and entry.fingerprint == ready.fingerprint:
            ended = work.result_path(entry.folder, entry.token).exists()
            if not runs.is_stale(entry, inputs, ended):
                return entry
        rivals = [] if entry is None else [entry]
        rivals += [other for other in self.entries.values() if set(other.outputs) & set(ready.outputs)]
        if rivals:
            self._cancel(rivals)
        return None

    def close(self) -> None:
        """Clear up after jobs that have succeeded and that nobody has asked for, as their files were there already."""
        results = runs.results({Path(entry.folder) for entry in self.entries.values()})
        for entry in list(self.entries.values()):
            if results.get((entry.folder, entry.token), {}).get("status") == 0:
                del self.entries[entry.outputs]
                allocation = runs.Allocation(Path(entry.folder), entry.cluster_id, {entry.token})
                allocation.close(entry.token, ok=True, keep_log=False)
                allocation.tidy()

    def _cancel(self, rivals: list[Entry]) -> None:
        ids = {entry.cluster_id for entry in rivals}
        self.logger.info(f"Cancelling {' '.join(sorted(ids))} of an earlier run: they make the same files, otherwise.")
        self.cluster.cancel(ids, [])
        for entry in rivals:
            self.entries.pop(entry.outputs, None)
            Run(Path(entry.folder)).note_end(entry.token)
