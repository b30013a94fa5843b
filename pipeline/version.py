"""Which version of this project runs."""

import os
from importlib.metadata import PackageNotFoundError, version

PACKAGE = "facial-affect-pipeline"


def own_version() -> str:
    """Return the installed package's version; in the image, where the code lies beside Python's packages, its own."""
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return os.environ.get("AFFECT_VERSION", "unknown (not installed as a package)")
