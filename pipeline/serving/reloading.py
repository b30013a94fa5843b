"""Finds the newest version that is whole, loads it beside the one that answers, and lets it take that one's place."""

import gc
import logging
import threading
import time
from collections.abc import Callable

import numpy as np

from components.formats.version import NewerFormatError
from components.images.codec import decode, encode
from components.tools.retries import reason
from pipeline.local.failures import cut
from pipeline.serving.metrics import Metrics
from pipeline.serving.model import Loaded, Loader, Model, best
from pipeline.serving.rest_form import VersionStatus
from pipeline.serving.shelf import Shelf, Traits

_log = logging.getLogger("affect.serve")
_SOON = 0.1  # seconds
_LONGEST_LOAD = 20.0  # seconds that the end is put off
_NOT_LOADED = "it can't be loaded; the log of the server says why"


class Reloader:
    """Holds the model that answers.

    A version is loaded once it is whole and none of its files has changed for a while: who copies one here by other
    means than a rename may be slow. One that can't be loaded is tried again when its files change. The version that
    answers goes on until another is loaded and has answered for the first time, and also if its folder vanishes
    and no other stands.

    Args:
        shelf: where versions stand.
        load: loads one.
        metrics: told of each attempt.
        batch: how many images a new model answers at once before it takes over, so that none waits for its first time.
        settle: seconds without a change after which a version's files are taken for whole.
        every: seconds between two looks.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        shelf: Shelf,
        load: Loader,
        metrics: Metrics,
        *,
        batch: int = 1,
        settle: float = 2.0,
        every: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shelf = shelf
        self._load = load
        self._metrics = metrics
        self._batch = batch
        self._settle = settle
        self._every = every
        self._clock = clock
        self._current: Loaded | None = None
        self._seen: dict[int, tuple[Traits, float]] = {}
        self._failed: dict[int, Traits] = {}
        self._loading: int | None = None
        self._unfinished: set[int] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reload", daemon=True)

    @property
    def current(self) -> Loaded | None:
        """The version that answers; None before the first is loaded."""
        return self._current

    def statuses(self) -> list[VersionStatus]:
        """Return how the versions stand that answer, are on their way, or can't be loaded; the newest first."""
        current, loading = self._current, self._loading
        found = {version: VersionStatus(version, "START") for version in self._unfinished}
        found |= {version: VersionStatus(version, "END", _NOT_LOADED) for version in list(self._failed)}
        if loading is not None:
            found[loading] = VersionStatus(loading, "LOADING")
        if current is not None:
            found[current.version] = VersionStatus(current.version, "AVAILABLE")
        return [found[version] for version in sorted(found, reverse=True)]

    def load_first(self) -> bool:
        """Wait for a version that is whole, and load it; return whether one of those that stand could be loaded."""
        while not self.look():
            if not self._unfinished:
                return False
            if self._stop.wait(_SOON):
                return False
        return True

    def start(self) -> None:
        """Look for new versions from now on, in a thread of its own."""
        if not self._shelf.is_single:
            self._thread.start()

    def stop(self) -> None:
        """Look no more; a version that is being loaded is waited for, since a process can't end well in its midst."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_LONGEST_LOAD)

    def _run(self) -> None:
        problem = ""
        while not self._stop.wait(self._every):
            before, problem = problem, ""
            try:
                self.look()
            except Exception as error:  # a store that doesn't answer, a folder nobody may read: the next look may do
                problem = cut(reason(error))
                if problem != before:
                    _log.warning("can't look for new versions: %s", problem)

    def look(self) -> bool:
        """Load the newest version, if it is newer than the one that answers and whole; return whether it did.

        Where the one that answers has been taken away, an older one that stands takes its place.
        """
        versions = self._shelf.versions()
        self._seen = {version: seen for version, seen in self._seen.items() if version in versions}
        self._failed = {version: traits for version, traits in self._failed.items() if version in versions}
        now = self._clock()  # for all alike: of those that stand here from the beginning, the newest is due first
        unfinished = set()
        loaded = False
        for version in self._candidates(versions):
            try:
                traits = self._shelf.traits(version)
            except NewerFormatError as error:
                self._fail(version, (), error)
                continue
            if traits is None or not self._is_settled(version, traits, now):
                unfinished.add(version)
                if traits is None and version not in self._unfinished:
                    _log.info("version %d isn't whole yet: waiting for its files", version)
            elif self._failed.get(version) != traits and self._take(version, traits):
                loaded = True
                break
        self._unfinished = unfinished
        return loaded

    def _candidates(self, versions: list[int]) -> list[int]:
        current = self._current
        if current is None or current.version not in versions:
            return versions
        return [version for version in versions if version > current.version]

    def _is_settled(self, version: int, traits: Traits, now: float) -> bool:
        known, since = self._seen.get(version, (None, now))
        if known != traits:
            since = now
        self._seen[version] = (traits, since)
        return self._shelf.is_single or now - since >= self._settle

    def _take(self, version: int, traits: Traits) -> bool:
        """Let a version take over; return whether it could."""
        before = self._current
        self._loading = version
        begin = time.monotonic()
        try:
            with self._shelf.folder(version) as folder:
                model = self._load(folder)
                _try_out(model, self._batch)
            if self._shelf.traits(version) != traits:
                _log.info("version %d changed while it was loaded: waiting for the rest", version)
                return False
        except Exception as error:  # damage surfaces as errors of a dozen kinds
            self._fail(version, traits, error)
            return False
        finally:
            self._loading = None
        self._current = Loaded(version, model)
        self._failed.pop(version, None)
        self._metrics.reloads.labels("loaded").inc()
        self._metrics.version.set(version)
        _log.info("version %d answers now, loaded in %.1f s", version, time.monotonic() - begin)
        if before is not None and tuple(before.model.labels) != tuple(model.labels):
            classes = ", ".join(model.labels)
            _log.warning("version %d has other classes than version %d: %s", version, before.version, classes)
        del before
        gc.collect()  # what a model holds refers to itself, and is large
        return True

    def _fail(self, version: int, traits: Traits, error: Exception) -> None:
        """Say once what keeps a version from answering."""
        if self._failed.get(version) == traits:
            return
        self._failed[version] = traits
        self._metrics.reloads.labels("failed").inc()
        stays = f"; version {self._current.version} goes on answering" if self._current else ""
        _log.error("version %d can't be loaded: %s%s", version, cut(reason(error)), stays)


def _try_out(model: Model, batch: int) -> None:
    """Let a model answer one image, and as many as there may be: the first time takes longer.

    Raises:
        ValueError: what it says is no answer.
    """
    data = encode(np.full((32, 32, 3), 128, np.uint8), "png")
    image = model.prepare(data, decode(data))
    for count in (1, batch):
        for answer in model.answer([image] * count):
            if len(answer.probabilities) != len(model.labels):
                raise ValueError(
                    f"it has {len(model.labels)} labels and gives {len(answer.probabilities)} probabilities"
                )
            best(model.labels, answer)
