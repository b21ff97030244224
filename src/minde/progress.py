"""Progress for a person who waits: a live line on a terminal, plain lines in a log."""

import sys
import time
from typing import TextIO

LIVE_EVERY = 0.2  # seconds
LOG_EVERY = 30.0  # seconds


class Progress:
    """Reports of work whose size is known: share done, rate, time left, and what the caller adds.

    ``work`` is the whole in ``unit``; it can be entered in the middle, by the first report, when a run is resumed.
    """

    def __init__(self, title: str, work: int, unit: str, stream: TextIO | None = None) -> None:
        """Start the clock; nothing is written yet."""
        self.stream = stream or sys.stderr
        self.title, self.work, self.unit = title, work, unit
        self.live = self.stream.isatty()
        self.start = time.perf_counter()
        self.entry: tuple[int, float] | None = None
        self.last = -LOG_EVERY

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.start

    def report(self, done: int, about: str, *, milestone: bool = False) -> None:
        """Say where the work stands; between milestones, only as often as a reader can use."""
        now = self.seconds
        if self.entry is None:
            self.entry = (done, now)
        if not milestone and now - self.last < (LIVE_EVERY if self.live else LOG_EVERY):
            return
        self.last = now
        first, since = self.entry
        rate = (done - first) / (now - since) if done > first else 0.0
        left = _clock((self.work - done) / rate) if rate else "unknown"
        line = (
            f"{self.title}: {self.unit} {done}/{self.work} ({done / self.work:.0%}), {rate:.3g} {self.unit}/s, "
            f"{about}, {left} left"
        )
        # A milestone stays on the terminal; other lines are written over.
        end = "\n" if milestone or not self.live else ""
        print(f"\r\x1b[K{line}" if self.live else line, end=end, file=self.stream, flush=True)


def tell(text: str, stream: TextIO | None = None) -> None:
    """Say something once: that a run is resumed, or why not."""
    stream = stream or sys.stderr
    clear = "\r\x1b[K" if stream.isatty() else ""  # a live line may stand there
    print(f"{clear}{text}", file=stream, flush=True)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
