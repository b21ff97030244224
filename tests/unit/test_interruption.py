"""Signals to stop are recorded, and the first one decides the exit status."""

import os
import signal

import pytest

from minde.interruption import STATUSES, Interruption


def test_the_first_signal_decides_the_exit_status() -> None:
    before = {number: signal.getsignal(number) for number in STATUSES}
    interruption = Interruption()
    try:
        interruption.listen()
        assert interruption.signal is None
        os.kill(os.getpid(), signal.SIGUSR2)
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert interruption.signal is signal.SIGUSR2
    with pytest.raises(SystemExit) as exit:
        interruption.exit()
    assert exit.value.code == 75


def test_exit_statuses_are_those_of_the_documentation() -> None:
    assert STATUSES == {signal.SIGUSR2: 75, signal.SIGTERM: 143, signal.SIGINT: 130}
