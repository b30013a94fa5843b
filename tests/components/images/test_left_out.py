from pathlib import Path

import fsspec
import pytest

from components.images.folder_digest import folder_digest
from components.images.left_out import WORKDIR_MARKER, kind_of, sift
from components.images.source import LocalSource, RemoteSource


def write(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(path.encode())
    return root


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("@eaDir", "nas"),
        ("#recycle", "nas"),
        ("SYNOPHOTO_THUMB_M.jpg", "nas"),
        ("0001.jpg@SynoEAStream", "nas"),
        ("@Recently-Snapshot", "nas"),
        ("$RECYCLE.BIN", "system"),
        ("System Volume Information", "system"),
        ("__MACOSX", "system"),
        ("Thumbs.db", "system"),
        ("desktop.ini", "system"),
        ("lost+found", "system"),
        ("Picasa.ini", "editor"),
        ("~$labels.xlsx", "editor"),
        ("._0001.jpg", "hidden"),
        (".ipynb_checkpoints", "hidden"),
        ("artifacts", None),
        ("recycle", None),
        ("thumbs", None),
        ("thumbs.jpg", None),
        ("snapshot", None),
        ("0001.jpg", None),
        ("logs", None),
    ],
)
def test_only_names_that_are_surely_no_data_are_left_out(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind


IMAGES = ["train/happy/1.jpg", "train/sad/2.jpg"]
THUMBNAILS = [f"train/{place}" for place in ("happy/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg", "happy/@eaDir/1.jpg/S.jpg")]
OTHERS = ["train/Thumbs.db", "train/sad/.DS_Store", "__MACOSX/train/happy/._1.jpg", "train/sad/~$table.xlsx"]


def test_a_folder_and_a_bucket_leave_out_and_count_the_same(tmp_path: Path) -> None:
    write(tmp_path, *IMAGES, *THUMBNAILS, *OTHERS)
    store = fsspec.filesystem("memory")
    store.put(f"{tmp_path}/", "/left_out/", recursive=True)

    here, there = LocalSource(str(tmp_path)).list(), RemoteSource("memory://left_out").list()

    assert here.files == there.files == IMAGES
    assert here.folders == there.folders == ["train", "train/happy", "train/sad"]
    assert here.left_out == there.left_out == {"system": 2, "editor": 1, "hidden": 1, "nas": 1}
    assert here.hidden == there.hidden == 1


def test_what_is_left_out_does_not_count_as_data(tmp_path: Path) -> None:
    before = folder_digest(str(write(tmp_path, *IMAGES)))

    write(tmp_path, *THUMBNAILS, *OTHERS)

    assert folder_digest(str(tmp_path)) == before


WORKDIR = ["metadata.db", "artifacts/ImageIngest/1.jpg", "report/index.html", "serving_model/7/saved_model.pb"]


@pytest.mark.parametrize("made", [WORKDIR, [WORKDIR_MARKER, "logs/1.log"], [WORKDIR_MARKER]])
def test_a_workdir_in_the_data_is_no_data_from_its_beginning(tmp_path: Path, made: list[str]) -> None:
    write(tmp_path, "happy/1.jpg", "sad/2.jpg", *(f"runs/local/{path}" for path in made))

    found = LocalSource(str(tmp_path)).list()

    assert (found.files, found.folders, found.unusable) == (["happy/1.jpg", "sad/2.jpg"], ["happy", "sad"], [])
    assert sift(["happy/1.jpg", *(f"runs/local/{path}" for path in made)])[:2] == (["happy/1.jpg"], ["happy"])


def test_of_a_data_folder_that_is_the_workdir_only_what_a_run_makes_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, "happy/1.jpg", "logs_of_wood/2.jpg", "metadata.db", "metadata.db-journal", "artifacts/a/1.parquet")

    found = LocalSource(str(tmp_path)).list()

    assert (found.files, found.folders) == (["happy/1.jpg", "logs_of_wood/2.jpg"], ["happy", "logs_of_wood"])
    assert found.left_out == {"workdir": 3}


def test_a_model_in_the_data_is_no_data(tmp_path: Path) -> None:
    write(tmp_path, "happy/1.jpg", "models/7/saved_model.pb", "models/7/variables/variables.index")
    (tmp_path / "models/7/assets.extra").mkdir()

    assert LocalSource(str(tmp_path)).list().folders == ["happy"]


def test_an_empty_folder_that_a_person_made_is_a_folder(tmp_path: Path) -> None:
    write(tmp_path, "happy/1.jpg", "sad/.DS_Store")

    assert LocalSource(str(tmp_path)).list().folders == ["happy", "sad"]


def test_links_out_of_the_folder_are_named_and_followed_on_request_without_loops(tmp_path: Path) -> None:
    write(tmp_path, "data/happy/1.jpg", "elsewhere/sad/2.jpg")
    (tmp_path / "data/sad").symlink_to("../elsewhere/sad")
    (tmp_path / "elsewhere/sad/back").symlink_to(tmp_path / "data")
    (tmp_path / "data/3.jpg").symlink_to("../elsewhere/sad/2.jpg")

    kept, followed = (LocalSource(str(tmp_path / "data"), follow).list() for follow in (False, True))

    assert kept.files == ["happy/1.jpg"]
    assert kept.outside == (("sad", str(tmp_path / "elsewhere/sad")),)
    assert [id_ for id_, _ in kept.unusable] == ["3.jpg", "sad"]
    assert followed.files == ["3.jpg", "happy/1.jpg", "sad/2.jpg"]
    assert followed.unusable == [("sad/back", "link to a folder it lies in")]
    assert followed.outside == ()
