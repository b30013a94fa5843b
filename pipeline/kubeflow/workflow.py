"""Argo's Workflow of a run, which the v1beta1 API of every release hands out."""

import json
from typing import Any
from urllib.parse import quote

from pipeline.kubeflow.api import Host, MissingError


def read_workflow(host: Host, run_id: object) -> dict[str, Any]:
    """Return a run's Workflow; empty where there is none yet, or no v1beta1.

    Raises:
        SubmitError: a refusal, or no answer.
    """
    try:
        answer = host.get_json(f"/apis/v1beta1/runs/{quote(str(run_id), safe='')}")
    except MissingError:
        return {}
    manifest = (answer.get("pipeline_runtime") or {}).get("workflow_manifest")
    return dict(json.loads(manifest)) if manifest else {}
