"""Tables of labels and options for them that can't be meant: refused in words, or reported; never a wrong label."""

import zipfile
from pathlib import Path
from typing import Any

import pytest
from drawn_containers import as_folder, as_zip, drawn
from pydantic import ValidationError

from components.images.source import SourceError
from components.ingest.ingest import ingest
from components.ingest.label_table import read_label_table
from components.ingest.match_labels import Finder, match_labels
from components.ingest.options import DataOptions, LabelColumns

FILES = {
    f"{label}/{number}.png": drawn(10 * at + number) for at, label in enumerate(("happy", "sad")) for number in range(3)
}


def run(root: Path, table: str | bytes, **options: Any) -> dict[str, Any]:
    as_folder(FILES, root / "data")
    (root / "labels.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
    (root / "out").mkdir()
    return ingest(str(root / "data"), root / "out", DataOptions(labels_csv=str(root / "labels.csv"), **options))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_wide_encodings_are_known_without_a_mark_too(encoding: str) -> None:
    table = read_label_table("path,label\na.png,dégoût\n".encode(encoding), "labels.csv")

    assert [row.label.name for row in table.rows] == ["dégoût"]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"PK\3\4\0\0\0", "a spreadsheet or a zip archive"),
        (b"\x1f\x8b\0\0", "compressed by gzip"),
        (b"PAR1\0", "a Parquet file"),
    ],
)
def test_what_is_no_text_is_named(data: bytes, what: str) -> None:
    with pytest.raises(SourceError, match=f"labels.csv is {what}, not text: save or unpack it as CSV"):
        read_label_table(data, "labels.csv")


def test_a_header_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"labels\.csv labels no image: it has no line below the names"):
        run(tmp_path, "path,label\n")


def test_votes_that_name_no_class_at_all_are_said_to(tmp_path: Path) -> None:
    table = "path,happy,sad\n" + "".join(f"{file},0,0\n" for file in FILES)

    with pytest.raises(SourceError, match="data.labels_csv leaves no image in .*: of 6 the votes name no class"):
        run(tmp_path, table, labels_columns={"votes": ["happy", "sad"]})


def test_one_image_with_two_confidences_is_refused() -> None:
    table = read_label_table(b"path,label,confidence\nhappy/0.png,sad,0.9\n./happy//0.png,sad,0.1\n", "labels.csv")

    with pytest.raises(SourceError, match=r"gives happy/0\.png two confidences or votes: in line 2 and in line 3"):
        match_labels(table, Finder(FILES))


def test_a_column_of_confidences_that_nobody_uses_may_be_blank(tmp_path: Path) -> None:
    assert run(tmp_path, "path,label,confidence\nhappy/0.png,sad,\n")["classes"] == {"happy": 2, "sad": 4}


def test_numbers_beside_names_of_folders_are_refused(tmp_path: Path) -> None:
    table = "path,label\nhappy/0.png,0\nhappy/1.png,0\nhappy/2.png,0\nsad/0.png,1\n"

    with pytest.raises(SourceError, match=r"has numbers for classes \(0, 1\), .*names \(sad\): .* data\.label_names"):
        run(tmp_path, table)


@pytest.mark.parametrize("separator", ["\u200b", "\u2060", "\ufeff"])
def test_classes_that_look_alike_but_for_what_is_not_seen_are_refused(separator: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="one class in two spellings"):
        run(tmp_path, f"path,label\nhappy/0.png,sa{separator}d\n")


@pytest.mark.parametrize("label", ['"sa\nd"', "s\x1b[31mad", "sa\x07d"])
def test_a_class_with_a_control_character_is_refused(label: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="a class can't have a line's end or another control character"):
        run(tmp_path, f"path,label\nhappy/0.png,{label}\n")


@pytest.mark.parametrize(
    "columns", [{"path": "file", "label": "file"}, {"votes": ["happy", "happy"]}, {"votes": ["sad"], "unsure": ["sad"]}]
)
def test_a_column_has_one_meaning(columns: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="data.labels_columns takes each column once"):
        LabelColumns.model_validate(columns)


@pytest.mark.parametrize("names", [{0: "", 1: "sad"}, {0: None, 1: "sad"}])
def test_a_class_has_a_name(names: dict[int, Any]) -> None:
    with pytest.raises(ValidationError, match="data.label_names gives 0 no name"):
        DataOptions(labels_csv="labels.csv", label_names=names)


def test_a_table_in_an_archive_is_pointed_to(tmp_path: Path) -> None:
    files = {f"images/{file.replace('/', '-')}": data for file, data in FILES.items()}
    table = "path,label\n" + "".join(f"{file},{file.split('/')[1].split('-')[0]}\n" for file in files)
    (tmp_path / "out").mkdir()

    with pytest.raises(SourceError, match=r"only one class.*, or take labels\.csv out of the archive and name it by"):
        ingest(str(as_zip(files | {"labels.csv": table.encode()}, tmp_path / "a.zip")), tmp_path / "out", DataOptions())


def test_images_with_the_pixels_of_another_class_are_told_of(tmp_path: Path) -> None:
    as_folder(FILES | {"sad/twin.png": FILES["happy/0.png"]}, tmp_path / "data")
    (tmp_path / "out").mkdir()

    notes = ingest(str(tmp_path / "data"), tmp_path / "out", DataOptions())["notes"]

    assert [note for note in notes if note.startswith("2 images have the very pixels of one with another label")]


def test_an_archive_of_which_nothing_can_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()

    with pytest.raises(SourceError, match=r"no usable image in .* \(6 can't be used; the first: .*: LZMA\)"):
        ingest(str(as_zip(FILES, tmp_path / "a.zip", zipfile.ZIP_LZMA)), tmp_path / "out", DataOptions())


def test_confidences_that_are_all_zero_are_no_weights(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="all confidences are 0, so no image would count"):
        run(tmp_path, "path,label,confidence\n" + "".join(f"{f},sad,0\n" for f in FILES), weigh_by_confidence=True)


@pytest.mark.parametrize(("folder", "beside"), [("images", False), ("faces", False), ("imgs_2", True)])
def test_a_table_of_a_part_of_one_folder_makes_no_class_of_the_rest(folder: str, beside: bool, tmp_path: Path) -> None:
    files = {f"{folder}/{number}.png": drawn(number) for number in range(10)}
    as_folder(files | ({"sad/x.png": drawn(50)} if beside else {}), tmp_path / "data")
    (tmp_path / "labels.csv").write_text(f"path,label\n{folder}/0.png,happy\n{folder}/1.png,sad\n")
    (tmp_path / "out").mkdir()

    options = DataOptions(labels_csv=str(tmp_path / "labels.csv"))
    summary = ingest(str(tmp_path / "data"), tmp_path / "out", options)

    assert summary["classes"] == {"happy": 1, "sad": 1 + beside}
    assert summary["quarantine_reasons"] == {"not in data.labels_csv, which divides its folder into classes": 8}


def test_a_few_corrections_leave_a_folder_its_class_also_where_it_is_a_number(tmp_path: Path) -> None:
    as_folder(
        {f"{label}/{number}.png": drawn(9 * label + number) for label in (3, 4) for number in range(4)}, tmp_path / "d"
    )
    (tmp_path / "labels.csv").write_text("path,label\n3/0.png,4\n")
    (tmp_path / "out").mkdir()

    summary = ingest(str(tmp_path / "d"), tmp_path / "out", DataOptions(labels_csv=str(tmp_path / "labels.csv")))

    assert summary["classes"] == {"3": 3, "4": 5}
