"""The options by which a command reaches an installation of Kubeflow Pipelines."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import click

from pipeline.cli.usage_error import UsageError
from pipeline.cli.values import NOT_EMPTY
from pipeline.kubeflow.api import Host
from pipeline.kubeflow.credentials import CredentialsError, find_credentials, read_context

# Where kfp's own client looks, too.
ENDPOINT_VARIABLE = "KF_PIPELINES_ENDPOINT"
_IN_CLUSTER = "http://ml-pipeline.kubeflow.svc.cluster.local:8888"
# As the commands get them: namespace, then what `find_credentials` takes.
HostOptions = tuple[str | Path | None, ...]
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


def credential_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command gets them as `host_options`, for `make_host`."""

    @functools.wraps(command)
    def wrapped(
        namespace: str | None,
        token_env: str | None,
        cookie_env: str | None,
        ca_file: Path | None,
        cert_file: Path | None,
        key_file: Path | None,
        **others: Any,
    ) -> Any:
        options = (namespace, token_env, cookie_env, ca_file, cert_file, key_file)
        return command(host_options=options, **others)

    options = [
        click.option("--namespace", metavar="NAME", help="Namespace, in a multi-user installation."),
        click.option("--token-env", metavar="VAR", help="Environment variable that holds the bearer token."),
        click.option("--cookie-env", metavar="VAR", help="Environment variable that holds a proxy's session cookie."),
        click.option("--ca-file", type=_FILE, metavar="FILE", help="Certificates of a private authority, PEM."),
        click.option("--cert-file", type=_FILE, metavar="FILE", help="The client's own certificate, PEM."),
        click.option("--key-file", type=_FILE, metavar="FILE", help="Its key, unless it lies in the same file."),
    ]
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), wrapped)


def host_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--host`, and the options of `credential_options`."""
    about = f"Address of Kubeflow Pipelines, e.g. http://localhost:8080; else {ENDPOINT_VARIABLE} says, or the cluster."
    address = click.option("--host", type=NOT_EMPTY, metavar="URL", envvar=ENDPOINT_VARIABLE, help=about)
    return address(credential_options(command))


def make_host(url: str | None, host_options: HostOptions, option: str = "--host") -> Host:
    """Return the installation that the options describe.

    Args:
        url: its address; None: the one in this pod's own cluster.
        host_options: as `credential_options` hands them over.
        option: that the address came by.

    Raises:
        UsageError: no address, or credentials that can't be used.
    """
    namespace, *rest = cast(tuple[Any, ...], host_options)
    if url is None:
        if "KUBERNETES_SERVICE_HOST" not in os.environ:
            raise UsageError(f"--host is missing: where is Kubeflow Pipelines? {ENDPOINT_VARIABLE} can say it as well")
        url = _IN_CLUSTER
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"{option} must begin with http:// or https://. Received: {url!r}")
    try:
        namespace = namespace or read_context().get("namespace") or None
        return Host(url, namespace, find_credentials(*rest))
    except CredentialsError as error:
        raise UsageError(str(error)) from None
