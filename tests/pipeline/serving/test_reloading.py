"""Which version answers, while others are pushed, copied slowly, damaged, mended and taken away."""

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from running_service import LABELS, BrightnessModel, write_model
from waiting import rewrite

from components.formats.pushed_models import Origin
from components.pusher.push import push
from pipeline.serving.metrics import Metrics
from pipeline.serving.reloading import Reloader
from pipeline.serving.shelf import Shelf


@pytest.fixture(autouse=True)
def _only_what_is_wrong(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.WARNING, "affect.serve"):  # a server that another test began has set a lower one
        yield


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


class Clock:
    """Goes on by a second whenever it is looked at."""

    seconds = 0

    def __call__(self) -> float:
        self.seconds += 1
        return self.seconds


def reloader(place: Path | str, metrics: Metrics) -> Reloader:
    """One that takes what hasn't changed for three looks after the first."""
    return Reloader(Shelf(str(place)), BrightnessModel, metrics, settle=3, clock=Clock())


def looked(one: Reloader, times: int = 8) -> int | None:
    """The version that answers after so many looks; enough, where nobody says, for all that stands still."""
    for _ in range(times):
        one.look()
    return one.current.version if one.current else None


def states(one: Reloader) -> dict[int, str]:
    return {status.version: status.state for status in one.statuses()}


def reloads(metrics: Metrics, result: str) -> float | None:
    return metrics.registry.get_sample_value("affect_reloads_total", {"result": result})


def test_the_newest_version_answers_and_then_the_one_that_is_pushed(tmp_path: Path, metrics: Metrics) -> None:
    place = tmp_path / "models"
    for version in (9, 10):
        write_model(place / str(version))
    one = reloader(place, metrics)

    assert one.load_first()
    assert one.current is not None
    assert one.current.version == 10

    push(write_model(tmp_path / "new"), str(place), 30, Origin("recipe", "data"), {}, {})
    assert looked(one) == 30
    assert states(one) == {30: "AVAILABLE"}
    assert metrics.registry.get_sample_value("affect_model_version") == 30
    assert (reloads(metrics, "loaded"), reloads(metrics, "failed")) == (2, 0)


