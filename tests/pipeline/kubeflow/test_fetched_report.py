"""`affect report --kubeflow`: the page's place by API or by gRPC, the page by the stand-in or from a real S3 server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import s3fs
from click.testing import CliRunner, Result
from driver_records import PIPELINE, Driver
from ml_metadata_server import served
from object_store import KEYS, s3_server
from recorded_runs import Recorded
from stand_in import Kubeflow, running

from pipeline.cli import main

RUN = "1d1e"
KEY = f"v2/artifacts/{PIPELINE}/{RUN}/report/5f0c/report/index.html"
PAGE = b"<!doctype html>\n<html><body>accuracy 0.9</body></html>\n"


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


@pytest.fixture
def later() -> Iterator[Kubeflow]:
    with running(Kubeflow(recorded=one_run(later=True), objects={("minio", "mlpipeline", KEY): PAGE})) as found:
        yield found


@pytest.fixture
def earlier() -> Iterator[Kubeflow]:
    with running(Kubeflow(recorded=one_run(later=False), objects={("minio", "mlpipeline", KEY): PAGE})) as found:
        yield found


@pytest.fixture(scope="module")
def store() -> Iterator[dict[str, str]]:
    """An object store with the page, as the environment names it."""
    with s3_server() as port:
        names = {**KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        files = s3fs.S3FileSystem(key="testing", secret="testing", endpoint_url=names["AWS_ENDPOINT_URL"])
        files.mkdir("mlpipeline")
        files.pipe(f"mlpipeline/{KEY}", PAGE)
        yield names


def one_run(later: bool) -> Recorded:
    recorded = Recorded(later)
    recorded.add(RUN, {})
    return recorded


def report(kubeflow: Kubeflow, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["report", "--kubeflow", kubeflow.url, *arguments])


def test_the_page_comes_by_kubeflows_own_pages(later: Kubeflow, tmp_path: Path) -> None:
    result = report(later, RUN)

    assert (result.exit_code, result.output) == (0, f"report-{RUN}.html\n")
    assert (tmp_path / f"report-{RUN}.html").read_bytes() == PAGE
    assert report(later, "--output", "mine.html").output == "mine.html\n"
    assert (tmp_path / "mine.html").read_bytes() == PAGE


def test_up_to_2_17_its_place_is_in_ml_metadata(earlier: Kubeflow, tmp_path: Path) -> None:
    with served(tmp_path / "metadata.db") as (records, port):
        Driver(records).run(RUN, {})
        result = report(earlier, "latest", "--mlmd", f"grpc://127.0.0.1:{port}")

    assert (result.exit_code, result.output) == (0, f"report-{RUN}.html\n")
    _, query = earlier.asked[-1]
    assert query["providerInfo"][0].startswith('{"Provider": "minio"')


def test_where_only_the_api_is_reached_the_store_is_asked(
    later: Kubeflow, store: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later.objects = None
    for name, value in store.items():
        monkeypatch.setenv(name, value)

    assert report(later, RUN).output == f"report-{RUN}.html\n"
    assert (tmp_path / f"report-{RUN}.html").read_bytes() == PAGE


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (None, "set AWS_ENDPOINT_URL and its keys to where the installation's store is reached from here"),
        (PAGE[:30], "is no whole page: 30 bytes"),
    ],
)
def test_what_cannot_be_fetched_whole_leaves_no_file(
    later: Kubeflow, page: bytes | None, message: str, tmp_path: Path
) -> None:
    later.objects = {("minio", "mlpipeline", KEY): page} if page else None

    result = report(later, RUN)

    assert result.exit_code == 1
    [line] = result.output.splitlines()
    assert message in line
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_has_not_ended_has_no_report(later: Kubeflow) -> None:
    assert later.recorded is not None
    later.recorded.add("2d2e", {}, last="report", state="RUNNING")

    assert report(later).output == "Error: run facial-affect 2d2e has no report: its task Report hasn't ended well\n"


def test_without_ml_metadata_an_earlier_release_says_what_is_needed(earlier: Kubeflow) -> None:
    assert "name it with --mlmd grpc://host:port" in report(earlier, RUN).output


@pytest.mark.parametrize("arguments", [[RUN], ["--output", "x.html"], ["--namespace", "mine"]])
def test_what_belongs_to_kubeflow_is_refused_without_it(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, ["report", *arguments])

    assert result.exit_code == 2
    assert "belong to --kubeflow" in result.output


def test_a_file_that_cannot_be_written_is_one_line(later: Kubeflow) -> None:
    result = report(later, RUN, "--output", "none/report.html")

    assert result.exit_code == 2
    assert "Error: can't write --output none/report.html: " in result.output
