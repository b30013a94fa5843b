"""What a table says of images beyond their labels, from the file to the data set."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ingested import draw, rows, run

from components.formats.dataset import read_columns
from components.images.codec import encode
from components.images.source import SourceError
from components.ingest.options import DataOptions


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for index in range(6):
        draw(root / "train" / ("happy" if index % 2 else "sad") / f"{index}.jpg", index)
    return root


def ingested(root: Path, table: str | bytes, **options: Any) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """Ingest with a table; return the summary, and each image's metadata by its file name."""
    path = root.parent / "metadata.csv"
    path.write_bytes(table.encode() if isinstance(table, str) else table)
    target = root.parent / f"out{len(list(root.parent.iterdir()))}"
    summary = run(root, target, DataOptions(metadata_csv=str(path), **options))
    return summary, {row.filename: dict(row.metadata) for row in rows(target).values()}


@pytest.mark.parametrize(
    "table",
    [
        "path;camera;Alter\ntrain/sad/0.jpg;Büro;7,5\ntrain/happy/1.jpg;;8\n".encode("cp1252"),
        "camera\tfile_name\tAlter\nBüro\tC:\\faces\\train\\sad\\0.jpg\t7,5\n\t1.jpg\t8\n".encode("utf-16"),
        'camera,image,Alter\n"Büro",/elsewhere/faces/train/sad/0.jpg,"7,5"\n,happy/1.jpg,8\n',
    ],
)
def test_tables_are_taken_as_they_are_published(table: str | bytes, folder: Path) -> None:
    _, found = ingested(folder, table)

    assert found["0.jpg"] == {"camera": "Büro", "Alter": "7,5"}
    assert found["1.jpg"] == {"camera": "", "Alter": "8"}
    assert found["2.jpg"] == {"camera": "", "Alter": ""}  # of which the table says nothing


def test_what_the_table_does_not_fit_is_counted_and_said(folder: Path) -> None:
    summary, found = ingested(folder, ",path,camera\n0,sad/0.jpg,a\n1,sad/2.jpg,b\n2,gone/9.jpg,a\n3,,a\n")

    assert list(found["0.jpg"]) == ["camera"]
    table = summary["metadata_table"]
    assert (table["rows"], table["images"], table["without_path"], table["unnamed_columns"]) == (3, 2, 1, 1)
    assert table["missing"] == {
        "images": 4,
        "first": [f"train/{name}" for name in ("happy/1.jpg", "happy/3.jpg", "happy/5.jpg")],
    }
    assert table["unmatched"] == {"rows": 1, "first": ["line 4: gone/9.jpg"]}
    assert table["columns"] == {"camera": {"images": 2, "values": 2}}
    text = " ".join(summary["notes"])
    assert "says nothing of 4 of 6 images (train/happy/1.jpg, " in text
    assert "1 of 3 lines of data.metadata_csv names no image of the data folder (line 4: gone/9.jpg)." in text


