"""What a table of labels does to the images of a folder."""

from pathlib import Path

import pytest
from ingested import draw, rows, run

from components.images.source import SourceError
from components.ingest.options import DataOptions, LabelColumns


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for index in range(12):
        draw(root / "train" / ("happy" if index % 3 else "sad") / f"{index}.jpg", index)
    return root


def affectnet(root: Path) -> Path:
    """Draw class folders, and a table among them that disagrees with every third image of two classes."""
    lines = [",pth,label,relFCs"]
    for number, label in enumerate(("anger", "contempt", "happy")):
        for image in range(9):
            draw(root / label / f"{image}.png", 40 * number + image)
            other = {"anger": "contempt", "contempt": "neutral", "happy": "happy"}[label]
            lines.append(f"0,{label}/{image}.png,{label if image % 3 else other},0.{image + 1}")
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root


def test_a_table_that_nobody_named_is_reported_with_what_it_would_change(tmp_path: Path) -> None:
    summary = run(affectnet(tmp_path / "data"), tmp_path / "out")

    assert summary["unused_tables"] == [{"file": "labels.csv", "rows": 27, "images": 27, "would_change": 6}]
    assert summary["labels_table"] is None
    assert summary["classes"] == {"anger": 9, "contempt": 9, "happy": 9}
    assert summary["quarantined"] == 0


def test_a_table_that_lies_among_the_images_is_no_bad_image(tmp_path: Path) -> None:
    root = affectnet(tmp_path / "data")

    summary = run(root, tmp_path / "out", DataOptions(labels_csv=str(root / "labels.csv"), on_bad_image="error"))

    assert summary["classes"] == {"anger": 6, "contempt": 9, "happy": 9, "neutral": 3}
    assert summary["labels_table"] == {
        "rows": 27,
        "encoding": "utf-8-sig",
        "without_path": 0,
        "labels": 27,
        "changed": 6,
    }
    assert summary["unused_tables"] == []


def test_labels_that_are_not_sure_enough_are_left_out_and_counted_with_their_copies(tmp_path: Path) -> None:
    root = affectnet(tmp_path / "data")
    draw(root / "happy" / "1_aug1.png", 200)
    draw(root / "happy" / "8_aug1.png", 201)

    summary = run(root, tmp_path / "out", DataOptions(labels_csv=str(root / "labels.csv"), min_confidence=0.4))

    assert summary["excluded"] == {"below data.min_confidence": 10}
    assert summary["images"] == 19
    found = rows(tmp_path / "out")
    assert {"happy/8_aug1.png", "happy/1_aug1.png"} & set(found) == {"happy/8_aug1.png"}
    assert {row.weight for row in found.values()} == {None}


def test_a_copy_on_whose_own_label_nobody_agreed_is_left_out_alone(tmp_path: Path) -> None:
    for number in range(8):
        draw(tmp_path / "data" / f"{number}.png", number)
    draw(tmp_path / "data" / "0_aug1.png", 100)
    lines = [f"{number}.png,{number % 2},{1 - number % 2}" for number in range(8)]
    table = tmp_path / "votes.csv"
    table.write_text("\n".join(["path,sad,happy", *lines, "0_aug1.png,1,1"]))

    columns = LabelColumns(votes=("sad", "happy"))
    summary = run(tmp_path / "data", tmp_path / "out", DataOptions(labels_csv=str(table), labels_columns=columns))

    assert summary["classes"] == {"happy": 4, "sad": 4}
    assert summary["excluded"] == {"the votes name no class": 1}


@pytest.mark.parametrize(("header", "found"), [("filename,label", ["train.csv"]), ("label,filename", [])])
def test_a_table_is_not_datasplits_by_its_name_alone(
    header: str, found: list[str], folder: Path, tmp_path: Path
) -> None:
    files = sorted((folder / "train").rglob("*.jpg"))
    lines = [header]
    for path in files:
        values = {"filename": path.name, "label": "sad" if header.startswith("filename") else path.parent.name}
        lines.append(",".join(values[name] for name in header.split(",")))
    (folder / "train.csv").write_text("\n".join(lines) + "\n")

    summary = run(folder, tmp_path / "out")

    assert [(table["file"], table["would_change"]) for table in summary["unused_tables"]] == [(one, 8) for one in found]


def test_a_text_beside_each_image_is_no_table_of_labels(tmp_path: Path) -> None:
    root = affectnet(tmp_path / "data")
    (root / "happy" / "1.txt").write_text("path,label\nhappy/1.png,sad\n")

    assert [table["file"] for table in run(root, tmp_path / "out")["unused_tables"]] == ["labels.csv"]


def test_a_confidence_is_the_weight_of_an_image_and_of_its_copies(tmp_path: Path) -> None:
    root = affectnet(tmp_path / "data")
    draw(root / "happy" / "1_aug1.png", 200)

    run(root, tmp_path / "out", DataOptions(labels_csv=str(root / "labels.csv"), weigh_by_confidence=True))

    found = rows(tmp_path / "out")
    assert [found[f"happy/{name}.png"].weight for name in ("1", "1_aug1", "4")] == pytest.approx([0.2, 0.2, 0.5])


def test_a_confidence_in_percent_is_no_weight(tmp_path: Path) -> None:
    root, table = affectnet(tmp_path / "data"), tmp_path / "labels.csv"
    table.write_text("path,label,confidence\nanger/0.png,anger,85\n")

    with pytest.raises(SourceError, match="takes confidences from 0 to 1. Received: 85, of anger/0.png"):
        run(root, tmp_path / "out", DataOptions(labels_csv=str(table), weigh_by_confidence=True))


def test_images_follow_their_votes(tmp_path: Path) -> None:
    root, table = tmp_path / "data", tmp_path / "votes.csv"
    for image in range(4):
        draw(root / "images" / f"fer{image}.png", image)
    table.write_text("Image name,happy,sad,unknown\nfer0.png,9,1,0\nfer1.png,0,8,2\nfer2.png,5,5,0\nfer3.png,4,0,6\n")
    columns = LabelColumns(votes=("happy", "sad"), unsure=("unknown",))

    summary = run(root, tmp_path / "out", DataOptions(labels_csv=str(table), labels_columns=columns))

    found = rows(tmp_path / "out")
    assert summary["excluded"] == {"the votes name no class": 2}
    assert found["images/fer0.png"].votes == (("happy", pytest.approx(0.9)), ("sad", pytest.approx(0.1)))
    assert found["images/fer1.png"].votes == (("sad", 1.0),)


def test_a_table_without_a_confidence_cannot_be_filtered_by_it(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("path,label\ntrain/happy/1.jpg,sad\n")

    with pytest.raises(SourceError, match="has no column confidence or relFCs"):
        run(folder, tmp_path / "out", DataOptions(labels_csv=str(table), min_confidence=0.4))


def test_images_in_one_folder_are_pointed_to_the_table_beside_them(tmp_path: Path) -> None:
    for image in range(4):
        draw(tmp_path / "data" / f"{image}.png", image)
    (tmp_path / "data" / "labels.csv").write_text("path,label\n" + "".join(f"{i}.png,c{i % 2}\n" for i in range(4)))

    with pytest.raises(SourceError, match=r"use the table that lies there: data\.labels_csv=.*/data/labels\.csv"):
        run(tmp_path / "data", tmp_path / "out")
