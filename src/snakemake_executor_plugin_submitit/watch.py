"""Keeps an eye on SLURM jobs that have left no result: one call for all of them, seldom, and with patience."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from . import slurm, states
from .slurm import Sighting

ACCOUNTS_EVERY = 20.0  # seconds
SLOWEST = 60.0  # seconds between calls to a controller that does not answer

Table = dict[str, Sighting] | None


@dataclass
class Watch:
    """What was seen of the jobs of a run, and when SLURM may be asked again."""

    interval: float
    """Seconds between calls of squeue."""
    latency: float
    """Seconds that a file written on a node may take to be seen here."""
    say: Callable[[str], None]
    queue: Callable[[], Table] = slurm.queue
    accounts: Callable[[Iterable[str]], Table] = slurm.accounts
    seen: dict[str, Sighting | None] = field(default_factory=dict)
    memories: dict[str, states.Memory] = field(default_factory=dict)
    told: dict[str, Sighting] = field(default_factory=dict)
    """What the accounting has said."""
    answered: float = 0.0
    """When squeue last answered."""
    next_queue: float = 0.0
    next_accounts: float = 0.0
    unanswered_since: float | None = None
    accounting_answers: bool = True
    warned: set[tuple[str, str]] = field(default_factory=set)

    def ended(self, ids: set[str], now: float) -> dict[str, Sighting]:
        """Return the jobs among ``ids`` that are over, as far as is known at ``now`` (seconds, monotonic)."""
        if now >= self.next_queue:
            self._ask_queue(ids, now)
        over = {key for key in ids if key in self.memories and self._is_over(key, now)}
        missing = {key for key in ids if key in self.memories and self._is_missing(key, now)}
        unclear = {key for key in over | missing if key not in self.told or self.told[key].state not in states.FINAL}
        if not unclear:
            return {key: self._last_word(key) for key in over}
        if now < self.next_accounts:
            return {key: self._last_word(key) for key in over & self.told.keys()}
        self._ask_accounts(unclear, now)
        return {key: self._last_word(key) for key in over if self._is_over(key, now)}

    def _ask_queue(self, ids: set[str], now: float) -> None:
        table = self.queue()
        if table is None:
            if self.unanswered_since is None:
                self.unanswered_since = now
                self.say("squeue does not answer; jobs count as running until it does")
            waited = now - self.unanswered_since
            self.next_queue = now + min(max(self.interval, waited), max(self.interval, SLOWEST))
            return
        if self.unanswered_since is not None:
            self.say(f"squeue answers again, after {now - self.unanswered_since:.0f} seconds")
            # Whatever was noted before the silence says nothing of how long it has lasted since.
            self.memories.clear()
        self.unanswered_since, self.answered, self.next_queue = None, now, now + self.interval
        for key in ids:
            self.seen[key] = table.get(key)
            self.memories.setdefault(key, states.Memory()).note(self._state(key), now)
            self._warn_if_stuck(key)

    def _ask_accounts(self, ids: set[str], now: float) -> None:
        table = self.accounts(sorted(ids))
        self.next_accounts, self.accounting_answers = now + ACCOUNTS_EVERY, table is not None
        self.told |= table or {}

    def _state(self, key: str) -> str:
        return self.seen[key].state if self.seen.get(key) else "ABSENT"

    def _lasts(self, key: str, now: float) -> float:
        """Return for how long a job's state has lasted; one that may pass, between the times that it was seen."""
        state, since = self.memories[key].state, self.memories[key].since
        return (self.answered if state in {"ABSENT", *states.MAY_REQUEUE} else now) - since

    def _is_missing(self, key: str, now: float) -> bool:
        return self.memories[key].state == "ABSENT" and states.wants_accounting(None, self._lasts(key, now))

    def _is_over(self, key: str, now: float) -> bool:
        lasts = self._lasts(key, now)
        if self.seen.get(key) is not None:
            return states.ended(self.seen[key], lasts, self.latency)
        if key in self.told and self.told[key].state in states.FINAL:
            return states.ended(self.told[key], lasts, self.latency)
        # What the accounting knows goes on, unless it has missed the end, which happens.
        return states.lost(lasts, self.accounting_answers and key not in self.told)

    def _last_word(self, key: str) -> Sighting:
        seen, told = self.seen.get(key), self.told.get(key)
        if told is not None and (seen is None or told.state == seen.state):
            return told
        return seen or Sighting("UNKNOWN", "neither queue nor accounting know it; was it cancelled while pending?")

    def _warn_if_stuck(self, key: str) -> None:
        seen = self.seen[key]
        array = key.split("_")[0]
        is_stuck = seen and seen.state == "PENDING" and states.STUCK.fullmatch(seen.reason)
        if is_stuck and (array, seen.reason) not in self.warned:
            self.warned.add((array, seen.reason))
            self.say(f"SLURM job {array} is pending with reason {seen.reason}, which waiting will not change")
