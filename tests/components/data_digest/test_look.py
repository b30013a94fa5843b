"""What tells whether anything outside has changed: files that options name, and the models at the destination."""

import json
import time
from pathlib import Path

import pytest

from components.data_digest.executor import Executor
from components.data_digest.look import LookError, data_digest, number_to_push, standing, to_beat
from components.formats.pushed_models import RUN, Origin
from components.images.folder_digest import folder_digest
from components.images.source import SourceError
from components.plain_executor import PlainArtifact
from pipeline.cli.run import digest_of
from pipeline.config import load

MINE = Origin("recipe", "", "folder")


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    for label in ("anger", "fear"):
        (tmp_path / "faces" / label).mkdir(parents=True)
        (tmp_path / "faces" / label / "1.jpg").write_text(label)
    return tmp_path / "faces"


def pushed(destination: Path, number: int, origin: Origin) -> None:
    assets = destination / str(number) / "assets.extra"
    assets.mkdir(parents=True)
    (assets.parent / "saved_model.pb").write_text("graph")
    RUN.write(origin.as_dict(), assets)


def test_without_named_files_it_is_the_digest_of_a_local_run(faces: Path) -> None:
    assert data_digest(str(faces), []) == folder_digest(str(faces))


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_named_file_counts_by_its_content(scheme: str, faces: Path, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    found = {data_digest(str(faces), [])}
    for text in ("path,label\n", "path,label\nfear/1.jpg,anger\n"):
        table.write_text(text)
        found.add(data_digest(str(faces), [f"{scheme}{table}"]))

    assert len(found) == 3
    assert data_digest(str(faces), [f"{scheme}{table}"]) in found


@pytest.mark.parametrize("option", ["data.labels_csv", "data.metadata_csv"])
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_local_run_knows_the_data_by_the_folder_and_by_what_lies_in_stores(
    scheme: str, option: str, faces: Path, tmp_path: Path
) -> None:
    """A file of this machine counts in the keys of the components that read it."""
    table, found = tmp_path / "labels.csv", set()
    for text in ("path,label\n", "path,label\nfear/1.jpg,anger\n"):
        table.write_text(text)
        found.add(digest_of(load(None, [f"{option}={scheme}{table}"]), str(faces)))

    assert len(found) == (2 if scheme else 1)
    assert (folder_digest(str(faces)) in found) is not bool(scheme)


def test_a_model_from_another_named_file_is_another_model(faces: Path, tmp_path: Path) -> None:
    """The recipe of a compiled pipeline knows such a file by path alone, and the images are the same."""
    weights, origins = tmp_path / "weights.safetensors", []
    for text in ("one", "two", "one"):
        weights.write_text(text)
        origins.append(Origin("recipe", "images", data_digest(str(faces), [str(weights)])))

    assert origins[0].is_same(origins[2])
    assert not origins[0].is_same(origins[1])
    assert not origins[0].is_same(Origin("recipe", "images", data_digest(str(faces), [])))


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_named_file_that_isnt_there_is_an_error(scheme: str, faces: Path) -> None:
    with pytest.raises(LookError, match="/none.csv, which an option names"):
        data_digest(str(faces), [f"{scheme}/none.csv"])


def test_a_folder_that_isnt_there_is_an_error() -> None:
    with pytest.raises(SourceError, match="^data: no such folder: /none$"):
        data_digest("/none", [])


def test_models_of_another_origin_are_to_beat_and_its_own_isnt(tmp_path: Path) -> None:
    assert to_beat(standing(str(tmp_path / "nothing")), MINE) == ""
    pushed(tmp_path, 7, Origin("another", "", "folder"))
    pushed(tmp_path, 8, MINE)
    pushed(tmp_path, 9, Origin("recipe", "", "other data"))

    assert to_beat(standing(str(tmp_path)), MINE) == "9,7"


def test_a_model_is_pushed_under_the_number_that_it_stands_under(tmp_path: Path) -> None:
    pushed(tmp_path, 7, Origin("another", "", "folder"))
    pushed(tmp_path, 8, MINE)
    pushed(tmp_path, 9, Origin("recipe", "", "other data"))

    assert number_to_push(standing(str(tmp_path)), MINE) == "8"


def test_a_model_that_doesnt_stand_gets_a_new_number_each_time(tmp_path: Path) -> None:
    before = int(time.time())
    assert before <= int(number_to_push([], MINE)) <= time.time()

    pushed(tmp_path, 10**11, Origin("another", "", "folder"))

    assert number_to_push(standing(str(tmp_path)), MINE) == str(10**11 + 1)


def test_a_destination_that_cant_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(LookError, match="^push_destination: can't read nowhere://models: .*nowhere"):
        standing("nowhere://models")


def test_what_lies_behind_a_link_out_of_the_folder_counts_where_it_is_followed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "disk").mkdir()
    (tmp_path / "data" / "sad").symlink_to("../disk")
    before = [data_digest(str(tmp_path / "data"), [], follow_links=follow) for follow in (False, True)]

    (tmp_path / "disk" / "1.jpg").write_bytes(b"new")

    after = [data_digest(str(tmp_path / "data"), [], follow_links=follow) for follow in (False, True)]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False]


def test_the_executor_hands_on_what_it_found(faces: Path, tmp_path: Path) -> None:
    outputs = {name: [PlainArtifact()] for name in ("places", "digest", "candidates", "version")}
    digest = folder_digest(str(faces))
    pushed(tmp_path / "models", 7, Origin("another", "", digest))
    pushed(tmp_path / "models", 8, Origin("recipe", "", digest))

    given = {"uri": str(faces), "until": "", "files": json.dumps([]), "follow_links": 0, "recipe": "recipe"}
    Executor().Do({}, outputs, given | {"destination": str(tmp_path / "models")})

    assert {name: one.value for name, [one] in outputs.items()} == {
        "places": str(faces),
        "digest": digest,
        "candidates": "7",
        "version": "8",
    }
