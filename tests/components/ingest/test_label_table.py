import pytest

from components.images.source import SourceError
from components.ingest.label_table import Label, read_label_table, read_names
from components.ingest.match_labels import Finder, match_labels
from components.ingest.options import LabelColumns
from components.ingest.text_table import NoSuchTable

FILES = ["happy/a.jpg", "happy/b.jpg", "sad/a.jpg", "sad/dégoût.jpg"]


def labels_of(text: str | bytes, **columns: object) -> dict[str, str]:
    """Return the labels that a table gives to the files."""
    data = text if isinstance(text, bytes) else text.encode()
    table = read_label_table(data, "labels.csv", LabelColumns.model_validate(columns))
    return {file: label.name for file, label in match_labels(table, Finder(FILES, {"/data/faces": ""})).labels.items()}


@pytest.mark.parametrize(
    "table",
    [
        "path,label\nhappy/a.jpg,anger\n",
        "Path , Label\r\nhappy/a.jpg , anger\r\n",
        "path;label\nhappy/a.jpg;anger\n",
        "path\tlabel\nhappy/a.jpg\tanger\n",
        '"path","label"\n"happy/a.jpg","anger"\n\n',
        ",pth,label,relFCs\n0,happy/a.jpg,anger,0.7\n",
        "id,image,emotion,split\n7,happy/a.jpg,anger,train\n",
        "path,label\nhappy\\a.jpg,anger\n",
        "path,label\n.\\happy\\a.jpg,anger\n",
        "path,label\n./happy/a.jpg,anger\n",
        "path,label\n/data/faces/happy/a.jpg,anger\n",
        "path,label\nfaces/happy/a.jpg,anger\n",
        "image_id,label\nhappy/a,anger\n",
    ],
)
def test_tables_are_read_as_they_are_published(table: str) -> None:
    assert labels_of(table) == {"happy/a.jpg": "anger"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "cp1252"])
def test_any_usual_encoding_is_read(encoding: str) -> None:
    text = "path,label\nsad/dégoût.jpg,dégoût\n"
    data = b"\xff\xfe" + text.encode("utf-16-le") if encoding == "utf-16-le-bom" else text.encode(encoding)

    assert labels_of(data) == {"sad/dégoût.jpg": "dégoût"}


def test_a_file_may_be_named_by_its_last_parts_where_they_are_one_files_alone() -> None:
    assert labels_of("path,label\nb.jpg,anger\n") == {"happy/b.jpg": "anger"}
    with pytest.raises(SourceError, match=r"line 2: a\.jpg may be happy/a\.jpg or sad/a\.jpg: give more of its path"):
        labels_of("path,label\na.jpg,anger\n")


def test_paths_lead_from_the_tables_own_folder_too() -> None:
    table = read_label_table(b"path,label\na.jpg,anger\n", "sad/labels.csv")

    assert list(match_labels(table, Finder(FILES, beside="sad")).labels) == ["sad/a.jpg"]


def test_columns_can_be_named() -> None:
    text = "image,file,emotion,label\nx,happy/a.jpg,anger,9\n"

    assert labels_of(text, path="file", label="emotion") == {"happy/a.jpg": "anger"}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "labels.csv is empty"),
        ("file_size,label\n1,b\n", "no column that is called path"),
        ("image,file,label\na,b,c\n", "several columns that may be the path"),
        ("path,x\na,b\n", "no column that is called label"),
    ],
)
def test_a_file_without_such_columns_is_no_table_of_labels(table: str, message: str) -> None:
    with pytest.raises(NoSuchTable, match=message):
        labels_of(table)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("path,label\nhappy/a.jpg,\n", "line 2, column label: empty"),
        ("path,label\n,sad\n", "line 2, column path: empty"),
        ("path,label\nhappy/a.jpg,s\0ad\n", "line 2, character 14: a NUL"),
        ("path,label\nhappy/a.jpg,sad,really\n", "line 2: 3 fields, and 2 columns"),
        ("path,label\nhappy/a.jpg,x\n\nhappy/a.jpg,y\n", "two labels: x in line 2, y in line 4"),
        ("path,label\nhappy/a.jpg,x\ngone.jpg,y\n", r"line 3: gone\.jpg is not in the data folder \(1 such of 2\)"),
        ("path,label,relFCs\nhappy/a.jpg,x,much\n", "line 2, column relFCs: not a number"),
        ("path,label,confidence\nhappy/a.jpg,x,-1\n", "line 2, column confidence: must be at least 0"),
    ],
)
def test_what_a_table_cannot_mean_is_refused_by_line_and_column(table: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        labels_of(table)


def test_numbers_get_their_names_from_a_second_table() -> None:
    names = read_names(b"number,name\n0,neutral\n3,sad\n", "names.csv")

    table = read_label_table(b"path,label\nhappy/a.jpg,3.0\nhappy/b.jpg,0\n", "labels.csv", names=names)

    assert [row.label.name for row in table.rows] == ["sad", "neutral"]
    with pytest.raises(SourceError, match=r"line 2, column label: data\.label_names has no name for 4"):
        read_label_table(b"path,label\na,4\n", "labels.csv", names=names)


def test_a_confidence_is_read_with_the_label() -> None:
    table = read_label_table(b"pth,label,relFCs\na,sad,0.75\n", "labels.csv")

    assert table.rows[0].label == Label("sad", 0.75)


FERPLUS = b"""Usage,Image name,neutral,happiness,sadness,unknown,NF
Training,happy/a.jpg,1,7,2,0,0
Training,happy/b.jpg,0,5,5,0,0
Training,sad/a.jpg,0,1,4,5,0
Training,,0,0,0,0,10
Test,sad/d\xc3\xa9go\xc3\xbbt.jpg,0,0,0,0,10
"""


def test_votes_are_shares_and_a_tie_or_more_who_were_not_sure_is_no_label() -> None:
    columns = LabelColumns(votes=("neutral", "happiness", "sadness"), unsure=("unknown", "NF"))

    table = read_label_table(FERPLUS, "fer2013new.csv", columns)
    matched = match_labels(table, Finder(FILES))

    assert matched.labels == {
        "happy/a.jpg": Label("happiness", votes={"neutral": 0.1, "happiness": 0.7, "sadness": 0.2})
    }
    assert matched.left_out == dict.fromkeys(["happy/b.jpg", "sad/a.jpg", "sad/dégoût.jpg"], "the votes name no class")
    assert table.without_path == 1
