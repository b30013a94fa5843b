"""Hands a compiled pipeline to Kubeflow: uploads it as a version named by its content, and starts a run or a schedule.

request = Request(Path("affect.yaml"), Host("http://localhost:8080"), experiment="faces", parameters={"epochs": "50"})
result = submit(request, warn=print)
"""

import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml

from pipeline.kubeflow.api import Host, SubmitError, is_conflict
from pipeline.kubeflow.exit_task import tasks_of
from pipeline.kubeflow.ir_yaml import dump
from pipeline.kubeflow.launcher_config import disagreements
from pipeline.kubeflow.parameters import checked
from pipeline.kubeflow.spec import read_rules
from pipeline.kubeflow.version_description import version_description

SERVICE_ACCOUNT = "# Service account: "
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Request:
    """What to submit, and to whom.

    Attributes:
        path: the compiled YAML.
        host: Kubeflow Pipelines.
        experiment: made if it isn't there.
        parameters: of the pipeline, as text.
        schedule: cron expression of five fields, or six with seconds first; None: run once, now.
        cache: False: no task takes earlier results; True: as compiled.
    """

    path: Path
    host: Host
    experiment: str = "facial-affect"
    parameters: Mapping[str, str] = field(default_factory=dict)
    schedule: str | None = None
    cache: bool = True


@dataclass(frozen=True)
class Submission:
    """What came of it.

    Attributes:
        version: name of the pipeline's version.
        run_id: of the run, or of the recurring run.
        link: to its page.
    """

    version: str
    run_id: str
    link: str


def submit(request: Request, warn: Callable[[str], None]) -> Submission:
    """Upload the pipeline and start it.

    Args:
        request: what to submit, and to whom.
        warn: called with what will probably fail, a line each.

    Raises:
        SubmitError: unreadable file, unknown parameter, unreachable or unwilling host.
    """
    text = _read(request.path)
    documents = list(yaml.safe_load_all(text))
    values = parse_parameters(documents[0], request.parameters)
    cron = six_fields(request.schedule) if request.schedule else None
    for problem in disagreements(documents, values):
        warn(problem)
    if not request.cache:
        text = without_cache(text)
    version = hashlib.sha256(text.encode()).hexdigest()[:12]
    name = documents[0]["pipelineInfo"]["name"]
    client = request.host.client()
    with request.host.explained():
        experiment = _once_more(lambda: client.create_experiment(request.experiment, namespace=request.host.namespace))
        pipeline_id = _pipeline_id(client, request.host, name)
        common = {
            "experiment_id": experiment.experiment_id,
            "job_name": f"{name}-{version}-{time.strftime('%Y%m%d-%H%M%S')}",
            "params": values,
            "pipeline_id": pipeline_id,
            "version_id": _version_id(client, pipeline_id, version, text, version_description(text, request.cache)),
            # The IR's own is read by Kubeflow's form alone.
            "pipeline_root": documents[0].get("defaultPipelineRoot"),
            "service_account": _service_account(text),
        }
        if cron:
            recurring = client.create_recurring_run(**common, cron_expression=cron, no_catchup=True)
            run_id = recurring.recurring_run_id
            return Submission(version, run_id, request.host.recurring_link(run_id))
        run_id = client.run_pipeline(**common).run_id
        return Submission(version, run_id, request.host.run_link(run_id))


def parse_parameters(spec: dict[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """Text to the types that the pipeline declares.

    Raises:
        SubmitError: no such parameter, or a value that it can't take.
    """
    declared = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    rules = read_rules(spec)
    values: dict[str, Any] = {}
    for name, text in given.items():
        if name not in declared:
            raise SubmitError(f"no parameter {name}. The pipeline has: {', '.join(sorted(declared))}")
        try:
            values[name] = checked(name, text, rules[name]) if name in rules else text
        except ValueError as error:
            raise SubmitError(str(error)) from None
    return values


def six_fields(cron: str) -> str:
    """Return a cron expression as Kubeflow requires it: seconds first.

    Raises:
        SubmitError: neither five nor six fields.
    """
    fields = cron.split()
    if len(fields) not in (5, 6):
        raise SubmitError(f"--schedule requires five fields (`0 3 * * 1`), or six with seconds first. Received: {cron}")
    return " ".join(fields if len(fields) == 6 else ["0", *fields])


def without_cache(text: str) -> str:
    """Return the compiled file with every task's caching off: an uploaded version takes no such option from a run."""
    comments = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    documents = list(yaml.safe_load_all(text))
    for task in tasks_of(documents[0]).values():
        task["cachingOptions"] = {}
    return comments + dump(documents)


def _read(path: Path) -> str:
    try:
        text = path.read_text("utf-8")
        spec = next(yaml.safe_load_all(text))
        if not {"pipelineInfo", "root", "deploymentSpec"} <= set(spec):
            raise TypeError
    except OSError as error:
        raise SubmitError(f"can't read {path}: {error.strerror}") from None
    except (UnicodeDecodeError, yaml.YAMLError, TypeError, StopIteration):
        raise SubmitError(f"{path} is no compiled pipeline: make one with `affect compile`") from None
    return text


def _service_account(text: str) -> str | None:
    lines = (line for line in text.splitlines() if line.startswith(SERVICE_ACCOUNT))
    return next((line.removeprefix(SERVICE_ACCOUNT).strip() for line in lines), None)


def _pipeline_id(client: Any, host: Host, name: str) -> str:
    """Id of the pipeline; made, without a version, unless it is there already."""

    def find_or_make() -> str:
        where = {"predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": name}]}
        found = client.list_pipelines(namespace=host.namespace, filter=json.dumps(where), page_size=10)
        known = next((item.pipeline_id for item in found.pipelines or [] if item.display_name == name), None)
        return known or _make_pipeline(client, host, name)

    return _once_more(find_or_make)


def _make_pipeline(client: Any, host: Host, name: str) -> str:
    # kfp's own `upload_pipeline` would make a first version, of the same content as ours but with another name.
    import kfp_server_api

    service = client._pipelines_api
    create = getattr(service, "pipeline_service_create_pipeline", None) or service.create_pipeline
    made = create(kfp_server_api.V2beta1Pipeline(display_name=name, namespace=host.namespace))
    return str(made.pipeline_id)


def _version_id(client: Any, pipeline_id: str, version: str, text: str, description: str) -> str:
    """Id of the version; uploaded unless the same content is there already."""

    def find_or_upload() -> str:
        page = ""
        while True:
            found = client.list_pipeline_versions(pipeline_id, page_token=page, page_size=100)
            for known in found.pipeline_versions or []:
                if known.display_name == version:
                    return str(known.pipeline_version_id)
            page = found.next_page_token or ""
            if not page:
                break
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "pipeline.yaml"
            path.write_text(text, "utf-8")
            made = client.upload_pipeline_version(str(path), version, pipeline_id=pipeline_id, description=description)
            return str(made.pipeline_version_id)

    return _once_more(find_or_upload)


def _once_more(find_or_make: Callable[[], _Found]) -> _Found:
    """Look again where somebody else has made the same between the look and the making."""
    try:
        return find_or_make()
    except Exception as error:
        if not is_conflict(error):
            raise
    return find_or_make()
