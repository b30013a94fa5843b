"""Runs a container's command as a pod would: pod.py SPEC.json, as root, by `unshare --mount --pid`.

Its root is an overlay over this machine's file system whose upper layer is memory, so nothing that it writes, nor a
folder that is made for it, outlives it or is seen elsewhere. It has the folders that Kubeflow mounts, the service
account's files, processes of its own that end with it, and a user without rights. Not a container: it sees this
machine's programs, has no limits, and shares the backend's network with all pods.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

# Scratch volumes of the launcher, and what the image makes.
_WRITABLE = ("minio", "s3", "gcs", ".local", ".cache", ".config", "kfp-launcher", "app", "home/affect")
_ACCOUNT = "run/secrets/kubernetes.io/serviceaccount"


def main(spec: dict[str, Any]) -> None:
    """Become the container's process.

    Args:
        spec: `command`; `env`; `user`, a number; `scratch`, an empty folder; `visible`, folders of this machine that it
            sees in their places; `mounts`, folders of this machine by their places there; `account`, a folder with the
            service account's files; `files`, paths of programs by their places there.
    """
    scratch = Path(spec["scratch"])
    _mount("-t", "tmpfs", "tmpfs", scratch)
    upper, work, root = (scratch / name for name in ("upper", "work", "root"))
    for folder in (upper, work, root):
        folder.mkdir()
    _mount("-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={upper},workdir={work}", root)
    _mount("-t", "proc", "proc", root / "proc")
    for name in ("sys", "dev"):
        _mount("--rbind", f"/{name}", root / name)
    for name, mode in (("tmp", "1777"), ("run", "0755"), ("dev/shm", "1777")):
        _mount("-t", "tmpfs", "-o", f"mode={mode}", "tmpfs", root / name)
    for name in _WRITABLE:
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name).chmod(0o777)
    bound = {_ACCOUNT: spec["account"], **{path.lstrip("/"): path for path in spec["visible"]}}
    bound |= {place.lstrip("/"): folder for place, folder in spec["mounts"].items()}
    for place, folder in bound.items():
        (root / place).mkdir(parents=True, exist_ok=True)
        for parent in (root / place).relative_to(root).parents:
            (root / parent).chmod((root / parent).stat().st_mode | 0o055)  # a checkout may lie in root's home
        _mount("--rbind", folder, root / place)
    for place, program in spec["files"].items():
        target = root / place.lstrip("/")
        target.write_bytes(Path(program).read_bytes())
        target.chmod(0o555)
    user = str(spec["user"])
    os.chroot(root)
    os.chdir("/app")
    line = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs", "--bounding-set=-all"]
    line += ["--inh-caps=-all", "--pdeathsig", "KILL"]  # a change of user forgets that the process is to end with ours
    os.execvpe("setpriv", [*line, "--", *spec["command"]], spec["env"])


def _mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], check=True)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text("utf-8")))
