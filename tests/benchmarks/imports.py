"""What a task costs on Kubeflow before its executor's first line: CPU seconds of imports, task by task.

Of each executor in the golden file, in a process of its own.
"""

import os
import subprocess
import sys
from pathlib import Path

import yaml

_GOLDEN = Path(__file__).parent.parent / "pipeline" / "kubeflow" / "golden.yaml"
# As `pipeline.kubeflow.entrypoint.run` begins.
_PROGRAM = """
import importlib, sys, time
from pipeline.kubeflow.entrypoint import PlainExecutor
module, _, name = sys.argv[1].rpartition(".")
if not issubclass(getattr(importlib.import_module(module), name), PlainExecutor):
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor
print(time.process_time())
"""


def seconds(executor: str) -> float:
    """Return the CPU seconds of one process."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-W", "ignore", "-c", _PROGRAM, executor]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Print a row a task, and what all of them cost."""
    [golden, *_] = yaml.safe_load_all(_GOLDEN.read_text("utf-8"))
    total = 0.0
    for task in sorted(golden["root"]["dag"]["tasks"]):
        label = golden["components"][f"comp-{task}"]["executorLabel"]
        arguments = golden["deploymentSpec"]["executors"][label]["container"]["args"]
        executor = arguments[arguments.index("--executor_class_path") + 1]
        spent = seconds(executor)
        total += spent
        print(f"imports, {task:<24} {spent:5.1f} s", flush=True)
    print(f"imports, {'all tasks':<24} {total:5.1f} s")


if __name__ == "__main__":
    main()
