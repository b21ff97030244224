"""Being told to stop: a signal is noted, and work ends at the next place where nothing is lost."""

import signal

STATUSES = {
    signal.SIGUSR2: 75,
    signal.SIGTERM: 128 + signal.SIGTERM,
    signal.SIGINT: 128 + signal.SIGINT,
}
"""Exit status of a step that a signal has stopped and that goes on when it is run again.

SIGUSR2 is what a scheduler is asked to send before the time is up: 75 (EX_TEMPFAIL) asks to be run again. SIGTERM and
SIGINT, which is Ctrl-C, end in what a shell makes of them, 143 and 130, but with the state kept.
"""


class Interruption:
    """Notes the first signal to stop, in place of dying of it."""

    def __init__(self) -> None:
        """Hear nothing yet."""
        self.signal: signal.Signals | None = None

    def listen(self) -> None:
        """Note these signals from now on, for the rest of the process, whose main thread must call this."""
        for number in STATUSES:
            signal.signal(number, self._note)

    def exit(self) -> None:
        """Leave the process with the signal's exit status."""
        raise SystemExit(STATUSES[self.signal])

    def _note(self, number: int, frame: object) -> None:
        self.signal = self.signal or signal.Signals(number)
