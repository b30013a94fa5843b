"""Schedules on Kubeflow: recurring runs, of which there is one of a name in an experiment."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.kubeflow.api import SubmitError

_PAGE = 100


def put_schedule(client: Any, what: Mapping[str, Any], cron: str, namespace: str | None) -> tuple[str, dict[str, str]]:
    """Make a recurring run, and then delete those of its name that were there before.

    One run at a time, and none that was missed is caught up on: the next one sees all that has come since.

    Args:
        client: kfp's.
        what: arguments of kfp's `create_recurring_run`, with `experiment_id` and `job_name`.
        cron: six fields, seconds first.
        namespace: of a multi-user installation; None for a single-user one.

    Returns:
        The new one's id, and the cron expressions of those that were deleted, by their ids.

    Raises:
        SubmitError: an old one can't be deleted; the new one is gone again.
    """
    before = dict(_of_name(client, what["job_name"], what["experiment_id"], namespace))
    made = client.create_recurring_run(**what, cron_expression=cron, no_catchup=True, max_concurrency=1)
    for run_id in before:
        try:
            client.delete_recurring_run(run_id)
        except Exception as error:
            if getattr(error, "status", None) == 404:  # somebody else was faster
                continue
            client.delete_recurring_run(made.recurring_run_id)
            raise SubmitError(
                f"the schedule {what['job_name']} that is there already ({run_id}) can't be replaced, so there is no "
                f"new one: delete it in Kubeflow's pages, or give another --name ({' '.join(str(error).split())[:200]})"
            ) from None
    return str(made.recurring_run_id), before


def _of_name(client: Any, name: str, experiment: str, namespace: str | None) -> Iterator[tuple[str, str]]:
    """Yield id and cron expression of each recurring run of a name in an experiment."""
    where = {"predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": name}]}
    page = ""
    while True:
        found = client.list_recurring_runs(
            page_token=page, page_size=_PAGE, experiment_id=experiment, namespace=namespace, filter=json.dumps(where)
        )
        for one in found.recurring_runs or []:
            if one.display_name == name:
                schedule = one.trigger.cron_schedule if one.trigger else None
                yield str(one.recurring_run_id), str(schedule.cron) if schedule else "no cron expression"
        page = found.next_page_token or ""
        if not page:
            return
