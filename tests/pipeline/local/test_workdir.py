import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from components.images.folder_digest import folder_digest
from pipeline.cli import main
from pipeline.local.workdir import Workdir, WorkdirLocked

_HOLD = """
import sys, time
from pipeline.cli import main
from pipeline.local.workdir import Workdir
with Workdir(sys.argv[1]).locked():
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_keeps_others_out_and_dies_with_its_process(tmp_path: Path) -> None:
    folder = Workdir(tmp_path)
    holder = subprocess.Popen([sys.executable, "-c", _HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert folder.is_locked()
        with pytest.raises(WorkdirLocked, match=f"in use by process {holder.pid}"), folder.locked():
            pass
    finally:
        holder.kill()
        holder.wait()

    assert not folder.is_locked()
    with folder.locked():
        pass


@pytest.mark.parametrize("place", ["runs/local", "work", "."])
def test_a_workdir_in_the_data_is_no_data_from_the_lock_on(tmp_path: Path, place: str) -> None:
    for image in ("happy/1.jpg", "sad/2.jpg"):
        (tmp_path / image).parent.mkdir()
        (tmp_path / image).write_bytes(b"image")
    before = folder_digest(str(tmp_path))
    folder = Workdir(tmp_path / place)
    with folder.locked():
        found = [folder_digest(str(tmp_path))]
        for path in vars(folder).values():  # all that it names, be it a file or a folder
            path.mkdir(parents=True, exist_ok=True) if not path.exists() else None
            if path.is_dir() and path != folder.root:
                (path / "1.jpg").write_bytes(b"made")
            found.append(folder_digest(str(tmp_path)))

    assert set(found) == {before}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--workdir", "FILE"], "can't work in FILE: FILE is a file, not a folder. Name another folder with --workdir"),
        (["--workdir", "FILE/inside"], "can't work in FILE/inside: FILE is a file, not a folder."),
        (["--workdir", ""], "a value is missing"),
        (["--data", " "], "a value is missing"),
        (["--config", ""], "a value is missing"),
    ],
)
def test_a_place_that_cannot_be_is_named_in_a_line(words: list[str], message: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    shown = CliRunner().invoke(main, ["run", *(word.replace("FILE", str(file)) for word in words)])

    assert shown.exit_code in (1, 2)
    assert message.replace("FILE", str(file)) in shown.output.splitlines()[-1]
