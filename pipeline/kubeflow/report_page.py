"""The report of a run on Kubeflow: where it is, and the page itself.

The API has no bytes of artifacts, nor an address signed for them. Kubeflow's pages fetch them for the browser, by an
address beside the API and with the keys that they have. Where only the API is reached, the object store itself is
asked, with the environment's keys.
"""

import os
from collections.abc import Mapping

from components.formats.nodes import REPORT
from components.tools.retries import reason, with_retries
from pipeline.kubeflow.api import Host, SubmitError
from pipeline.kubeflow.launcher_config import ENDPOINT
from pipeline.lineage.store import Artifact, LineageStore, Run, StoreError

_TYPE = "system.HTML"
# What Kubeflow's pages call a store, by the scheme of its URIs.
_SOURCES = {"minio": "minio", "s3": "s3", "gs": "gcs"}
# Which fsspec opens, by the same.
_SCHEMES = {"minio": "s3", "s3": "s3", "gs": "gs"}
_SESSION = "store_session_info"
_END = b"</html>"


def find_page(store: LineageStore, run: Run) -> Artifact:
    """Return the artifact of a run's report.

    Raises:
        StoreError: it has none yet, or none any more.
    """
    reports = [execution.id for execution in store.executions_of(run) if execution.component == REPORT]
    made = [event.artifact for event in store.events_of_executions(reports) if not event.is_input] if reports else []
    found = [one for one in store.artifacts(made) if one.type == _TYPE] if made else []
    if not found:
        raise StoreError(f"run {run.name} has no report: its task Report hasn't ended well")
    return found[-1]


def fetch(host: Host, page: Artifact) -> bytes:
    """Return the page, whole.

    Raises:
        SubmitError: neither Kubeflow's pages nor the store itself gave it.
    """
    scheme, _, place = page.uri.partition("://")
    bucket, _, key = place.partition("/")
    if scheme not in _SOURCES or not key:
        raise SubmitError(f"the report must be at minio://, s3:// or gs://. Received: {page.uri}")
    query = {"source": _SOURCES[scheme], "bucket": bucket, "key": key, **_session(page.properties)}
    if host.namespace:
        query["namespace"] = host.namespace
    try:
        return _whole(host.get("/artifacts/get", query), page.uri)
    except SubmitError as error:
        refusal = str(error)
    try:
        return _whole(_from_store(scheme, place), page.uri)
    except (OSError, ValueError, ImportError) as error:
        raise SubmitError(f"can't fetch {page.uri}: {refusal}; and from the store itself: {reason(error)}") from None


def _session(properties: Mapping[str, object]) -> dict[str, str]:
    """Return how the store is reached, where the driver has recorded it."""
    session = properties.get(_SESSION)
    return {"providerInfo": session} if isinstance(session, str) else {}


def _from_store(scheme: str, place: str) -> bytes:
    if scheme == "minio" and not os.environ.get(ENDPOINT):
        raise ValueError(f"set {ENDPOINT} and its keys to where the installation's store is reached from here")
    import fsspec  # takes a quarter of a second

    store, path = fsspec.core.url_to_fs(f"{_SCHEMES[scheme]}://{place}")
    return with_retries(lambda: bytes(store.cat_file(path)))


def _whole(page: bytes, uri: str) -> bytes:
    if not page.rstrip().endswith(_END):
        raise SubmitError(f"what came for {uri} is no whole page: {len(page)} bytes")
    return page
