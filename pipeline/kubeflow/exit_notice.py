"""What the exit task of a compiled pipeline runs: asks Kubeflow Pipelines how the run has ended, and tells the webhook.

    python -m pipeline.kubeflow.exit_notice --run 5f2c… --webhook-env NOTICE_URL --host http://ml-pipeline.kubeflow:8888

It never fails, since its failure would be the run's.
"""

import argparse
import sys
import time
from collections.abc import Sequence

from components.formats import nodes
from components.formats.documents import REPORT
from components.tools.passwords import masked
from pipeline.kubeflow.api import Host, SubmitError
from pipeline.kubeflow.credentials import find_credentials
from pipeline.kubeflow.run_state import RunReader, RunState
from pipeline.kubeflow.task_states import ENDED
from pipeline.notice.message import Outcome, State, as_message, figures, one_line
from pipeline.notice.options import NotifyOptions
from pipeline.notice.send import send

# The API hears of a pod's end some seconds later than Argo.
_PATIENCE, _PAUSE = 90.0, 3.0


def outcome_of(run: RunState) -> Outcome:
    """Return how a run has ended, whose exit task still runs."""
    failed = next((task for task in run.tasks if task.state == "failed"), None)
    properties = {task.node: task.properties for task in run.tasks}
    pushed = properties.get(nodes.PUSHER, {}).get("pushed_model", {})
    state: State = "not blessed" if run.pushed is False else "succeeded" if _has_ended(run) else "unknown"
    if run.state in ("canceling", "canceled") or any(task.state == "canceled" for task in run.tasks):
        state = "interrupted"
    elif failed is not None or run.error:
        state = "failed"
    report = str(properties.get(nodes.REPORT, {}).get("report", {}).get("place", ""))
    return Outcome(
        run=run.name or run.run_id,
        state=state,
        component=failed.node if failed else "",
        cause=one_line(masked((failed.failure or failed.reason) if failed else run.error)),
        figures=figures(properties),
        report=f"{report}/{REPORT}" if report else "",
        model=masked(str(pushed.get("pushed_destination", ""))),
    )


def _has_ended(run: RunState) -> bool:
    return bool(run.tasks) and all(task.state in ENDED for task in run.tasks)


def read_outcome(reader: RunReader, run_id: str) -> Outcome:
    """Return how a run has ended, as soon as the API knows.

    Args:
        reader: of the run.
        run_id: its id, for want of anything better.
    """
    begun = time.monotonic()
    while True:
        late = time.monotonic() - begun > _PATIENCE
        try:
            run = reader.read()
        except SubmitError as error:
            if late:
                return Outcome(run=run_id, state="unknown", cause=one_line(str(error)))
        else:
            if late or _has_ended(run) or any(task.state in ("failed", "canceled") for task in run.tasks):
                return outcome_of(run)
        time.sleep(_PAUSE)


def main(arguments: Sequence[str]) -> None:
    """Send the notice; what keeps it from being sent is printed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", required=True)
    parser.add_argument("--webhook-env", required=True)
    parser.add_argument("--host", required=True)
    given = parser.parse_args(arguments)
    try:
        url = NotifyOptions(webhook_env=given.webhook_env).url()
        reader = RunReader(Host(given.host, None, find_credentials()), given.run)
        problem = send(url, as_message(read_outcome(reader, given.run)))
        print(f"the notice wasn't sent to {problem}" if problem else "the notice was sent", flush=True)
    except Exception as error:  # whatever it is: the run has ended as it has
        print(f"the notice wasn't sent: {masked(' '.join(str(error).split()))}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
