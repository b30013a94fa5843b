"""A stand-in for Kubeflow Pipelines: the part of its API that our commands use, over real HTTP.

No Kubeflow is in it. It keeps what it is sent, and refuses a request whose body has a field that the model of
kfp-server-api (which is generated from Kubeflow's own API description) doesn't have, or one of another type. What it
answers to a refused upload, and to a second pipeline, version or experiment of one name, is what release 2.17 answers.
Runs that are looked into are those of `recorded_runs.py`.
"""

import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import kfp_server_api
import yaml
from recorded_runs import Recorded

PREFIX = "/apis/v2beta1"


@dataclass
class Kubeflow:
    """What the stand-in knows and was sent."""

    url: str = ""
    token: str | None = None
    namespaces: tuple[str, ...] = ()
    states: list[str] = field(default_factory=lambda: ["PENDING", "RUNNING", "SUCCEEDED"])
    # An answer to "how is the run" that is lost on the way, or the server's trouble, by the question's number.
    troubles: dict[int, int | None] = field(default_factory=dict)
    questions: int = 0
    # Called at each listing that finds nothing: time for somebody else to make it.
    on_miss: "Callable[[str], None] | None" = None
    upload_refusal: str = ""
    experiments: list[dict[str, Any]] = field(default_factory=list)
    pipelines: list[dict[str, Any]] = field(default_factory=list)
    versions: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    recurring: list[dict[str, Any]] = field(default_factory=list)
    kept_schedules: tuple[str, ...] = ()  # which nobody may delete
    made: int = 0
    # Argo's Workflow at each question, as JSON; none: a release without v1beta1. The last one stays.
    workflows: list[str] = field(default_factory=list)
    # Of a release without ML Metadata.
    tasks: list[dict[str, Any]] | None = None
    logs: dict[str, str] = field(default_factory=dict)  # by pod
    logs_by: str = "pages"  # the one way that leads to them: "pages", "api" or "kubernetes"
    cookie: str | None = None
    seen: list[dict[str, str]] = field(default_factory=list)  # headers of each request
    # What `inspect` and `report` look into; without it, runs are those that were submitted.
    recorded: Recorded | None = None
    # By source, bucket and key, where the host has Kubeflow's pages; None: it is the API server alone.
    objects: dict[tuple[str, str, str], bytes] | None = None
    # Of each answer to a GET: path and query.
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)


