from pathlib import Path

from pipeline.run_context import file_digest


def test_the_digest_of_what_an_option_names_is_that_of_its_content(tmp_path: Path) -> None:
    model = tmp_path / "model"
    (model / "variables").mkdir(parents=True)
    weights = model / "variables" / "variables.index"
    weights.write_bytes(b"a")
    before = file_digest(str(model)), file_digest(str(weights))
    moved = model.rename(tmp_path / "moved")

    assert (file_digest(str(moved)), file_digest(str(moved / "variables" / weights.name))) == before
    (moved / "variables" / weights.name).write_bytes(b"b")
    assert file_digest(str(moved)) != before[0]
    assert file_digest("imagenet") == file_digest(None) == ""