def test_columns_may_be_called_like_ours(folder: Path) -> None:
    _, found = ingested(folder, "path,label,image/encoded,id,ü (%)\nsad/0.jpg,x,y,z,=1\n")

    assert found["0.jpg"] == {"label": "x", "image/encoded": "y", "id": "z", "ü (%)": "=1"}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("path,camera\nx.jpg,a\n", "names no image of the data folder, in none of 1 lines .line 2: x.jpg.: name the"),
        ("path,camera\n", "names no image: it has no line with a path"),
        ("path\nsad/0.jpg\n", "says nothing of the images: it needs a column beside path"),
        ("path,camera,camera\nsad/0.jpg,a,b\n", "has two columns camera: rename one"),
        ("camera,sex\na,f\n", "no column that is called path, or usually so: name it by data.metadata_path_column=…"),
        ("path,camera\nsad/0.jpg,a\nsad\\0.jpg,\n", "two things of train/sad/0.jpg: camera is a in line 2, empty in"),
        ("path,camera\nsad/0.jpg,a,b\n", "line 2: 3 fields, and 2 columns"),
        (b"PK\3\4", "is a spreadsheet or a zip archive, not text"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(table: str | bytes, message: str, folder: Path) -> None:
    with pytest.raises(SourceError, match=rf"^data\.metadata_csv .*{message}"):
        ingested(folder, table)


def test_the_column_of_paths_can_be_named(folder: Path) -> None:
    _, found = ingested(folder, "file,image,camera\nx,sad/0.jpg,a\n", metadata_path_column="image")

    assert found["0.jpg"] == {"file": "x", "camera": "a"}
    with pytest.raises(ValueError, match=r"metadata_path_column is about data\.metadata_csv"):
        DataOptions(metadata_path_column="image")


def test_copies_and_duplicates_have_what_is_said_of_their_source(folder: Path, tmp_path: Path) -> None:
    train = folder / "train"
    draw(train / "sad" / "0_aug1.jpg", 90)
    draw(train / "sad" / "2_aug1.jpg", 91)
    (train / "sad" / "twin.jpg").write_bytes((train / "sad" / "0.jpg").read_bytes())
    ramp = np.add.outer(np.arange(64), 2 * np.arange(64)).astype(np.uint8)[..., None].repeat(3, axis=2)
    (train / "happy" / "ramp.png").write_bytes(encode(ramp, "png"))
    (train / "happy" / "near.png").write_bytes(encode(ramp + np.uint8(1), "png"))
    table = "path,camera\nsad/0.jpg,a\nsad/2.jpg,b\nsad/2_aug1.jpg,own\nhappy/ramp.png,c\n"

    summary, found = ingested(folder, table)

    cameras = {name: said["camera"] for name, said in found.items()}
    assert cameras["0_aug1.jpg"] == cameras["twin.jpg"] == "a"
    assert cameras["2_aug1.jpg"] == "own"
    assert cameras["near.png"] == "c"
    assert cameras["4.jpg"] == ""
    assert summary["metadata_table"]["inherited"] == 3
    _, apart = ingested(folder, table, near_duplicates="off")
    assert apart["near.png"]["camera"] == ""


def test_duplicates_of_which_the_table_says_different_things_leave_others_alone(folder: Path) -> None:
    for name in ("twin", "third"):
        (folder / "train" / "sad" / f"{name}.jpg").write_bytes((folder / "train" / "sad" / "0.jpg").read_bytes())

    _, found = ingested(folder, "path,camera\nsad/0.jpg,a\nsad/twin.jpg,b\n")

    assert found["third.jpg"] == {"camera": ""}


def test_a_table_among_the_images_is_none_of_them_and_no_unused_table(folder: Path) -> None:
    table = folder / "train" / "sad" / "list.csv"
    table.write_text("image,label\n0.jpg,grin\n2.jpg,frown\n")

    summary = run(folder, folder.parent / "out", DataOptions(metadata_csv=str(table), on_bad_image="error"))

    assert summary["classes"] == {"happy": 3, "sad": 3}
    assert summary["unused_tables"] == []
    assert dict(rows(folder.parent / "out")["train/sad/0.jpg"].metadata) == {"label": "grin"}


def test_what_is_known_of_images_is_part_of_the_data(folder: Path) -> None:
    first, _ = ingested(folder, "path,camera\nsad/0.jpg,a\n")
    again, _ = ingested(folder, "image;camera\ntrain/sad/0.jpg;a\n")
    other, _ = ingested(folder, "path,camera\nsad/0.jpg,b\n")
    without = run(folder, folder.parent / "without")

    assert first["data_digest"] == again["data_digest"]
    assert len({one["data_digest"] for one in (first, other, without)}) == 3
    assert without["metadata_table"] is None
    assert read_columns(folder.parent / "without", "images", ["metadata"])[0].null_count == 6
