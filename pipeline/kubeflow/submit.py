"""Hands a compiled pipeline to Kubeflow: uploads it as a version named by its content, and starts a run or a schedule.

request = Request(Path("affect.yaml"), "http://localhost:8080", experiment="faces", parameters={"epochs": "50"})
result = submit(request)
state = wait(request, result.run_id)
"""

import contextlib
import hashlib
import json
import os
import tempfile
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from components.options import ARCHITECTURES

SERVICE_ACCOUNT = "# Service account: "
SUCCEEDED = "SUCCEEDED"
_FINISHED = {SUCCEEDED, "FAILED", "CANCELED", "SKIPPED", "ERROR"}
_SECONDS_TO_ANSWER = 15


class SubmitError(RuntimeError):
    """It can't be submitted; the message is one line and says what to do."""


@dataclass(frozen=True)
class Request:
    """What to submit, and to whom.

    Attributes:
        path: the compiled YAML.
        host: URL of Kubeflow Pipelines.
        experiment: made if it isn't there.
        namespace: of a multi-user installation; None for a single-user one.
        parameters: of the pipeline, as text.
        schedule: cron expression of five fields, or six with seconds first; None: run once, now.
        token: bearer token.
        cache: False: no task takes earlier results; True: as compiled.
    """

    path: Path
    host: str
    experiment: str = "facial-affect"
    namespace: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    schedule: str | None = None
    token: str | None = None
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


def submit(request: Request) -> Submission:
    """Upload the pipeline and start it.

    Raises:
        SubmitError: unreadable file, unknown parameter, unreachable or unwilling host.
    """
    text = _read(request.path)
    spec = next(yaml.safe_load_all(text))
    values = parse_parameters(spec, request.parameters)
    cron = six_fields(request.schedule) if request.schedule else None
    if not request.cache:
        text = without_cache(text)
    version = hashlib.sha256(text.encode()).hexdigest()[:12]
    name = spec["pipelineInfo"]["name"]
    with _explained(request):
        client = _client(request)
        experiment = client.create_experiment(request.experiment, namespace=request.namespace)
        pipeline_id, version_id = _version(client, request, name, version, text)
        common = {
            "experiment_id": experiment.experiment_id,
            "job_name": f"{name}-{version}-{time.strftime('%Y%m%d-%H%M%S')}",
            "params": values,
            "pipeline_id": pipeline_id,
            "version_id": version_id,
            "service_account": _service_account(text),
        }
        host = request.host.rstrip("/")
        if cron:
            recurring = client.create_recurring_run(**common, cron_expression=cron, no_catchup=True)
            run_id = recurring.recurring_run_id
            return Submission(version, run_id, f"{host}/#/recurringrun/details/{run_id}")
        run_id = client.run_pipeline(**common).run_id
        return Submission(version, run_id, f"{host}/#/runs/details/{run_id}")


def wait(request: Request, run_id: str, report: Callable[[str], None], pause: float = 5.0) -> str:
    """Follow a run to its end.

    Args:
        request: for host and token.
        run_id: of the run.
        report: called with each new state.
        pause: seconds between two questions.

    Returns:
        `SUCCEEDED`, `FAILED`, `CANCELED`, `SKIPPED` or `ERROR`.

    Raises:
        SubmitError: the host doesn't answer any more.
    """
    known = ""
    with _explained(request):
        client = _client(request)
        while True:
            state = str(client.get_run(run_id).state or "PENDING").upper()
            if state != known:
                report(state)
            if state in _FINISHED:
                return state
            known = state
            time.sleep(pause)


