"""What driver and launcher talk to, brought up in a network of its own, and pods as processes.

Real: driver and launcher, ML Metadata's store, moto's S3 server. Stand-ins, since they can't be run here: Kubernetes'
API, the TaskService and ML Metadata's server process.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import kubernetes_calls
import ml_metadata_server
import s3fs
import task_service
from ml_metadata.metadata_store import metadata_store
from moto.server import ThreadedMotoServer
from own_network import own_network

CHECKOUT = Path(__file__).parent.parent.parent
BUCKET = "mlpipeline"
KEYS = {"accesskey": "minio", "secretkey": "minio123"}
SECRET = "mlpipeline-minio-artifact"
_LONGEST_POD = 900
# The image's.
_ENVIRONMENT = {
    "PATH": f"{CHECKOUT}/.venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "PYTHONPATH": str(CHECKOUT),
    "HOME": "/home/affect",
    "USER": "affect",
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "NO_ALBUMENTATIONS_UPDATE": "1",
    "TF_CPP_MIN_LOG_LEVEL": "1",
}


def why_not() -> str:
    """Why the tier can't run here; "" if it can."""
    folder = os.environ.get("KFP_BIN", "")
    if not folder:
        return "KFP_BIN names no folder with Kubeflow's driver and launcher-v2"
    missing = [name for name in ("driver", "launcher-v2") if not os.access(Path(folder, name), os.X_OK)]
    if missing:
        return f"KFP_BIN={folder} has no program {' or '.join(missing)}"
    return "" if os.geteuid() == 0 else "pods need root, for namespaces"


@dataclass(frozen=True)
class Backend:
    """A running backend.

    Attributes:
        binaries: folder with Kubeflow's programs.
        endpoint: of the object store.
        cluster: Kubernetes' objects.
        store: of ML Metadata.
        metadata_port: of ML Metadata's gRPC server.
        tasks_port: of the TaskService.
    """

    binaries: Path
    endpoint: str
    cluster: kubernetes_calls.Cluster
    store: metadata_store.MetadataStore
    metadata_port: int
    tasks_port: int

    def files(self) -> s3fs.S3FileSystem:
        """The object store as tests look at it."""
        return s3fs.S3FileSystem(
            key=KEYS["accesskey"],
            secret=KEYS["secretkey"],
            endpoint_url=self.endpoint,
            use_listings_cache=False,
            skip_instance_cache=True,
        )

    def pod(
        self,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str],
        *,
        files: Mapping[str, Path],
        mounts: Mapping[str, Path] | None = None,
        user: int = 1000,
    ) -> int:
        """Run a container's command and return its exit status. All its processes end with it, or with this one.

        Args:
            command: program and arguments.
            log: gets what it prints.
            environment: beside the image's and what Kubernetes sets.
            files: programs by their places in the pod.
            mounts: folders of this machine by their places in the pod.
            user: number of the user and the group.

        Raises:
            subprocess.TimeoutExpired: it hung, and was killed.
        """
        kubernetes = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(self.cluster.port)}
        with tempfile.TemporaryDirectory() as folder:
            spec = {
                "command": list(command),
                "env": {**_ENVIRONMENT, **kubernetes, **environment},
                "user": user,
                "scratch": folder,
                "visible": [str(CHECKOUT), sys.base_prefix],
                "mounts": {place: str(path) for place, path in (mounts or {}).items()},
                "account": str(self.cluster.account),
                "files": {place: str(path) for place, path in files.items()},
            }
            path = log.with_suffix(".json")
            path.write_text(json.dumps(spec))
            line = ["setpriv", "--pdeathsig", "KILL"]
            line += ["unshare", "--mount", "--pid", "--propagation", "private", "--kill-child", sys.executable]
            with log.open("wb") as output:
                done = subprocess.run(
                    [*line, str(Path(__file__).with_name("pod.py")), str(path)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    check=False,
                    timeout=_LONGEST_POD,
                )
        return done.returncode


@contextmanager
def brought_up(folder: Path) -> Iterator[Backend]:
    """Bring everything up with one empty bucket, and take it down at the end.

    Args:
        folder: an empty folder, for the store of ML Metadata and the service account.
    """
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # or thousands of requests bury what failed
    with ExitStack() as stack:
        stack.enter_context(own_network())
        s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        s3.start()
        stack.callback(s3.stop)
        _, port = s3.get_host_and_port()
        store, metadata_port = stack.enter_context(ml_metadata_server.served(folder / "metadata.db"))
        cluster = stack.enter_context(kubernetes_calls.served(folder / "cluster", {SECRET: KEYS}))
        backend = Backend(
            binaries=Path(os.environ["KFP_BIN"]).absolute(),
            endpoint=f"http://127.0.0.1:{port}",
            cluster=cluster,
            store=store,
            metadata_port=metadata_port,
            tasks_port=stack.enter_context(task_service.served()),
        )
        backend.files().mkdir(BUCKET)
        yield backend
