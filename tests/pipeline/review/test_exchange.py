"""`affect suspects`: lists handed out of a finished run, and decisions brought back into tables."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from analysed_run import record_run
from click.testing import CliRunner, Result
from ingested import draw, rows, run

from components.formats.dataset import shard_name, write_shard
from components.formats.documents import ANALYSIS
from components.ingest.options import DataOptions
from pipeline.cli import main

_WRONG = ("train/happy/1.jpg", "train/sad/4.jpg", "train/sad/6.jpg")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for index in range(12):
        draw(tmp_path / "faces" / "train" / ("happy" if index % 2 else "sad") / f"{index}.jpg", index)
    return tmp_path / "faces"


@pytest.fixture
def workdir(data: Path, tmp_path: Path) -> Path:
    return finished(data, tmp_path)


def finished(
    data: Path, folder: Path, options: dict[str, Any] | None = None, name: str = "work", shown: int = 2
) -> Path:
    """Ingest the folder for real; of an analysis there is what the command reads."""
    images, dataset = folder / name / "images", folder / name / "dataset"
    run(data, images, DataOptions.model_validate(options or {}))
    dataset.mkdir()
    write_shard(list(rows(images).values()), dataset / shard_name("train", 0, 1))
    suspects = [
        {"filename": file, "split": "test", "given": label, "suggested": other, "score": 0.1 + 0.1 * place,
         "confidence": 0.9}
        for place, (file, label, other) in enumerate(
            zip(_WRONG, ("happy", "sad", "sad"), ("sad", "happy", "happy"), strict=True)
        )
    ]  # fmt: skip
    about = {"splits": ["eval", "test"], "images": 12, "accuracy": 0.9, "shown": shown}
    findings = {"suspects": suspects, "about_suspects": about, "labels": ["happy", "sad"]}
    return record_run(folder / name, data, dataset, findings, options)


def suspects(workdir: Path, *words: str | Path) -> Result:
    return CliRunner().invoke(main, ["suspects", "--workdir", str(workdir), *map(str, words)])


def fill(file: Path, decisions: dict[str, tuple[str, str]]) -> None:
    with file.open(newline="", encoding="utf-8-sig") as opened:
        lines = list(csv.reader(opened))
    for line in lines[1:]:
        line[1:3] = decisions.get(line[0], ("", ""))
    with file.open("w", newline="", encoding="utf-8-sig") as opened:
        csv.writer(opened, delimiter=";").writerows(lines)


def labels_of(data: Path, table: Path, target: Path) -> dict[str, str]:
    run(data, target, DataOptions(labels_csv=str(table)))
    return {file: row.label for file, row in rows(target).items()}


def test_the_report_s_number_is_listed_with_its_worth_and_more_if_asked_for(workdir: Path) -> None:
    assert len(json.loads(suspects(workdir, "--json").output)) == 2
    assert len(json.loads(suspects(workdir, "--json", "--first", "3").output)) == 3
    assert "Of these 2, about 2 are expected to be wrong." in suspects(workdir).output


def test_a_run_that_shows_none_says_how_many_there_are(data: Path, tmp_path: Path) -> None:
    shown = suspects(finished(data, tmp_path, shown=0)).output

    assert shown == "Suspicious labels: 3. None is listed, since report.suspects is 0: give --first N.\n"


def test_a_list_of_none_asks_for_no_decision(data: Path, tmp_path: Path) -> None:
    said = suspects(finished(data, tmp_path, shown=0), "--export", tmp_path / "list.csv").output

    assert (
        said == f"{tmp_path / 'list.csv'} holds no image: none of the suspicious labels is listed, or there are none.\n"
    )


def test_decisions_reach_the_images_and_nothing_else(workdir: Path, data: Path, tmp_path: Path) -> None:
    listed, table = tmp_path / "list.csv", tmp_path / "labels.csv"

    assert suspects(workdir, "--export", listed, "--first", "3").exit_code == 0
    fill(listed, {_WRONG[0]: ("sad", ""), _WRONG[1]: ("sad", ""), _WRONG[2]: ("", "yes")})
    shown = suspects(workdir, "--import", listed, "--into", table)

    assert shown.exit_code == 0, shown.output
    assert "1 label changed, 1 confirmed, 1 image excluded" in shown.output
    found = labels_of(data, table, tmp_path / "out")
    expected = {f"train/{'happy' if n % 2 else 'sad'}/{n}.jpg": "happy" if n % 2 else "sad" for n in range(12)}
    expected[_WRONG[0]] = "sad"
    del expected[_WRONG[2]]
    assert found == expected


def test_the_list_itself_is_a_table_of_labels(workdir: Path, data: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    suspects(workdir, "--export", listed)

    summary = run(data, tmp_path / "one", DataOptions(labels_csv=str(listed)))
    assert summary["labels_table"]["changed"] == 0
    assert any("2 images aren't decided: these keep their labels" in note for note in summary["notes"])

    fill(listed, {_WRONG[1]: ("happy", "")})
    assert labels_of(data, listed, tmp_path / "two")[_WRONG[1]] == "happy"


def test_a_second_round_adds_to_the_table_of_the_first(data: Path, tmp_path: Path) -> None:
    table, listed = tmp_path / "labels.csv", tmp_path / "list.csv"
    table.write_text(f"file_name,label,by\n{_WRONG[0]},sad,eva\ntrain/sad/0.jpg,sad,eva\n")
    workdir = finished(data, tmp_path, {"labels_csv": str(table)})
    suspects(workdir, "--export", listed)
    fill(listed, {_WRONG[1]: ("happy", "")})

    refused = suspects(workdir, "--import", listed, "--into", tmp_path / "other.csv")
    assert refused.exit_code == 1
    assert f"the run has labels from {table}, and the next takes one table" in refused.output
    assert not (tmp_path / "other.csv").exists()

    merged = suspects(workdir, "--import", listed, "--into", tmp_path / "other.csv", "--merge", table)
    assert merged.exit_code == 0, merged.output
    assert suspects(workdir, "--import", listed, "--into", table).exit_code == 0
    expected = f"file_name,label,by\n{_WRONG[0]},sad,eva\ntrain/sad/0.jpg,sad,eva\n{_WRONG[1]},happy,\n"
    assert table.read_text() == (tmp_path / "other.csv").read_text() == expected
    again = suspects(workdir, "--import", listed, "--into", tmp_path / "other.csv", "--merge", table)
    assert "other.csv is there, and would lose its lines" in again.output


def test_what_cannot_be_taken_leaves_the_table_as_it_is(workdir: Path, tmp_path: Path) -> None:
    table, listed = tmp_path / "labels.csv", tmp_path / "list.csv"
    table.write_text("path,label\ntrain/sad/0.jpg,happy\n")
    for content, message in (
        ("path,label\ngone.jpg,happy\n", "1 of 1 files aren't images of the run: gone.jpg (line 2)"),
        ("path,label\ntrain/sad/4.jpg,joy\n", "joy is no class of the run. Its classes: happy, sad"),
        ("path,label,given,suggested\ntrain/sad/4.jpg,,sad,happy\n", "nothing is decided"),
    ):
        listed.write_text(content)
        shown = suspects(workdir, "--import", listed, "--into", table)

        assert (shown.exit_code, shown.output.count("\n")) == (1, 1)
        assert message in shown.output
    assert table.read_text() == "path,label\ntrain/sad/0.jpg,happy\n"
    assert not list(tmp_path.glob(".labels*"))


def test_a_round_trip_with_label_studio(workdir: Path, data: Path, tmp_path: Path) -> None:
    """What people do in Label Studio is done to its tasks here, in the form of its exports."""
    tasks, table, back = tmp_path / "tasks.json", tmp_path / "labels.csv", tmp_path / "project-7.json"

    refused = suspects(workdir, "--export", tasks)
    assert "LOCAL_FILES_DOCUMENT_ROOT by --label-studio-root" in refused.output
    assert not tasks.exists()

    shown = suspects(workdir, "--export", tasks, "--label-studio-root", data.parent)
    assert shown.exit_code == 0, shown.output
    assert '<Choice value="happy"/>' in tasks.with_suffix(".xml").read_text()
    exported = json.loads(tasks.read_text())
    assert [task["data"]["image"] for task in exported] == [f"/data/local-files/?d=faces/{file}" for file in _WRONG[:2]]
    for task in exported:
        [prediction] = task["predictions"]
        task["annotations"] = [{"id": 1, "completed_by": 1, "was_cancelled": False, "result": prediction["result"]}]
    exported[1]["annotations"][0]["was_cancelled"] = True
    back.write_text(json.dumps(exported))
    assert "1 label changed" in suspects(workdir, "--import", back, "--into", table).output
    assert table.read_text() == f"path,label\n{_WRONG[0]},sad\n"


def test_a_run_whose_data_set_is_gone_says_so(data: Path, tmp_path: Path) -> None:
    workdir = finished(data, tmp_path)
    for shard in (workdir / "dataset").glob("*"):
        shard.unlink()
    (tmp_path / "list.csv").write_text("path,label\ntrain/sad/4.jpg,happy\n")

    shown = suspects(workdir, "--import", tmp_path / "list.csv", "--into", tmp_path / "labels.csv")

    assert "the data set of run run-1 is gone" in shown.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--csv", "a.csv", "--json"], "give one of --csv and --json"),
        (["--import", __file__], "--import FILE and --into TABLE belong together"),
        (["--url-prefix", "http://x", "--export", "a.csv"], "belong to --export FILE.json"),
        (["--export", "/proc/self/x.csv"], "can't write --export /proc/self/x.csv: /proc/self: "),
    ],
)
def test_options_that_make_no_sense_together_are_bad_usage(words: list[str], message: str, tmp_path: Path) -> None:
    shown = suspects(tmp_path / "gone", *words)

    assert shown.exit_code == 2
    assert message in shown.output


def test_scores_of_an_earlier_version_are_no_chances(workdir: Path, tmp_path: Path) -> None:
    analysis = workdir / "artifacts" / "PredictionAnalysis" / "analysis" / "1"
    findings = dict(ANALYSIS.read(analysis))
    del findings["about_suspects"]
    ANALYSIS.write(findings, analysis)

    table = suspects(workdir, "--export", tmp_path / "list.csv")
    with (tmp_path / "list.csv").open(newline="", encoding="utf-8-sig") as file:
        chances = [row["chance_wrong"] for row in csv.DictReader(file)]
    suspects(workdir, "--export", tmp_path / "tasks.json", "--url-prefix", "http://localhost")
    tasks = json.loads((tmp_path / "tasks.json").read_text())

    assert chances == ["", "", ""]
    assert "Without chance_wrong, which the version that made this run didn't estimate" in table.output
    assert not any("chance_wrong" in task["data"] for task in tasks)