class Refusal(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def checked(body: Any, model: str) -> Any:
    """The body, if every field is one of the model's.

    Raises:
        Refusal: it isn't.
    """
    if several := re.fullmatch(r"list[\[(](\w+)[\])]", model):
        return [checked(one, several[1]) for one in body]
    if model.startswith("dict") or model in ("object", "str", "int", "bool", "datetime", "float"):
        # A 64-bit number is text in the API's description; its JSON may be either.
        wanted: Any = {"str": (str, int), "int": int, "bool": bool, "datetime": str, "float": (int, float)}.get(
            model, object
        )
        if not isinstance(body, wanted):
            raise Refusal(400, f"{model} expected. Received: {body!r}")
        return body
    kind = getattr(kfp_server_api, model)
    names = {json_name: name for name, json_name in kind.attribute_map.items()}
    for key, value in body.items() if hasattr(kind, "openapi_types") and isinstance(body, dict) else ():
        if key not in names:
            raise Refusal(400, f"{model} has no field {key}")
        checked(value, kind.openapi_types[names[key]])
    return body


def _handler(kubeflow: Kubeflow) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_DELETE(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def log_message(self, *arguments: Any) -> None:
            pass

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = urlsplit(self.path).path.removeprefix(PREFIX)  # what is left of another version's is whole
            kubeflow.seen.append(dict(self.headers))
            try:
                status, answer = 200, self._route(path, body)
            except ConnectionAbortedError:
                self.close_connection = True
                return
            except Refusal as refusal:
                status, answer = refusal.status, {"code": 3, "message": str(refusal), "details": []}
                if path.startswith("/pipelines/upload"):
                    trace = "\ngithub.com/kubeflow/pipelines/backend/src/apiserver/server.(*PipelineUploadServer)"
                    answer = {"error_message": str(refusal), "error_details": f"{refusal}{trace}"}
            text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/dex/auth")
            self.send_header("Content-Type", "text/plain" if isinstance(answer, bytes) else "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def _route(self, path: str, body: bytes) -> Any:
            if kubeflow.token and self.headers.get("Authorization") != f"Bearer {kubeflow.token}":
                raise Refusal(401, "Request not authenticated")
            if kubeflow.cookie and self.headers.get("Cookie") != kubeflow.cookie:
                raise Refusal(302, "Found")
            query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
            self._allow(query.get("namespace"))
            if path == "/healthz":
                return {"multi_user": bool(kubeflow.namespaces)}
            if self.command == "GET":
                several = parse_qs(urlsplit(self.path).query)
                kubeflow.asked.append((path, several))
                if path == "/artifacts/get" and not self.path.startswith(PREFIX):
                    return self._object(query)
                return (
                    self._recorded(kubeflow.recorded, path, several)
                    if kubeflow.recorded and not path.startswith("/apis/v1beta1/")
                    else self._listing(path, query)
                )
            if self.command == "DELETE":
                return self._delete(path)
            if path == "/pipelines/upload_version":
                return self._keep(body, query["pipelineid"], query["name"], query.get("description", ""))
            return self._made(path, json.loads(body))

        def _allow(self, namespace: str | None) -> None:
            if kubeflow.namespaces and namespace and namespace not in kubeflow.namespaces:
                raise Refusal(403, f"User is not authorized in namespace {namespace}")

        def _delete(self, path: str) -> Any:
            run_id = path.removeprefix("/recurringruns/")
            if run_id in kubeflow.kept_schedules:
                raise Refusal(403, "User is not authorized to delete it")
            if not any(one["recurring_run_id"] == run_id for one in kubeflow.recurring):
                raise Refusal(404, f"Failed to delete recurring run: {run_id} not found")
            kubeflow.recurring[:] = [one for one in kubeflow.recurring if one["recurring_run_id"] != run_id]
            return {}

        def _keep(self, body: bytes, pipeline: str, name: str, description: str) -> dict[str, Any]:
            if kubeflow.upload_refusal:
                raise Refusal(400, kubeflow.upload_refusal)
            if any((one["pipeline_id"], one["display_name"]) == (pipeline, name) for one in kubeflow.versions):
                raise Refusal(409, "Failed to create a pipeline version")
            kind = self.headers["Content-Type"].encode()
            message = message_from_bytes(b"Content-Type: " + kind + b"\r\n\r\n" + body)
            [part] = [one for one in message.walk() if not one.is_multipart()]
            text = bytes(part.get_payload(decode=True)).decode()  # type: ignore[arg-type]
            made = {"pipeline_id": pipeline, "pipeline_version_id": f"v{len(kubeflow.versions)}", "display_name": name}
            made |= {"description": description} if description else {}
            kubeflow.versions.append({**made, "documents": list(yaml.safe_load_all(text))})
            return made

        def _listing(self, path: str, query: dict[str, str]) -> Any:
            if match := re.fullmatch(r"/runs/(\w+)", path):
                kubeflow.questions += 1
                if kubeflow.questions in kubeflow.troubles:
                    status = kubeflow.troubles[kubeflow.questions]
                    if status is None:
                        raise ConnectionAbortedError
                    raise Refusal(status, "upstream connect error")
                return self._submitted(match[1], query)
            if match := re.fullmatch(r"/apis/v1beta1/runs/(\w+)", path):
                if not kubeflow.workflows:
                    raise Refusal(404, "Not Found")
                manifest = kubeflow.workflows.pop(0) if len(kubeflow.workflows) > 1 else kubeflow.workflows[0]
                return {"run": {"id": match[1]}, "pipeline_runtime": {"workflow_manifest": manifest}}
            if path == "/k8s/pod/logs":
                if kubeflow.logs_by != "pages" or query["podnamespace"] != "kubeflow":
                    raise Refusal(500, "Could not get main container logs")
                return kubeflow.logs.get(query["podname"], "").encode()
            if match := re.fullmatch(r"/apis/v1alpha1/runs/\w+/nodes/([\w-]+)/log", path):
                lost = json.dumps({"error_message": "Failed to read logs", "error_details": "pods not found"})
                return (kubeflow.logs.get(match[1], lost) if kubeflow.logs_by == "api" else lost).encode()
            if match := re.fullmatch(r"/api/v1/namespaces/kubeflow/pods/([\w-]+)/log", path):
                if kubeflow.logs_by != "kubernetes":
                    raise Refusal(404, "pods not found")
                return kubeflow.logs[match[1]].encode()
            if match := re.fullmatch(r"/pipelines/(\w+)/versions/(\w+)", path):
                [version] = [one for one in kubeflow.versions if one["pipeline_version_id"] == match[2]]
                pipeline_spec, platform_spec = version["documents"]
                return {"pipeline_spec": {"pipeline_spec": pipeline_spec, "platform_spec": platform_spec}}
            if match := re.fullmatch(r"/pipelines/(\w+)/versions", path):
                found = [version for version in kubeflow.versions if version["pipeline_id"] == match[1]]
                self._missed("versions", found)
                return {"pipeline_versions": [{k: v for k, v in one.items() if k != "documents"} for one in found]}
            if path == "/runs":
                return {"runs": kubeflow.runs[::-1]}
            if path == "/recurringruns":
                [predicate] = json.loads(query["filter"])["predicates"]
                named = [
                    one
                    for one in kubeflow.recurring
                    if one["display_name"] == predicate["stringValue"]
                    and one["experiment_id"] == query["experiment_id"]
                ]
                return _page("recurringRuns", named, {name: [value] for name, value in query.items()})
            rows = {"/experiments": kubeflow.experiments, "/pipelines": kubeflow.pipelines}.get(path)
            if rows is None:
                raise Refusal(404, "Not Found")
            if "filter" in query:
                [predicate] = json.loads(query["filter"])["predicates"]
                wanted = predicate.get("stringValue", predicate.get("string_value"))
                rows = [row for row in rows if row["display_name"] == wanted]
                self._missed(path[1:], rows)
            return {path[1:]: rows}

        def _submitted(self, run_id: str, query: dict[str, str]) -> dict[str, Any]:
            state = kubeflow.states.pop(0) if len(kubeflow.states) > 1 else kubeflow.states[0]
            known: dict[str, Any] = next((run for run in kubeflow.runs if run["run_id"] == run_id), {})
            kept: dict[str, Any] = {
                key: known[key] for key in ("display_name", "pipeline_version_reference") if key in known
            }
            full = {"tasks": kubeflow.tasks} if kubeflow.tasks is not None and query.get("view") == "FULL" else {}
            created = datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")
            return {"run_id": run_id, "state": state, "created_at": created, **kept, **full}

        def _recorded(self, recorded: Recorded, path: str, query: dict[str, list[str]]) -> Any:
            if match := re.fullmatch(r"/runs/([\w-]+)", path):
                found = [run for run in recorded.runs if run["run_id"] == match[1]]
                if not found:
                    raise Refusal(404, f"Failed to get a run: Run {match[1]} not found")
                return self._run(recorded, found[0], query.get("view") == ["FULL"])
            if path == "/runs":
                self._need_namespace(query)
                return _page("runs", [self._run(recorded, run, False) for run in recorded.runs], query)
            if not recorded.later:
                raise Refusal(404, "Not Found")
            if match := re.fullmatch(r"/artifacts/([\w-]+)", path):
                made = [one for one in recorded.artifacts() if one["artifact_id"] == match[1]]
                if not made:
                    raise Refusal(404, f"Failed to get artifact: artifact {match[1]} not found")
                return made[0]
            if path == "/artifacts":
                self._need_namespace(query)
                return _page("artifacts", recorded.artifacts(), query)
            if path == "/artifact_tasks":
                if not query.get("artifact_ids"):
                    raise Refusal(400, "At least one filter (task_ids, run_ids, or artifact_ids) is required")
                links = [one for one in recorded.links() if one["artifact_id"] in query["artifact_ids"]]
                return _page("artifact_tasks", links, query)
            raise Refusal(404, "Not Found")

        def _run(self, recorded: Recorded, run: dict[str, Any], full: bool) -> dict[str, Any]:
            if recorded.later:
                return {key: value for key, value in run.items() if key != "tasks" or full}
            checked(run, "V2beta1Run")
            return run

        def _need_namespace(self, query: dict[str, list[str]]) -> None:
            if kubeflow.namespaces and not query.get("namespace"):
                raise Refusal(400, "Namespace is empty. In multi-user mode, listing requires a namespace")

        def _object(self, query: dict[str, str]) -> bytes:
            if kubeflow.objects is None:
                raise Refusal(404, "Not Found")
            try:
                return kubeflow.objects[query["source"], query["bucket"], query["key"]]
            except KeyError:
                raise Refusal(500, "Failed to get object in bucket: NoSuchKey") from None

        def _missed(self, what: str, rows: list[dict[str, Any]]) -> None:
            if not rows and kubeflow.on_miss is not None:
                kubeflow.on_miss(what)

        def _made(self, path: str, body: dict[str, Any]) -> Any:
            models = {
                "/experiments": ("V2beta1Experiment", kubeflow.experiments, "experiment_id"),
                "/pipelines": ("V2beta1Pipeline", kubeflow.pipelines, "pipeline_id"),
                "/runs": ("V2beta1Run", kubeflow.runs, "run_id"),
                "/recurringruns": ("V2beta1RecurringRun", kubeflow.recurring, "recurring_run_id"),
            }
            model, rows, key = models[path]
            self._allow(checked(body, model).get("namespace"))
            name = body.get("display_name")
            if path in ("/experiments", "/pipelines") and any(row["display_name"] == name for row in rows):
                raise Refusal(409, f"Already exist error: the name {name} already exists")
            made = {**body, key: f"{key[0]}{len(rows) if path != '/recurringruns' else kubeflow.made}"}
            kubeflow.made += path == "/recurringruns"
            rows.append(made)
            return made

    return Handler


def _page(what: str, rows: list[dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
    """One page of a listing, sorted by time of creation; an empty list is left out, as the server leaves it out."""
    order = query.get("sort_by", ["created_at"])[0]
    if order not in ("created_at", "created_at asc", "created_at desc"):
        raise Refusal(400, f"Invalid sorting field: {order}")
    rows = sorted(rows, key=lambda row: str(row.get("created_at")), reverse=order.endswith(" desc"))
    first, size = int(query.get("page_token", ["0"])[0]), int(query.get("page_size", ["20"])[0])
    more = {"next_page_token": str(first + size)} if first + size < len(rows) else {}
    found = rows[first : first + size]
    return {**({what: found} if found else {}), **more, "total_size": len(rows)}


@contextmanager
def running(kubeflow: Kubeflow, tls: ssl.SSLContext | None = None) -> Iterator[Kubeflow]:
    """Serve it on a free port of this machine, by HTTPS if `tls` says how."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(kubeflow))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    kubeflow.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield kubeflow
    finally:
        server.shutdown()
