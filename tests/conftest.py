"""Data and settings that tests share, how they are spread over processes, and which of them start at once."""

import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from heavy_imports import heavy_packages, imports_heavy
from whole_pipeline import finished_project

# Set before TensorFlow is first imported by any test.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
# `make` within a test prints what it does by hand, though the tests were started by `make`.
for _name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
    os.environ.pop(_name, None)

_DATA = Path(__file__).parent.parent.parent / "shared" / "data"
# Of two workers, the one with the trainings grew to 3.8 GB, and a pipeline's process beside it takes 1 GB.
_BYTES_PER_WORKER = 5e9
_SHARING_PROJECT = ("tests/pipeline/test_run.py", "tests/test_documentation.py")
# The heavy packages that a test has been blamed for.
_SEEN: set[str] = set()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--light",
        action="store_true",
        help="Run the tests that import none of TensorFlow, TFX and Beam; fail one that does.",
    )


def pytest_configure(config: pytest.Config) -> None:
    # Beam leaves TFX's packages there at every pipeline, 49 MB each. Tests' own folders stay where pytest has them.
    if not hasattr(config, "workerinput"):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
        folder = tempfile.mkdtemp(prefix="affect-tests-")
        Path(folder).chmod(0o711)  # some tests become another user
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        os.environ["TMPDIR"] = tempfile.tempdir = folder


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """What `-n auto` means: as many as there are cores and memory for; 0, this process, where only one would work."""
    named = {argument.split("::")[0] for argument in config.args}
    files = len(named) if all(name.endswith(".py") for name in named) else len(os.sched_getaffinity(0))
    fitting = int(psutil.virtual_memory().available // _BYTES_PER_WORKER)
    workers = min(len(os.sched_getaffinity(0)), fitting, files)
    return workers if workers > 1 else 0


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadfile`, give the files that share the session's `project` to one worker."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByFileOrProject(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return "project" if file in _SHARING_PROJECT else file

    return ByFileOrProject(config, log)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    # To collect a file, or a folder with a conftest.py, is to import it.
    file = collection_path / "conftest.py" if collection_path.is_dir() else collection_path
    is_imported = file.name == "conftest.py" or file.match("test_*.py")
    if config.getoption("--light") and is_imported and file.exists() and imports_heavy(file):
        return True
    return None


def pytest_collection_finish(session: pytest.Session) -> None:
    if session.config.getoption("--light") and (found := heavy_packages()):
        raise pytest.UsageError(f"collecting the tests has imported {found}, which heavy_imports.py doesn't see")


@pytest.fixture(autouse=True)
def _stays_light(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    # Seen since the test before, as fixtures of a module or the session come before this one.
    if request.config.getoption("--light") and (found := heavy_packages() - _SEEN):
        _SEEN.update(found)
        pytest.fail(f"the test has imported {found}: mark it with pytest.mark.heavy", pytrace=False)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--light"):
        left_out = [item for item in items if item.get_closest_marker("heavy")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
    if not hasattr(config, "workerinput"):
        return
    # The longest files first: one that a worker begins last keeps the others waiting.
    ranks = {path: 2 if imports_heavy(path) else 3 for path in {item.path for item in items}}
    for item in items:
        ranks[item.path] = min(_rank(item), ranks[item.path])
    items.sort(key=lambda item: ranks[item.path])


def _rank(item: pytest.Item) -> int:
    return 0 if item.get_closest_marker("e2e") else 1 if item.get_closest_marker("training") else 3


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the documentation imagines it: images in `faces`, the workdir of a finished run in `runs/local`.

    Tests may run the pipeline there again, and leave as many pushed models in it as they found.
    """
    return finished_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, a selenium.webdriver.Chrome: for tests that are marked `needs_browser`."""
    import browser

    driver = browser.start()
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Unpacks one of the data sets that lie beside the checkout; skips the test where they don't."""
    unpacked: dict[str, Path] = {}

    def unpack(name: str) -> Path:
        if name not in unpacked:
            archive = _DATA / f"{name}.tar.gz"
            if not archive.exists():
                pytest.skip(f"{archive} is not there")
            folder = tmp_path_factory.mktemp(name)
            with tarfile.open(archive) as tar:
                tar.extractall(folder)
            unpacked[name] = folder / name
        return unpacked[name]

    return unpack
