"""The whole pipeline by the command line, on an archive of drawn faces instead of their folder."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from whole_pipeline import run

from pipeline.local.workdir import Workdir
from pipeline.sample.dataset import write_sample_data

pytestmark = pytest.mark.e2e


def test_an_archive_is_run_to_the_end_and_the_second_run_executes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "system"
    system.mkdir()
    monkeypatch.setenv("TMPDIR", str(system))
    write_sample_data(tmp_path / "faces", 120)
    archive = Path(shutil.make_archive(str(tmp_path / "faces"), "zip", tmp_path, "faces"))
    shutil.rmtree(tmp_path / "faces")

    result = run(archive, tmp_path / "work", "validate.on_anomaly=warn")

    assert result.status == 0, result.text
    assert result.having("done") == set(result.states)
    [version] = Workdir(tmp_path / "work").serving_model.iterdir()
    assert (version / "saved_model.pb").exists()
    assert f"--data {archive}" in Workdir(tmp_path / "work").report.read_text()

    again = run(archive, tmp_path / "work", "validate.on_anomaly=warn")
    assert (again.status, again.having("done")) == (0, set())
    assert list(system.iterdir()) == []
    assert not Workdir(tmp_path / "work").temporary.exists()


def test_a_file_that_cannot_be_read_is_bad_usage_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "faces.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(99))
    line = [sys.executable, "-m", "pipeline", "run", "--data", str(tmp_path / "faces.h5")]

    done = subprocess.run([*line, "--workdir", str(tmp_path / "work")], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "Error: data: faces.h5 looks like HDF5: read it with h5py" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "work" / "artifacts").exists()
