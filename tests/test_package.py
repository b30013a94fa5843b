"""The wheel: built and installed without a network, it holds all that the command needs, and starts at once."""

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from uv import find_uv_bin

ROOT = Path(__file__).parent.parent
_SOURCES = ("pyproject.toml", "requirements.txt", "README.md", "LICENSE")


def call(*words: str | Path, cwd: Path) -> str:
    return subprocess.run([*map(str, words)], cwd=cwd, check=True, capture_output=True, text=True).stdout


def files(*patterns: str) -> set[str]:
    """Paths in the checkout's two packages."""
    folders = (ROOT / "pipeline", ROOT / "components")
    return {str(path.relative_to(ROOT)) for folder in folders for pattern in patterns for path in folder.rglob(pattern)}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the source distribution, so that this is complete as well."""
    folder = tmp_path_factory.mktemp("package")
    source = folder / "source"
    for name in (*_SOURCES, *files("*.py", "*.yaml", "*.j2", "*.css", "py.typed")):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    options = ("--offline", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder)
    call(find_uv_bin(), "build", *options, source, cwd=folder)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The programs' folder of a new environment: the wheel, and behind it the packages of this one."""
    environment = wheel.parent / "environment"
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    call(find_uv_bin(), "pip", "install", "--offline", "--no-deps", "--python", python, wheel, cwd=wheel.parent)
    [packages] = environment.glob("lib/python*/site-packages")
    # A path in a .pth file: those of the folder itself, with the editable checkout, aren't read.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return environment / "bin"


def test_the_wheel_holds_every_file_of_both_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())

    expected = files("*.py", "*.yaml", "*.j2", "*.css", "py.typed")
    assert {"pipeline/py.typed", "components/py.typed", "pipeline/configs/photos.yaml"} <= expected
    assert {name for name in held if ".dist-info/" not in name} == expected
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in held)


def test_it_requires_what_requirements_txt_names(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith("/METADATA")]
        lines = archive.read(name).decode().splitlines()

    named = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert [line.removeprefix("Requires-Dist: ") for line in lines if line.startswith("Requires-Dist")] == named
    assert "License-Expression: Apache-2.0" in lines


def test_what_is_imported_is_the_wheels(installed: Path) -> None:
    code = "import pipeline.cli, components.datasplit as d; print(pipeline.cli.__file__, d.__file__, sep='\\n')"
    found = call(installed / "python", "-c", code, cwd=installed).splitlines()

    assert len(found) == 2
    assert all(Path(path).is_relative_to(installed.parent / "lib") for path in found)


def test_the_program_answers_under_its_own_name(wheel: Path, installed: Path) -> None:
    helped = call(installed / "affect", "--help", cwd=installed)

    assert helped.startswith("Usage: affect [OPTIONS] COMMAND")
    assert "\n  datasplit " in helped
    assert call(installed / "affect", "datasplit", "--help", cwd=installed).startswith("Usage: affect datasplit ")
    assert call(installed / "affect", "run", "--help", cwd=installed).startswith("Usage: affect run ")
    assert call(installed / "affect", "--version", cwd=installed) == f"affect {wheel.name.split('-')[1]}\n"


def test_a_preset_is_found_in_the_wheel(installed: Path) -> None:
    code = "from pipeline.config import load; print(load('photos', []).train.epochs)"

    assert call(installed / "python", "-c", code, cwd=installed) == "46\n"


def test_the_help_of_every_command_loads_neither_tfx_nor_tensorflow(installed: Path) -> None:
    code = (
        "import sys; from click import Context; from pipeline.cli import main; context = Context(main)\n"
        "for name in main.list_commands(context): main.get_command(context, name).get_help(context)\n"
        "print([name for name in ('tfx', 'tensorflow', 'apache_beam', 'kfp') if name in sys.modules])"
    )

    assert call(installed / "python", "-c", code, cwd=installed) == "[]\n"


def test_the_list_of_commands_loads_none_of_them(installed: Path) -> None:
    code = (
        "import sys; from click import Context; from pipeline.cli import main; main.get_help(Context(main))\n"
        "print([name for name in sys.modules if name.startswith(('pipeline.cli.', 'components'))])"
    )

    assert call(installed / "python", "-c", code, cwd=installed) == "[]\n"
