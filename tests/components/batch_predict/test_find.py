"""What is looked at before anything is predicted: no image is read, no TensorFlow imported."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from drawn_images import draw_folder

from components.batch_predict.find import Found, find
from components.batch_predict.options import PredictOptions
from components.batch_predict.parts import FolderPart, TablePart
from components.images.source import SourceError


def ids(found: Found) -> list[list[str]]:
    return [[image.id for image in part.images()] for part in found.parts]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return draw_folder(tmp_path / "faces", {"b": 3, "a": 4})


def table(file: Path, /, **columns: list[object]) -> Path:
    pq.write_table(pa.table(columns), file, row_group_size=2)
    return file


def test_a_folder_is_cut_in_the_order_of_its_names(folder: Path) -> None:
    found = find(str(folder), PredictOptions(images_per_shard=3))
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert ids(found) == [names[:3], names[3:6], names[6:]]
    assert found.images == len(names)
    assert [part.index for part in found.parts] == [0, 1, 2]


def test_what_is_surely_no_image_is_left_out_and_a_dangling_link_is_said_to_be_one(folder: Path) -> None:
    for name in ("Thumbs.db", ".hidden.png"):
        (folder / name).write_bytes(b"x")
    (folder / "train" / "a" / "gone.png").symlink_to(folder / "nowhere.png")
    [part] = find(str(folder), PredictOptions()).parts
    assert isinstance(part, FolderPart)
    assert len(part.files) == 7
    [(name, reason)] = part.unusable
    assert name == "train/a/gone.png"
    assert "dangling link" in reason


def test_another_content_has_another_digest(folder: Path) -> None:
    first = find(str(folder), PredictOptions()).digest
    assert find(str(folder), PredictOptions()).digest == first
    os.utime(next(folder.rglob("*.*")), (1, 1))
    assert find(str(folder), PredictOptions()).digest != first


def test_a_table_is_cut_between_its_row_groups(tmp_path: Path) -> None:
    file = table(tmp_path / "x.parquet", image=[b"x"] * 7, name=list("abcdefg"))
    found = find(str(file), PredictOptions(images_per_shard=5, id_column="name"))
    assert ids(found) == [list("abcd"), list("efg")]
    assert found.images == 7
    unnamed = table(tmp_path / "y.parquet", image=[b"x"] * 3)
    assert ids(find(str(unnamed), PredictOptions())) == [["y.parquet#0", "y.parquet#1", "y.parquet#2"]]


def test_a_folder_of_tables_is_read_as_one(tmp_path: Path) -> None:
    for name in ("b", "a"):
        table(tmp_path / f"{name}.parquet", path=[f"{name}/1.png", f"{name}/2.png"])
    (tmp_path / "summary.json").write_text("{}")
    found = find(str(tmp_path), PredictOptions())
    assert ids(found) == [["a/1.png", "a/2.png"], ["b/1.png", "b/2.png"]]
    assert [isinstance(part, TablePart) for part in found.parts] == [True, True]
    assert [part.index for part in found.parts] == [0, 1]


def test_paths_in_a_table_begin_at_its_folder(tmp_path: Path, folder: Path) -> None:
    first = sorted(folder.rglob("*.*"))[0]
    inside = first.relative_to(tmp_path).as_posix()
    file = table(tmp_path / "list.parquet", file_name=[inside, str(first), "gone.png"])
    images = [image for part in find(str(file), PredictOptions()).parts for image in part.images()]
    assert [b"".join(image.pieces()) for image in images[:2]] == [first.read_bytes()] * 2
    with pytest.raises(OSError, match="No such file"):
        list(images[2].pieces())


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({"number": [1]}, {}, "no column of images, nor of their paths under a usual name"),
        ({"image": [b"x"]}, {"image_column": "picture"}, "no column picture, which image_column names. It has image"),
        ({"image": [b"x"]}, {"id_column": "key"}, "no column key, which id_column names"),
        ({"left": [b"x"], "right": [b"x"]}, {}, "several columns of images"),
    ],
)
def test_a_table_that_does_not_say_what_to_predict_is_refused(
    tmp_path: Path, columns: dict[str, list[object]], options: dict[str, str], message: str
) -> None:
    file = table(tmp_path / "x.parquet", **columns)
    with pytest.raises(SourceError, match=message):
        find(str(file), PredictOptions(**options))  # type: ignore[arg-type]


def test_what_can_not_be_predicted_is_said_with_what_can(tmp_path: Path) -> None:
    (tmp_path / "faces.zip").write_bytes(b"PK\3\4")
    with pytest.raises(SourceError, match=r"give a folder of images, Parquet files .*unpack an archive first"):
        find(str(tmp_path / "faces.zip"), PredictOptions())
    with pytest.raises(SourceError, match="no such folder"):
        find(str(tmp_path / "gone"), PredictOptions())
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="there are no images"):
        find(str(tmp_path / "empty"), PredictOptions())
    (tmp_path / "half.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(SourceError, match=r"half\.parquet can't be read as Parquet .*get it again"):
        find(str(tmp_path / "half.parquet"), PredictOptions())
