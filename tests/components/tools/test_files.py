from pathlib import Path

from components.tools.files import content_digest


def test_the_digest_of_what_an_option_names_is_that_of_its_content(tmp_path: Path) -> None:
    model = tmp_path / "model"
    (model / "variables").mkdir(parents=True)
    weights = model / "variables" / "variables.index"
    weights.write_bytes(b"a")
    before = content_digest(str(model)), content_digest(str(weights))
    moved = model.rename(tmp_path / "moved")

    assert (content_digest(str(moved)), content_digest(str(moved / "variables" / weights.name))) == before
    (moved / "variables" / weights.name).write_bytes(b"b")
    assert content_digest(str(moved)) != before[0]
    assert content_digest("imagenet") == content_digest(None) == ""
