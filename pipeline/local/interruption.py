"""A run that somebody stops, by ^C or by SIGTERM as systems do when they shut down or reclaim a machine."""

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM came."""


def exit_status(interrupt: KeyboardInterrupt) -> int:
    """Return what a shell takes for a process that was stopped so: 128 and the signal's number."""
    return 128 + (signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT)


def interrupt_behind(error: BaseException) -> KeyboardInterrupt | None:
    """Return the interruption that an error hides: Beam makes a RuntimeError of what is raised within its steps."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, KeyboardInterrupt):
        found = found.__cause__ or found.__context__
    return found


@contextlib.contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Let SIGTERM end this process as ^C does, so that what is being written is left in order."""
    process = os.getpid()

    def terminate(number: int, frame: FrameType | None) -> None:
        del frame
        if os.getpid() == process:
            raise Terminated
        # A worker that was forked from this process: nobody waits for its last words.
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
