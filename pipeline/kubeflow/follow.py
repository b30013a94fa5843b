"""Follows a run on Kubeflow to its end."""

import time
from collections.abc import Callable

from pipeline.kubeflow.api import Host, LostError

SUCCEEDED = "SUCCEEDED"
_FINISHED = {SUCCEEDED, "FAILED", "CANCELED", "SKIPPED", "ERROR"}
# As long as a node takes to be replaced, and the API server to start on it.
PATIENCE = 15 * 60.0


def wait(host: Host, run_id: str, report: Callable[[str], None], pause: float = 5.0) -> str:
    """Follow a run to its end.

    A host that doesn't answer for a while is waited for: the run goes on without it.

    Args:
        host: where it runs.
        run_id: of the run.
        report: called with each new state, and once when the host is lost.
        pause: seconds between two questions.

    Returns:
        `SUCCEEDED`, `FAILED`, `CANCELED`, `SKIPPED` or `ERROR`.

    Raises:
        LostError: the host hasn't answered for a quarter of an hour.
        SubmitError: it answers, but doesn't know the run or doesn't let us see it.
    """
    known = ""
    lost_since: float | None = None
    client = None
    while True:
        try:
            client = client or host.client()
            with host.explained():
                state = str(client.get_run(run_id).state or "PENDING").upper()
        except LostError as error:
            now = time.monotonic()
            if lost_since is None:
                lost_since = now
                report(f"{error}; waiting for it")
            elif now - lost_since > PATIENCE:
                raise
        else:
            lost_since = None
            if state != known:
                report(state.lower())
            if state in _FINISHED:
                return state
            known = state
        time.sleep(pause)
