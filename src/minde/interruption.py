"""Signals to stop: they are recorded, and work ends at the next point where nothing is lost."""

import signal

STATUSES = {
    signal.SIGUSR2: 75,
    signal.SIGTERM: 128 + signal.SIGTERM,
    signal.SIGINT: 128 + signal.SIGINT,
}
"""Exit status of a step that a signal has stopped and that resumes when it is run again.

Schedulers are asked to send SIGUSR2 before the time limit: status 75 (EX_TEMPFAIL) asks to be run again. SIGTERM and
SIGINT (Ctrl-C) exit with the usual shell codes, 143 and 130, after saving state.
"""


class Interruption:
    """Records the first signal to stop instead of ending the process."""

    def __init__(self) -> None:
        """Record nothing yet."""
        self.signal: signal.Signals | None = None

    def listen(self) -> None:
        """Record these signals from now until the process ends; must be called by its main thread."""
        for number in STATUSES:
            signal.signal(number, self._note)

    def exit(self) -> None:
        """Leave the process with the signal's exit status."""
        raise SystemExit(STATUSES[self.signal])

    def _note(self, number: int, frame: object) -> None:
        self.signal = self.signal or signal.Signals(number)