def test_a_version_that_grows_slowly_is_not_touched_before_it_is_whole(tmp_path: Path, metrics: Metrics) -> None:
    write_model(tmp_path / "7")
    one = reloader(tmp_path, metrics)
    one.load_first()
    whole = (tmp_path / "7" / "variables" / "variables.data").read_bytes()
    growing = write_model(tmp_path / "8") / "variables" / "variables.data"

    seen = set()
    for length in range(0, len(whole), len(whole) // 8):
        growing.write_bytes(whole[:length])
        for _ in range(3):
            one.look()
            seen |= set(states(one).items())
    growing.write_bytes(whole)

    assert seen == {(7, "AVAILABLE"), (8, "START")}
    assert reloads(metrics, "failed") == 0
    assert looked(one) == 8


def test_nor_one_whose_sizes_are_right_from_the_start(tmp_path: Path, metrics: Metrics) -> None:
    """As of a tool that allots the whole file first, and sets its time of modification back."""
    write_model(tmp_path / "7")
    one = reloader(tmp_path, metrics)
    one.load_first()
    data = write_model(tmp_path / "8") / "variables" / "variables.data"
    whole = data.read_bytes()
    os.utime(data, (1e9, 1e9))

    for _ in range(6):
        rewrite(data, bytes(len(whole)))
        assert looked(one, 3) == 7
    rewrite(data, whole)

    assert reloads(metrics, "failed") == 0
    assert looked(one) == 8


def test_nor_one_that_lacks_what_its_marker_lists(tmp_path: Path, metrics: Metrics) -> None:
    source = tmp_path / "source"
    push(write_model(tmp_path / "new"), str(source), 8, Origin("recipe", "data"), {}, {})
    place = tmp_path / "models"
    write_model(place / "7")
    one = reloader(place, metrics)
    one.load_first()
    shutil.copytree(source / "8", place / "8")
    (place / "8" / "variables" / "variables.data").unlink()

    assert looked(one) == 7
    assert states(one) == {8: "START", 7: "AVAILABLE"}

    shutil.copytree(source / "8", place / "8", dirs_exist_ok=True)
    assert looked(one) == 8


def test_nor_one_that_changes_while_it_is_loaded(tmp_path: Path, metrics: Metrics) -> None:
    write_model(tmp_path / "7")
    changes = iter([b"first" + b"end", b"second" + b"end"])

    def load(folder: Path) -> BrightnessModel:
        model = BrightnessModel(folder)
        if folder.name == "8" and (data := next(changes, b"")):
            (folder / "variables" / "variables.data").write_bytes(data)
        return model

    one = Reloader(Shelf(str(tmp_path)), load, metrics, settle=3, clock=Clock())
    one.load_first()
    write_model(tmp_path / "8")

    assert looked(one, 20) == 8
    assert one.current is not None
    assert isinstance(one.current.model, BrightnessModel)
    assert one.current.model.weights == b"secondend"
    assert reloads(metrics, "loaded") == 2


@pytest.mark.parametrize("name", [".push-abc", "tmp", "8.tmp", "²", "-8"])
def test_what_is_no_number_is_no_version(name: str, tmp_path: Path, metrics: Metrics) -> None:
    write_model(tmp_path / "7")
    write_model(tmp_path / name)

    assert looked(reloader(tmp_path, metrics)) == 7


def test_a_damaged_version_leaves_the_old_one_until_it_is_mended(
    tmp_path: Path, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    tried = []

    def load(folder: Path) -> BrightnessModel:
        tried.append(folder.name)
        return BrightnessModel(folder)

    write_model(tmp_path / "7")
    one = Reloader(Shelf(str(tmp_path)), load, metrics, settle=3, clock=Clock())
    one.load_first()
    graph = write_model(tmp_path / "8") / "saved_model.pb"
    graph.write_bytes(b"grapx")

    with caplog.at_level(logging.ERROR, "affect.serve"):
        assert looked(one) == 7

    assert states(one) == {8: "END", 7: "AVAILABLE"}
    assert reloads(metrics, "failed") == 1
    assert tried == ["7", "8"]  # and isn't tried again and again
    [line] = caplog.messages
    assert line == "version 8 can't be loaded: damaged; version 7 goes on answering"

    rewrite(graph, b"graph")
    assert looked(one) == 8
    assert states(one) == {8: "AVAILABLE"}


def test_one_of_a_later_format_leaves_the_old_one_and_is_said_once(
    tmp_path: Path, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    write_model(tmp_path / "7")
    one = reloader(tmp_path, metrics)
    one.load_first()
    (write_model(tmp_path / "8") / "assets.extra" / "complete.json").write_text('{"format_version": 99}')

    with caplog.at_level(logging.ERROR, "affect.serve"):
        assert looked(one) == 7

    [line] = caplog.messages
    assert "complete.json has format 99" in line
    assert states(one)[8] == "END"


def test_behind_a_damaged_newest_the_next_newest_answers(tmp_path: Path, metrics: Metrics) -> None:
    for version in (7, 8, 9):
        write_model(tmp_path / str(version))
    (tmp_path / "9" / "saved_model.pb").write_bytes(b"grapx")
    one = reloader(tmp_path, metrics)

    assert one.load_first()
    assert states(one) == {9: "END", 8: "AVAILABLE"}


def test_where_none_can_be_loaded_there_is_none_to_begin_with(tmp_path: Path, metrics: Metrics) -> None:
    (write_model(tmp_path / "7") / "saved_model.pb").write_bytes(b"grapx")

    assert not reloader(tmp_path, metrics).load_first()


def test_a_model_without_an_answer_for_each_label_is_not_loaded(tmp_path: Path, metrics: Metrics) -> None:
    write_model(tmp_path / "7")
    one = reloader(tmp_path, metrics)
    one.load_first()
    write_model(tmp_path / "8", (*LABELS, "grey"))

    assert looked(one) == 7
    assert states(one)[8] == "END"


def test_other_classes_are_said(tmp_path: Path, metrics: Metrics, caplog: pytest.LogCaptureFixture) -> None:
    write_model(tmp_path / "7")
    one = reloader(tmp_path, metrics)
    one.load_first()
    write_model(tmp_path / "8", ("night", "day"))

    with caplog.at_level(logging.WARNING, "affect.serve"):
        assert looked(one) == 8

    assert caplog.messages == ["version 8 has other classes than version 7: night, day"]


def test_taking_the_newest_away_brings_the_one_before_back(tmp_path: Path, metrics: Metrics) -> None:
    for version in (7, 8):
        write_model(tmp_path / str(version))
    one = reloader(tmp_path, metrics)
    one.load_first()

    (tmp_path / "8").rename(tmp_path / "withdrawn-8")

    assert looked(one) == 7


def test_a_folder_that_vanishes_takes_no_model_away(tmp_path: Path, metrics: Metrics) -> None:
    write_model(tmp_path / "models" / "7")
    one = reloader(tmp_path / "models", metrics)
    one.load_first()

    shutil.rmtree(tmp_path / "models")

    assert looked(one) == 7


@pytest.mark.parametrize(("inside", "version"), [("1795645608", 1795645608), ("Format-Serving", 1), ("mine", 1)])
def test_a_single_version_is_served_by_its_folder(inside: str, version: int, tmp_path: Path, metrics: Metrics) -> None:
    write_model(tmp_path / inside)
    one = reloader(tmp_path / inside, metrics)

    assert one.load_first()
    assert states(one) == {version: "AVAILABLE"}


@pytest.fixture
def bucket() -> Iterator[str]:
    MemoryFileSystem.store.clear()
    yield "memory://bucket/models"
    MemoryFileSystem.store.clear()


def test_versions_in_an_object_store_answer_too(bucket: str, tmp_path: Path, metrics: Metrics) -> None:
    model = write_model(tmp_path / "model")
    push(model, bucket, 7, Origin("recipe", "data"), {}, {})
    one = reloader(bucket, metrics)
    assert one.load_first()
    store = MemoryFileSystem()

    push(model, bucket, 8, Origin("recipe", "data"), {}, {})
    marker = store.cat_file("/bucket/models/8/assets.extra/complete.json")
    data = store.cat_file("/bucket/models/8/variables/variables.data")
    store.rm_file("/bucket/models/8/variables/variables.data")
    assert looked(one) == 7  # the marker lists what isn't there

    store.pipe_file("/bucket/models/8/variables/variables.data", data)
    store.pipe_file("/bucket/models/8/assets.extra/complete.json", marker)
    assert looked(one) == 8
