"""What Kubeflow's launcher must know of the object store behind the pipeline root. Pure.

Components find a store by their environment (`AWS_ENDPOINT_URL`), the launcher, which copies artifacts, by the
ConfigMap `kfp-launcher`. Where the two don't agree a task fails at its upload, after its work is done.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from components.images.places import given_places

ENDPOINT = "AWS_ENDPOINT_URL"
_ID, _KEY = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
# What an installation has unless somebody changed it.
_DEFAULT_ROOT = "minio://mlpipeline/v2/artifacts"
_DEFAULT_ENDPOINT = "seaweedfs.kubeflow:9000"
_DEFAULT_SECRET = {"secretName": "mlpipeline-minio-artifact", "accessKeyKey": "accesskey", "secretKeyKey": "secretkey"}

Document = Mapping[str, Any]


@dataclass(frozen=True)
class _Store:
    """The store as the compiled file knows it.

    Attributes:
        root: the pipeline root.
        endpoints: value of `AWS_ENDPOINT_URL` by executor; "" where a secret holds it, absent where nothing does.
        secret: where the launcher finds the keys.
    """

    root: str
    endpoints: dict[str, str]
    secret: dict[str, str]

    @property
    def endpoint(self) -> str:
        return next((value for value in self.endpoints.values() if value), "")


def launcher_config(documents: Sequence[Document]) -> tuple[str, str] | None:
    """Return why the ConfigMap `kfp-launcher` must be changed for a compiled pipeline, and what must be merged into it.

    None where the installation's own will do, as far as the compiled file can tell.
    """
    store = _read(documents)
    scheme, _, path = store.root.partition("://")
    if not path or _is_below(store.root, _DEFAULT_ROOT):
        return None
    if scheme == "s3" and store.endpoint:
        why = f"the launcher takes {store.root} for AWS unless its ConfigMap names {store.endpoint}"
    else:
        why = f"releases after 2.17 refuse a root outside the installation's own, such as {store.root}, without this"
    bucket, _, prefix = path.partition("/")
    access = _access(scheme, store)
    override = {"bucketName": bucket, "keyPrefix": prefix.strip("/"), **access}
    providers = {scheme: {"default": access, "overrides": [override]}}
    config_map = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "kfp-launcher", "namespace": "kubeflow"},
        "data": {"providers": _Literal(_dump(providers))},
    }
    return why, _dump(config_map)


def disagreements(documents: Sequence[Document], values: Mapping[str, Any]) -> Iterator[str]:
    """Say where pipeline root and environment point to different stores, unless the cluster's ConfigMap mends it.

    Args:
        documents: of the compiled file.
        values: of the run's parameters `data` and `push_destination`, where it sets them.
    """
    store = _read(documents)
    if store.root.startswith("s3://") and store.endpoint:
        yield (
            f"artifacts go to {store.root}, which the launcher takes for AWS, while components take {store.endpoint}: "
            "the ConfigMap kfp-launcher must name it (`compile` prints how)"
        )
    yield from missing_endpoints(documents, values)


def missing_endpoints(documents: Sequence[Document], values: Mapping[str, Any]) -> Iterator[str]:
    """Say which components would look for a bucket of the installation's own store at AWS.

    Args:
        documents: of the compiled file.
        values: of the run's parameters `data` and `push_destination`, where it sets them.
    """
    store = _read(documents)
    if not store.root.startswith("minio://"):
        return
    bucket = store.root.removeprefix("minio://").partition("/")[0]
    compiled = documents[0]["deploymentSpec"]["executors"]
    defaults = documents[0]["root"].get("inputDefinitions", {}).get("parameters", {})
    for name, executors in _OPENED_BY.items():
        uri = str(values.get(name, defaults.get(name, {}).get("defaultValue", "")))
        there = [executor for executor in executors if f"exec-{executor}" in compiled]
        without = [executor for executor in there if f"exec-{executor}" not in store.endpoints]
        if without and any(_is_below(place, f"s3://{bucket}") for place in given_places(uri)):
            yield (
                f"{name} = {uri} is opened at AWS by {', '.join(without)}, while artifacts go to {store.root}: "
                f"set {ENDPOINT} by kubeflow.components.all.env"
            )


# Which components open what a run's parameter names.
_OPENED_BY = {
    "data": ("image-ingest", "data-digest"),
    "push_destination": ("baseline-finder", "pusher", "batch-predict", "model-registration", "data-digest"),
}


def _read(documents: Sequence[Document]) -> _Store:
    endpoints: dict[str, str] = {}
    secret = dict(_DEFAULT_SECRET)
    for name, executor in documents[0]["deploymentSpec"]["executors"].items():
        for variable in executor.get("container", {}).get("env", []):
            if variable["name"] == ENDPOINT:
                endpoints[name] = variable["value"]
    for document in documents[1:]:
        for name, executor in document["platforms"]["kubernetes"]["deploymentSpec"]["executors"].items():
            for item in executor.get("secretAsEnv", []):
                keys = {pair["envVar"]: pair["secretKey"] for pair in item["keyToEnv"]}
                if ENDPOINT in keys:
                    endpoints.setdefault(name, "")
                if {_ID, _KEY} <= set(keys):
                    secret = {"secretName": item["secretName"], "accessKeyKey": keys[_ID], "secretKeyKey": keys[_KEY]}
    return _Store(documents[0].get("defaultPipelineRoot", ""), endpoints, secret)


def _access(scheme: str, store: _Store) -> dict[str, Any]:
    """Return how the launcher reaches the store: AWS and Google by the pod's service account, others by a secret."""
    if scheme == "gs" or (scheme == "s3" and not store.endpoint):
        return {"credentials": {"fromEnv": True}}
    return {
        "endpoint": store.endpoint if scheme == "s3" else _without_scheme(store.endpoint) or _DEFAULT_ENDPOINT,
        "region": "us-east-1" if scheme == "s3" else "minio",
        "disableSSL": not store.endpoint.startswith("https://"),
        "forcePathStyle": True,  # a bucket's own host name is AWS' alone
        "credentials": {"fromEnv": False, "secretRef": store.secret},
    }


def _without_scheme(endpoint: str) -> str:
    return endpoint.rpartition("://")[2].rstrip("/")


def _is_below(uri: str, root: str) -> bool:
    return uri == root or uri.startswith(f"{root.rstrip('/')}/")


class _Literal(str):
    """Text that YAML shows line by line."""


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


_Dumper.add_representer(
    _Literal, lambda dumper, data: dumper.represent_scalar("tag:yaml.org,2002:str", str(data), style="|")
)


def _dump(value: Any) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False)
