"""The unit tests in the image, begun early: while the pipeline runs, they have what it leaves of the processor."""

import subprocess
from concurrent.futures import Future

from engine import HERE, REPOSITORY, TESTS, Engine

Finished = Future["subprocess.CompletedProcess[str]"]

# What looks at the checkout has nothing to look at there.
OUTSIDE = (
    "tests/containers",
    "tests/docker",
    "tests/test_benchmarks.py",
    "tests/test_continuous_integration.py",
    "tests/test_documentation.py",
    "tests/test_documented_requests.py",
    "tests/test_examples.py",
    "tests/test_makefile.py",
    "tests/test_package.py",
    "tests/test_tiers.py",
)


def run_unit_tests(engine: Engine) -> "subprocess.CompletedProcess[str]":
    """Run them; without warnings and what tests print, so that the end of the output shows what failed."""
    command = [
        "python",
        "-m",
        "pytest",
        *("--disable-warnings", "--show-capture=no"),
        *("-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder"),
        "-m",
        "not e2e and not training and not campaign",
        *(f"--ignore={path}" for path in OUTSIDE),
        "tests",
    ]
    volumes = {
        HERE.parent: "/src/tests:ro",
        REPOSITORY / "pyproject.toml": "/src/pyproject.toml:ro",
        REPOSITORY / "docs": "/src/docs:ro",
        REPOSITORY / "examples": "/src/examples:ro",
    }
    return engine.run(TESTS, command, volumes=volumes, options=["-w", "/src"], check=False)
