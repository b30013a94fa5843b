"""Follows a run on Kubeflow to its end, or as long as somebody wants to wait."""

import time
from collections.abc import Callable

from pipeline.kubeflow.api import LostError
from pipeline.kubeflow.run_state import RunReader, RunState

# As long as a node takes to be replaced, and the API server to start on it.
PATIENCE = 15 * 60.0


def follow(
    reader: RunReader,
    show: Callable[[RunState], None],
    note: Callable[[str], None],
    timeout: float | None = None,
    pause: float = 5.0,
) -> RunState | None:
    """Follow a run to its end.

    A host that doesn't answer for a while is waited for: the run goes on without it.

    Args:
        reader: of the run.
        show: called with each look at it.
        note: called with a line when the host is lost.
        timeout: seconds to wait at most; None: as long as it takes.
        pause: seconds between two looks.

    Returns:
        How it ended; None if the time was up before.

    Raises:
        LostError: the host hasn't answered for a quarter of an hour.
        SubmitError: it answers, but doesn't know the run or doesn't let us see it.
    """
    begun = time.monotonic()
    lost_since: float | None = None
    while True:
        try:
            run = reader.read()
        except LostError as error:
            now = time.monotonic()
            if lost_since is None:
                lost_since = now
                note(f"{error}; waiting for it")
            elif now - lost_since > PATIENCE:
                raise
        else:
            lost_since = None
            show(run)
            if run.finished:
                return run
        if timeout is not None and time.monotonic() - begun + pause > timeout:
            return None
        time.sleep(pause)
