"""`affect drift` on predictions: what it prints and writes, and its exit status."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from drift_samples import LABELS, about, model_with, predictions, sample

from components.formats.drift_sample import Sample
from components.formats.served_predictions import QUARANTINE_SCHEMA, write_served
from pipeline.cli import main


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["drift", *map(str, arguments)])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return model_with(sample(0), tmp_path / "models" / "7")


def test_images_like_those_of_test_are_said_to_be_so(model: Path, tmp_path: Path) -> None:
    result = run("--model", model.parent, predictions(sample(1, 200), tmp_path / "served.parquet"))

    assert result.exit_code == 0, result.output
    assert result.output.startswith("Not drifted")


def test_drift_is_an_exit_status_of_3_with_the_reasons_the_farthest_first(model: Path, tmp_path: Path) -> None:
    file = predictions(sample(1, 200, size=1.0, brightness=1.5), tmp_path / "served.parquet")

    result = run("--model", model, file)

    assert result.exit_code == 3
    assert result.output.startswith("Drifted: brightness and size.\n")
    assert result.output.index("Size: 100 % of the served images") < result.output.index("Brightness: ")


def test_json_holds_the_verdict_and_all_figures(model: Path, tmp_path: Path) -> None:
    result = run("--model", model, predictions(sample(1, 200, classes=0.5), tmp_path / "a.parquet"), "--json")

    found: dict[str, Any] = json.loads(result.output)
    assert (result.exit_code, found["verdict"], len(found["reasons"])) == (3, "drifted", 1)
    figures = {one["name"]: one for one in found["figures"]}
    assert len(figures) == 7
    assert figures["classes"]["drifted"]
    assert figures["classes"]["moved_most"]["of"] == "cat"
    assert figures["classes"]["p_value"] >= figures["classes"]["p_value_alone"]
    assert found["images"] == {"test": 300, "test_drawn": 300, "served": 200, "served_drawn": 200, "unusable": 0}


def test_the_page_shows_verdict_reasons_remedies_and_names_that_are_no_markup(model: Path, tmp_path: Path) -> None:
    served = sample(1, 200, embeddings=0.8)
    served = served._replace(ids=[f"<b>{name}" for name in served.ids])
    page = tmp_path / "drift.html"

    result = run("--model", model, predictions(served, tmp_path / "a.parquet"), "--html", page)

    text = page.read_text("utf-8")
    assert (result.exit_code, text.count("<svg")) == (3, 4)  # what is the same for all has no chart
    assert "✗ Drifted: what the network sees." in text
    assert "Look at the images that are least like test" in text
    assert "&lt;b&gt;g0" in text
    assert "<b>g0" not in text
    assert "src=" not in text.replace('src="data:', "")
    assert 'href="http' not in text


def test_shares_and_their_moves_are_written_alike(model: Path, tmp_path: Path) -> None:
    page = tmp_path / "drift.html"

    run("--model", model, predictions(sample(0), tmp_path / "a.parquet"), "--html", page)
    same = page.read_text("utf-8")
    run("--model", model, predictions(sample(1, 200, classes=0.5), tmp_path / "b.parquet"), "--html", page)
    moved = page.read_text("utf-8")

    assert same.count("<td>0&nbsp;points</td>") == len(LABELS)
    assert "<td>+36&nbsp;points</td>" in moved
    assert "66\u00a0% of the served images are taken for" in moved
    assert not re.search(r"\d%(?! *[;\"}])", re.sub(r"<style>.*?</style>|<svg.*?</svg>", "", moved, flags=re.DOTALL))


def test_the_same_predictions_give_the_same_page_and_json_in_whatever_order_they_are(
    model: Path, tmp_path: Path
) -> None:
    served = sample(1, 400)
    order = list(reversed(range(400)))
    columns: dict[str, Any] = {name: column[order] for name, column in served._asdict().items() if name != "ids"}
    turned = Sample(**{**columns, "ids": [served.ids[row] for row in order]})
    found = []
    for name, one in (("a", served), ("b", turned)):
        file, page = predictions(one, tmp_path / f"{name}.parquet"), tmp_path / f"{name}.html"
        result = run("--model", model, file, "--json", "--html", page, "--images", 100)
        found.append((result.output, page.read_bytes()))

    assert found[0] == found[1]
    assert json.loads(found[0][0])["images"]["served_drawn"] == 100


def test_shards_of_a_folder_are_read_together_with_what_could_not_be_predicted(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "served"
    folder.mkdir()
    for shard in range(2):
        ids = [f"{shard}/{name}" for name in sample(shard + 1, 100).ids]
        part = sample(shard + 1, 100)._replace(ids=ids)
        predictions(part, folder / f"predictions-{shard:05d}-of-00002.parquet")
    broken = {"id": ["x.jpg"], "reason": ["empty file"]}
    write_served(broken, folder / "quarantine-00000-of-00001.parquet", LABELS, about().model, QUARANTINE_SCHEMA)

    result = run("--model", model, folder, "--json")

    images = json.loads(result.output)["images"]
    assert (images["served"], images["unusable"]) == (200, 1)


def test_names_tell_groups_as_in_training_or_as_asked(tmp_path: Path) -> None:
    model = model_with(sample(0), tmp_path / "model", about(group_regex=r"^(g\d+)_"))
    served = sample(1, 400, per_group=4)
    file = predictions(served, tmp_path / "a.parquet")

    def groups(*options: str) -> int:
        return int(json.loads(run("--model", model, file, "--json", *options).output)["groups"]["served"])

    assert groups() == 100
    assert groups("--group-regex", r"^(g\d)") == 1
    renamed = predictions(served._replace(ids=[f"x{name}" for name in served.ids]), tmp_path / "b.parquet")
    result = run("--model", model, renamed)
    assert "captures nothing in the names" in result.output


def test_too_few_images_are_no_alarm_and_said_to_be_too_few(model: Path, tmp_path: Path) -> None:
    page = tmp_path / "drift.html"

    result = run("--model", model, predictions(sample(1, 19), tmp_path / "a.parquet"), "--html", page)

    assert result.exit_code == 0
    assert result.output.startswith("Too few to say anything: 19 served images")
    assert "Too few to say anything" in page.read_text("utf-8")


def test_predictions_without_embeddings_are_compared_by_the_other_figures(model: Path, tmp_path: Path) -> None:
    file = predictions(sample(1, 200, sharpness=-1.5), tmp_path / "a.parquet", embeddings=False)

    result = run("--model", model, file)

    assert result.exit_code == 3
    assert "Not compared: embeddings, since the predictions have none" in result.output


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: predictions(sample(1), folder / "a.parquet", model="another"), "predicted by another model"),
        (lambda folder: (folder / "a.txt").write_text("text") and folder / "a.txt", "give a folder of images"),
        (lambda folder: (folder / "b").write_text("PAR1text") and folder / "b", "is no Parquet file, or a damaged one"),
        (lambda folder: predictions(sample(1, 0), folder / "a.parquet"), "there is no prediction"),
        (lambda folder: folder / "missing", "does not exist"),
        (lambda folder: (folder / "empty").mkdir() or folder / "empty", "There are no files"),
    ],
)
def test_what_holds_no_predictions_of_this_model_is_bad_input(
    model: Path, tmp_path: Path, make: Any, said: str
) -> None:
    result = run("--model", model, make(tmp_path))

    assert (result.exit_code, result.output.count("Error: ")) == (2, 1)
    assert said in result.output


def test_a_model_without_a_reference_is_bad_input_with_the_remedy(tmp_path: Path) -> None:
    model = model_with(None, tmp_path / "model")

    result = run("--model", model, predictions(sample(1), tmp_path / "a.parquet"))

    assert result.exit_code == 2
    assert "run the pipeline again" in result.output


def test_a_pattern_that_is_none_is_found_out_before_the_work(tmp_path: Path) -> None:
    result = run("--model", model_with(None, tmp_path / "model"), tmp_path, "--group-regex", "(")

    assert result.exit_code == 2
    assert "--group-regex: not a regular expression (missing )" in result.output


def test_a_page_that_cant_be_written_is_found_out_before_the_work(model: Path, tmp_path: Path) -> None:
    file = predictions(sample(1), tmp_path / "a.parquet")

    result = run("--model", model, file, "--html", tmp_path / "no" / "page.html")

    assert result.exit_code == 2
    assert {path.name for path in tmp_path.iterdir()} == {"models", "a.parquet"}
