"""The logs of a run's pods, by whichever way is open from here.

Kubeflow's pages hand them out, also those that Argo has put into the object store. The API server does where
installations have several users; in one for all it asks Kubernetes without a namespace and finds nothing. Else a
kubeconfig may lead to the cluster.
"""

import re
import warnings
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from pipeline.kubeflow.api import Host, SubmitError

_CONTAINER = "main"
_SECONDS_TO_ANSWER = 5.0
# A failure is told in the body of an answer that has already begun as a success.
_API_FAILURE = '{"error_message"'


class PodLogs:
    """Reads logs.

    Args:
        host: where the run is.
        run_id: of the run.
    """

    def __init__(self, host: Host, run_id: str) -> None:
        self._host, self._run_id = host, run_id
        self._ways: list[Callable[[str, str, str], str]] = [self._by_pages, self._by_api, self._by_kubernetes]

    def read(self, pod: str, namespace: str, day: str) -> str:
        """Return a pod's log; "" where no way leads to it.

        Args:
            pod: its name.
            namespace: its namespace.
            day: on which it was made, as 2026-08-01.
        """
        for way in list(self._ways):
            if log := way(pod, namespace, day):
                return log
        return ""

    def _by_pages(self, pod: str, namespace: str, day: str) -> str:
        query = {"podname": pod, "runid": self._run_id, "podnamespace": namespace, "createdat": day}
        return self._asked("/k8s/pod/logs", query)

    def _by_api(self, pod: str, namespace: str, day: str) -> str:
        del namespace, day
        log = self._asked(f"/apis/v1alpha1/runs/{quote(self._run_id, safe='')}/nodes/{pod}/log", {})
        return "" if log.startswith(_API_FAILURE) else log

    def _by_kubernetes(self, pod: str, namespace: str, day: str) -> str:
        del day
        try:
            return str(
                _pods().read_namespaced_pod_log(
                    pod, namespace, container=_CONTAINER, _request_timeout=_SECONDS_TO_ANSWER
                )
            )
        except Exception as error:  # no kubeconfig, another cluster's, no right to read: each has an error of its own
            if getattr(error, "status", None) != 404:  # that pod alone is gone
                self._ways.remove(self._by_kubernetes)
            return ""

    def _asked(self, path: str, query: dict[str, str]) -> str:
        try:
            answer = self._host.get(path, query).decode("utf-8", "replace")
        except SubmitError:
            return ""
        return "" if re.match(r"\s*<!doctype html|\s*<html", answer, re.IGNORECASE) else answer


def _pods() -> Any:
    """Return Kubernetes' client for pods, by the kubeconfig at hand, or in a pod by its service account."""
    warnings.simplefilter("ignore")
    from kubernetes import client, config

    try:
        config.load_kube_config()
    except config.ConfigException:
        config.load_incluster_config()
    return client.CoreV1Api()
