"""Data and settings that tests share."""

import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

# Set before TensorFlow is first imported by any test.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

_DATA = Path(__file__).parent.parent.parent / "shared" / "data"


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