def parse_parameters(spec: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """Text to the types that the pipeline declares.

    Raises:
        SubmitError: no such parameter, or a value that it can't take.
    """
    declared = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    values: dict[str, Any] = {}
    for name, text in given.items():
        if name not in declared:
            raise SubmitError(f"no parameter {name}. The pipeline has: {', '.join(sorted(declared))}")
        integer = declared[name]["parameterType"] == "NUMBER_INTEGER"
        try:
            values[name] = int(text) if integer else text
        except ValueError:
            raise SubmitError(f"--param {name} must be an integer. Received: {text}") from None
    if values.get("epochs", 1) < 1:
        raise SubmitError(f"--param epochs must be at least 1. Received: {values['epochs']}")
    if values.get("seed", 0) < 0:
        raise SubmitError(f"--param seed must not be negative. Received: {values['seed']}")
    if values.get("architecture", ARCHITECTURES[0]) not in ARCHITECTURES:
        raise SubmitError(f"--param architecture: {', '.join(ARCHITECTURES)}. Received: {values['architecture']}")
    return values


def six_fields(cron: str) -> str:
    """A cron expression as Kubeflow wants it: seconds first.

    Raises:
        SubmitError: neither five nor six fields.
    """
    fields = cron.split()
    if len(fields) not in (5, 6):
        raise SubmitError(f"--schedule wants five fields (`0 3 * * 1`), or six with seconds first. Received: {cron}")
    return " ".join(fields if len(fields) == 6 else ["0", *fields])


def without_cache(text: str) -> str:
    """The compiled file with every task's caching off: an uploaded version takes no such option from a run."""
    comments = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    documents = list(yaml.safe_load_all(text))
    for task in documents[0]["root"]["dag"]["tasks"].values():
        task["cachingOptions"] = {}
    return comments + yaml.safe_dump_all(documents, sort_keys=True, allow_unicode=True)


def _read(path: Path) -> str:
    try:
        text = path.read_text("utf-8")
        spec = next(yaml.safe_load_all(text))
        if not {"pipelineInfo", "root", "deploymentSpec"} <= set(spec):
            raise TypeError
    except OSError as error:
        raise SubmitError(f"can't read {path}: {error.strerror}") from None
    except (UnicodeDecodeError, yaml.YAMLError, TypeError, StopIteration):
        raise SubmitError(f"{path} is no compiled pipeline: make one with `python -m pipeline compile`") from None
    return text


def _service_account(text: str) -> str | None:
    lines = (line for line in text.splitlines() if line.startswith(SERVICE_ACCOUNT))
    return next((line.removeprefix(SERVICE_ACCOUNT).strip() for line in lines), None)


def _version(client: Any, request: Request, name: str, version: str, text: str) -> tuple[str, str]:
    """Ids of the pipeline and of its version; uploaded unless the same content is there already."""
    pipeline_id = _pipeline_id(client, request, name)
    if pipeline_id:
        page = ""
        while True:
            found = client.list_pipeline_versions(pipeline_id, page_token=page, page_size=100)
            for known in found.pipeline_versions or []:
                if known.display_name == version:
                    return pipeline_id, known.pipeline_version_id
            page = found.next_page_token or ""
            if not page:
                break
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pipeline.yaml"
        path.write_text(text, "utf-8")
        if not pipeline_id:
            pipeline_id = client.upload_pipeline(str(path), name, namespace=request.namespace).pipeline_id
        uploaded = client.upload_pipeline_version(str(path), version, pipeline_id=pipeline_id)
    return pipeline_id, uploaded.pipeline_version_id


def _pipeline_id(client: Any, request: Request, name: str) -> str | None:
    where = {"predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": name}]}
    found = client.list_pipelines(namespace=request.namespace, filter=json.dumps(where), page_size=10)
    return next((item.pipeline_id for item in found.pipelines or [] if item.display_name == name), None)


def _client(request: Request) -> Any:
    _knock(request)
    warnings.simplefilter("ignore")
    from kfp import Client

    return Client(host=request.host, namespace=request.namespace or "kubeflow", existing_token=request.token)


def _knock(request: Request) -> None:
    """Ask for the host's health once: kfp's client would try for half a minute."""
    question = urllib.request.Request(f"{request.host.rstrip('/')}/apis/v2beta1/healthz")
    if request.token:
        question.add_header("Authorization", f"Bearer {request.token}")
    try:
        with urllib.request.urlopen(question, timeout=_SECONDS_TO_ANSWER):
            pass
    except urllib.error.HTTPError as error:
        raise _refused(request, error.code, error.reason) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise SubmitError(f"can't reach {request.host}: {reason}. Is it the URL of Kubeflow Pipelines?") from None


@contextlib.contextmanager
def _explained(request: Request) -> Iterator[None]:
    """Silence what kfp itself prints, and say its errors in one line."""
    import kfp_server_api
    import urllib3

    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123 (no path)
            yield
    except kfp_server_api.ApiException as error:
        try:
            message = json.loads(error.body).get("message") or json.loads(error.body).get("error")
        except (TypeError, ValueError, AttributeError):
            message = error.reason
        raise _refused(request, error.status, str(message)) from None
    except urllib3.exceptions.HTTPError as error:
        raise SubmitError(f"lost {request.host}: {' '.join(str(error).split())}") from None


def _refused(request: Request, status: int, message: str) -> SubmitError:
    message = " ".join(message.split())
    if status in (401, 403):
        hint = "name the variable that holds your token with --token-env" if not request.token else "is the token valid"
        where = f" in namespace {request.namespace}" if request.namespace else ""
        return SubmitError(f"{request.host} doesn't let you in{where} ({status}: {message}); {hint}")
    return SubmitError(f"{request.host} refused ({status}): {message}")
