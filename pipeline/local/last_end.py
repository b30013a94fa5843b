"""The last run in a folder that came to its end, and what it was made from: what `affect run --if-changed` asks.

Written when a run has ended, whether its model was pushed or not, and removed when the next one begins: a run that
fails, or that a tracking server missed, is tried again, though nothing has changed.
"""

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.batch_predict.find import find
from components.data_digest.look import with_files
from components.formats.documents import Document
from components.formats.pushed_models import Version
from components.images.folder_digest import quick_digest
from pipeline.config import Config
from pipeline.local.workdir import Workdir

_ROOT = Path(__file__).parents[2]
_PACKAGES = ("components", "pipeline")
_LAST = Document("last-end.json")
_WORDS = {
    "data": "data",
    "configuration": "configuration",
    "code": "code",
    "to_predict": "images to predict",
    "models": "pushed models",
}


@dataclass(frozen=True)
class LastEnd:
    """A run that came to its end.

    Attributes:
        run_id: its name.
        state: what `look` returned, with the models that stood at the end.
    """

    run_id: str
    state: dict[str, str]

    def changed(self, now: dict[str, str]) -> list[str]:
        """Return what has changed since."""
        return [word for key, word in _WORDS.items() if self.state.get(key) != now[key]]


def look(config: Config, data: str, versions: Sequence[Version]) -> dict[str, str]:
    """Return digests of all that a run depends on. Files of the data aren't read where they have a time or a tag.

    Args:
        config: the configuration.
        data: the data folder, or several.
        versions: the models at the push destination.

    Raises:
        SourceError: the data can't be listed.
        LookError: there is no such file as an option names.
    """
    return {
        "data": with_files(quick_digest(data, 0, follow_links=config.data.follow_links), config.files()),
        "configuration": config.digest(),
        "code": _code(),
        "to_predict": find(config.predict.path, config.predict).digest if config.predict.path else "",
        "models": _models(versions),
    }


def last_end(folder: Workdir) -> LastEnd | None:
    """Return the last run that came to its end; None where there is none, or one began since."""
    if not _LAST.exists(folder.root):
        return None
    try:
        found = _LAST.read(folder.root)
        return LastEnd(str(found["run"]), dict(found["state"]))
    except (OSError, ValueError, KeyError, TypeError):  # half-written or of another program: as good as none
        return None


def forget(folder: Workdir) -> None:
    """Take note that a run begins."""
    (folder.root / _LAST.name).unlink(missing_ok=True)


def remember(folder: Workdir, run_id: str, before: dict[str, str], versions: Sequence[Version]) -> None:
    """Take note that a run has ended.

    Args:
        folder: the workdir.
        run_id: name of the run.
        before: of `look`, as it began.
        versions: the models at the push destination, now.
    """
    with contextlib.suppress(OSError):  # a full disk: then the next run looks at everything, and that is all
        _LAST.write({"run": run_id, "state": before | {"models": _models(versions)}}, folder.root)


def _models(versions: Sequence[Version]) -> str:
    return ",".join(str(version.number) for version in versions)


def _code() -> str:
    digest = hashlib.sha256()
    files = [path for package in _PACKAGES for path in (_ROOT / package).rglob("*") if path.is_file()]
    for path in sorted(files):
        if "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(_ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()
