"""What size costs: many classes, many columns, large pictures, JPEGs of many scans, many runs.

    python tests/benchmarks/size.py [classes|columns|pixels|scans|runs …]

`classes` and `columns` run the Evaluator on 1,000 classes of two images each, and on 500 images of which a table says
1,000 things; `pixels` ingests twelve WebP files of 49 megapixels with four workers and prints the memory that they take
together; `scans` decodes a picture of 12 megapixels with more and more scans; `runs` lists and deletes what 500 runs of
16 components left. Figures: docs/results.md.
"""

import io
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

_CLASSES, _COLUMNS, _RUNS, _COMPONENTS = 1000, 1000, 500, 16
_SIDE, _WORKERS, _PICTURES = 7000, 4, 12


def classes(folder: Path) -> None:
    """Evaluate on 1,000 classes."""
    _evaluate(folder, [f"class of things {number:04d}" for number in range(_CLASSES)], 2, None)


def columns(folder: Path) -> None:
    """Evaluate on images of which a table says 1,000 things."""
    _evaluate(folder, ["cat", "dog"], 250, [f"column {number:04d}" for number in range(_COLUMNS)])


def pixels(folder: Path) -> None:
    """Ingest pictures that promise more than the memory holds at once."""
    from components.images import room

    file = io.BytesIO()
    Image.new("RGB", (_SIDE, _SIDE), (200, 30, 30)).save(file, "WEBP")
    for limit in (None, 2):
        with (
            ProcessPoolExecutor(
                _WORKERS, multiprocessing.get_context("spawn"), initializer=_limit, initargs=(limit,)
            ) as pool,
            _seconds() as seconds,
        ):
            peak = _Peak()
            list(pool.map(_inspect, [file.getvalue()] * _PICTURES))
        what = f"room for {room.slots()} × 4 megapixels" if limit is None else f"as if the machine had {limit} GB"
        print(f"{_PICTURES} pictures of {len(file.getvalue()) / 1000:.0f} kB, {_WORKERS} workers, {what}: "
              f"{seconds():.1f} s, {peak.stop() / 1e9:.2f} GB in all")  # fmt: skip


def scans(_: Path) -> None:
    """Decode a picture that has a scan again and again."""
    from components.images.codec import BadImage, decode

    file = io.BytesIO()
    gradient = np.linspace(0, 255, 4000, dtype=np.uint8)[np.newaxis, :, np.newaxis]
    Image.fromarray(np.broadcast_to(gradient, (3000, 4000, 3))).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    last = data.rindex(b"\xff\xda")
    for further in (0, 50, 2990):
        scanned = data[:last] + data[last:-2] * (1 + further) + data[-2:]
        with _seconds() as seconds:
            try:
                decode(scanned)
                verdict = "decoded"
            except BadImage as error:
                verdict = str(error)
        print(f"{10 + further} scans: {seconds():.2f} s, {verdict}")


def runs(folder: Path) -> None:
    """List and delete what runs left."""
    _write_runs(folder)
    for words in ([], ["--yes"]):
        with _seconds() as seconds:
            line = [sys.executable, "-m", "pipeline", "gc", "--workdir", str(folder), *words]
            said = subprocess.run(line, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
        print(f"gc {' '.join(words):6} {seconds():.1f} s: {said}")


def _evaluate(folder: Path, labels: list[str], images: int, named: list[str] | None) -> None:
    from known_answers import convert, evaluate, image, known_answers

    def say(number: int) -> dict[str, str] | None:
        return None if named is None else {name: f"{(number + place) % 10}" for place, name in enumerate(named)}

    rows: dict[str, list[Any]] = {
        split: [image(f"{split} {label}", label, split, say(0)) for label in labels] for split in ("train", "eval")
    }
    rows["test"] = [image(f"{one} {n}", one, "test", say(n)) for one in labels for n in range(images)]
    made = convert(rows, folder / "made")
    model = known_answers([row.id for row in rows["test"][::2]], labels, folder / "model")
    before = resource.getrusage(resource.RUSAGE_SELF)
    with _seconds() as seconds:
        results, _, evaluation = evaluate(made, model, folder, min_accuracy=0.0)
    after = resource.getrusage(resource.RUSAGE_SELF)
    size = sum(file.stat().st_size for file in Path(evaluation.uri).rglob("*") if file.is_file())
    beyond = (results["slices"] or {}).get("beyond", "")
    print(f"Evaluator, {len(labels)} classes, {len(named or ())} columns: {seconds():.0f} s "
          f"({after.ru_utime - before.ru_utime:.0f} s of a core), {size / 1e6:.1f} MB. {beyond}")  # fmt: skip


def _limit(gigabytes: float | None) -> None:
    """Let this process believe in a machine of so much memory."""
    if gigabytes is not None:
        mock.patch("components.images.room.memory_limit", return_value=int(gigabytes * 1e9)).start()


def _inspect(data: bytes) -> str:
    from components.ingest.inspect_image import inspect_image
    from components.ingest.layout import Entry

    return type(inspect_image(Entry("red.webp", "red", ""), data, 50_000_000)).__name__


class _Peak:
    """The most that this process' children have taken together, looked at every 20 ms."""

    def __init__(self) -> None:
        self._peak, self._ended = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        self._ended.set()
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            self._peak = max(self._peak, sum(_resident(child.pid) for child in multiprocessing.active_children()))


def _resident(pid: int | None) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:  # ended
        return 0


def _write_runs(folder: Path) -> None:
    from ml_metadata.metadata_store import metadata_store
    from ml_metadata.proto import metadata_store_pb2 as pb

    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(folder / "metadata.db")
    config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    store = metadata_store.MetadataStore(config)
    run_type = store.put_context_type(pb.ContextType(name="pipeline_run"))
    kind = store.put_artifact_type(pb.ArtifactType(name="components.Analysis"))
    types = [store.put_execution_type(pb.ExecutionType(name=f"Component{number}")) for number in range(_COMPONENTS)]
    for run in range(_RUNS):
        context = pb.Context(type_id=run_type, name=f"run-{run}")
        context.custom_properties["state"].string_value = "succeeded"
        executions, artifacts, edges = [], [], []
        for number, of in enumerate(types):
            execution = pb.Execution(type_id=of, last_known_state=pb.Execution.COMPLETE)
            artifact = pb.Artifact(type_id=kind, state=pb.Artifact.LIVE)
            artifact.uri = str(folder / "artifacts" / f"Component{number}" / "output" / f"{run}")
            Path(artifact.uri).mkdir(parents=True)
            for place in range(6):
                execution.custom_properties[f"option {place}"].string_value = "x" * 200
                artifact.custom_properties[f"property {place}"].string_value = "value"
            for place in range(4):
                (Path(artifact.uri) / f"file-{place}").write_bytes(b"x")
            executions.append(execution)
            artifacts.append(artifact)
            edges.append((number, number, pb.Event(type=pb.Event.OUTPUT)))
            if number:
                edges.append((number, number - 1, pb.Event(type=pb.Event.INPUT)))
        store.put_lineage_subgraph(executions, artifacts, [context], edges)


@contextmanager
def _seconds() -> Any:
    started, ended = time.perf_counter(), [0.0]
    yield lambda: ended[0] - started
    ended[0] = time.perf_counter()


_BENCHMARKS: dict[str, Callable[[Path], None]] = {
    "scans": scans, "pixels": pixels, "runs": runs, "classes": classes, "columns": columns,
}  # fmt: skip


if __name__ == "__main__":
    for name in sys.argv[1:] or _BENCHMARKS:
        with tempfile.TemporaryDirectory() as place:
            _BENCHMARKS[name](Path(place))
