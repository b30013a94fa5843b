"""Who asks the registry and whom it trusts: a token and authorities, in a pod those of its service account.

A token is taken from MODEL_REGISTRY_TOKEN; else from the file that KF_PIPELINES_SA_TOKEN_PATH names, as the registry's
own client does; else from the service account. Authorities are the system's (SSL_CERT_FILE names others) and the
cluster's.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

TOKEN = "MODEL_REGISTRY_TOKEN"
TOKEN_PATH = "KF_PIPELINES_SA_TOKEN_PATH"
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_AUTHORITIES = ("ca.crt", "service-ca.crt")  # of the cluster; of OpenShift's services


@dataclass(frozen=True)
class Access:
    """How to get in.

    Attributes:
        token: bearer token; None for none.
        authorities: PEM files, beside the system's own.
    """

    token: str | None = field(default=None, repr=False)
    authorities: tuple[Path, ...] = ()


def find_access(account: Path = ACCOUNT) -> Access:
    """Return what the environment and a service account's folder say.

    Raises:
        OSError: the file that KF_PIPELINES_SA_TOKEN_PATH names can't be read.
    """
    token = os.environ.get(TOKEN, "").strip()
    named = os.environ.get(TOKEN_PATH)
    if not token and named:
        token = Path(named).read_text("ascii").strip()
    elif not token and (account / "token").is_file():
        token = (account / "token").read_text("ascii").strip()
    return Access(token or None, tuple(account / name for name in _AUTHORITIES if (account / name).is_file()))
