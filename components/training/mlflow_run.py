"""A run on an MLflow server which may be away: a training waits for none, and what couldn't be sent is sent later.

    run = MlflowRun(MlflowOptions(enabled=True, uri="http://mlflow:5000"))
    run.send(lambda client, run_id: client.log_metric(run_id, "loss", 0.5, step=1))

MLflow's own variables say the rest: MLFLOW_TRACKING_URI, MLFLOW_EXPERIMENT_NAME or _ID, MLFLOW_RUN_ID, MLFLOW_WORKSPACE
and how to get in (MLFLOW_TRACKING_AUTH, _TOKEN, _USERNAME, _PASSWORD, _SERVER_CERT_PATH), which are those that Kubeflow
Pipelines sets as well.
"""

import logging
import os
import time
from collections.abc import Callable
from typing import Any

from components.tools.passwords import masked, revealed, without_login
from components.tools.retries import reason
from components.training.options import MlflowOptions

EXPERIMENT = "facial-affect"
ADDRESS = "MLFLOW_TRACKING_URI"
_RUN = "MLFLOW_RUN_ID"
_PARENT = "mlflow.parentRunId"
_MARK = "affect_training"  # the tag
# MLflow itself tries for minutes, shows bars, and reports who uses it; what the user has set stays.
_DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
_LOGIN = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
_PAUSE, _SHARE = 60.0, 10.0  # seconds, and times what an attempt took: a server that hangs costs a tenth at most
_LONGEST = 300  # characters of a reason
_GONE = ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND")

Call = Callable[[Any, str], Any]  # takes MLflow's client and the run's id


class MlflowRun:
    """Opens the run when there is something to send, and takes it up where one is known.

    Attributes:
        run_id: of the run; None as long as the server hasn't made it.
        problem: why the last call failed, in a line; "" if it didn't.
    """

    def __init__(
        self, options: MlflowOptions, run_id: str | None = None, part: str | None = None, mark: str | None = None
    ) -> None:
        """Send nothing yet.

        Args:
            options: where, and under which names.
            run_id: of a run that goes on.
            part: what the run is beside others of the same name, such as `fold 1`: where MLFLOW_RUN_ID names a run, a
                part is a run of its own below that one.
            mark: a tag by which the run is found again where nobody knows its id; None: it can't be.
        """
        self.run_id, self.problem = run_id, ""
        self._options, self._part, self._mark = options, part, mark
        self._client: Any = None
        self._opened, self._not_before = False, 0.0
        self._told: set[str] = set()

    def send(self, call: Call) -> bool:
        """Do something with the run, unless the server was away just now.

        Each cause that something can't be sent for is told once.

        Args:
            call: takes MLflow's client and the run's id.

        Returns:
            Whether it was done.
        """
        begun = time.monotonic()
        if begun < self._not_before:
            return False
        try:
            if not self._opened:
                self._open()
            call(self._client, str(self.run_id))
        except Exception as error:  # MLflow has errors of its own, and so have the stores behind it
            self._note(error)
            now = time.monotonic()
            self._not_before = 0.0 if _is_answer(error) else now + max(_PAUSE, _SHARE * (now - begun))
            return False
        self.problem = ""
        return True

    def _open(self) -> None:
        # MLflow would print the user and the password of a URL.
        uri, login = without_login(address(self._options))
        for name, value in {**_DEFAULTS, **(dict(zip(_LOGIN, login, strict=True)) if login else {})}.items():
            os.environ.setdefault(name, value)
        logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # its warnings are those of `_note`
        from mlflow import MlflowClient

        self._client = MlflowClient(tracking_uri=uri)
        given = os.environ.get(_RUN)
        if self.run_id is None or not self._is_there(self.run_id):
            if given and self._part is None:
                self.run_id = self._client.get_run(given).info.run_id
            else:
                self.run_id = self._create(given)
        self._opened = True

    def _is_there(self, run_id: str) -> bool:
        """Return whether a run goes on: somebody may have deleted it meanwhile."""
        try:
            return bool(self._client.get_run(run_id).info.lifecycle_stage == "active")
        except Exception as error:
            if getattr(error, "error_code", None) not in _GONE:
                raise
            return False

    def _create(self, parent: str | None) -> str:
        tags = {_PARENT: parent} if parent else {}
        name = " ".join(filter(None, [self._options.name, self._part])) or None
        experiment = self._client.get_run(parent).info.experiment_id if parent else self._experiment()
        if self._mark:
            tags[_MARK] = self._mark
            if found := self._client.search_runs([experiment], f"tags.{_MARK} = '{self._mark}'", max_results=1):
                return str(found[0].info.run_id)
        return str(self._client.create_run(experiment, run_name=name, tags=tags).info.run_id)

    def _experiment(self) -> str:
        """Return the id of the experiment, which is made where there is none."""
        name = self._options.experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME")
        if not name and (number := os.environ.get("MLFLOW_EXPERIMENT_ID")):
            return number
        name = name or EXPERIMENT
        if (found := self._client.get_experiment_by_name(name)) is None:
            try:
                return str(self._client.create_experiment(name))
            except Exception:  # somebody else has made it since, or it can't be made
                if (found := self._client.get_experiment_by_name(name)) is None:
                    raise
        return str(found.experiment_id)

    def _note(self, error: Exception) -> None:
        self.problem = _cause(error)
        if self.problem not in self._told:
            self._told.add(self.problem)
            where = masked(address(self._options))
            print(f"Warning: MLflow at {where} can't be logged to: {self.problem}. The run goes on", flush=True)


def address(options: MlflowOptions) -> str:
    """Return the server's URI, for those who open it.

    Raises:
        RuntimeError: nothing names a server.
    """
    found = options.uri or os.environ.get(ADDRESS)
    if not found:
        raise RuntimeError(f"tracking.mlflow.enabled needs a server: set tracking.mlflow.uri, or {ADDRESS}")
    return revealed(found)


def _is_answer(error: Exception) -> bool:
    """Return whether a server has answered, which costs no time: asked for something else, it may do it."""
    return getattr(error, "json", None) is not None


def _cause(error: BaseException) -> str:
    """Return what is at the bottom of an error, such as `[Errno 111] Connection refused`."""
    seen: set[int] = set()
    while (below := error.__cause__ or error.__context__) is not None and id(below) not in seen:
        seen.add(id(error))
        error = below
    text = reason(error)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
