"""Runs a compiled pipeline with kfp's own local runner, a container a component: run_pipeline.py F.yaml ROOT

Inside the image's test stage, with DOCKER_HOST pointing to a Docker-compatible engine. The runner mounts ROOT alone.
"""

import sys

from kfp import components, local


def main(path: str, root: str) -> None:
    """Run all of it; each component's log goes to stdout."""
    local.init(runner=local.DockerRunner(network_mode="host"), pipeline_root=root, raise_on_error=True)
    components.load_component_from_file(path)()


if __name__ == "__main__":
    main(*sys.argv[1:])
