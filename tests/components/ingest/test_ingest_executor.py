from pathlib import Path

import pyarrow.parquet as pq
from drawn_images import draw_folder

from components.formats.documents import SUMMARY
from components.ingest.executor import Executor
from components.ingest.options import DataOptions
from components.plain_executor import PlainArtifact


def test_what_was_found_lies_beside_the_images_and_only_the_summary_twice(tmp_path: Path) -> None:
    folder = draw_folder(tmp_path / "faces", {"happy": 3, "sad": 2})
    (folder / "train" / "sad" / "note.txt").write_text("hello")
    images, findings = (PlainArtifact(str(tmp_path / "made" / name)) for name in ("images", "findings"))

    values = {"uri": str(folder), "data": DataOptions().model_dump_json(), "data_digest": ""}
    Executor().Do({}, {"images": [images], "findings": [findings]}, values)

    assert {path.name for path in Path(images.uri).iterdir()} == {"images-00000-of-00001.parquet", "summary.json"}
    names = {"summary.json", "quarantine.parquet", "duplicates.parquet"}
    assert {path.name for path in Path(findings.uri).iterdir()} == names
    assert SUMMARY.read(findings.uri) == SUMMARY.read(images.uri)
    [row] = pq.read_table(Path(findings.uri) / "quarantine.parquet").to_pylist()
    assert row["id"] == "train/sad/note.txt"
    assert images.properties["quarantined"] == 1
