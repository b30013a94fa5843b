"""Who is let in, over real HTTP and TLS to a stand-in for Kubeflow Pipelines; no cluster and no proxy is in it."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from certificates import Certificates, write_certificates
from click.testing import CliRunner, Result
from compiled import compiled_file
from stand_in import Kubeflow, running

from pipeline.cli import main
from pipeline.kubeflow.credentials import Credentials, CredentialsError

SECRET = "s3cr3t-of-mine"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled_file(tmp_path_factory.mktemp("compiled"))


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("kfp.Client._LOCAL_KFP_CONTEXT", str(tmp_path / ".config/kfp/context.json"))
    return tmp_path


@pytest.fixture
def kubeflow(home: Path) -> Iterator[Kubeflow]:
    with running(Kubeflow(states=["RUNNING"])) as found:
        yield found


def submitted(kubeflow: Kubeflow, path: Path, *arguments: str) -> Result:
    """Submit, and look at the run: one goes by kfp's client, the other without."""
    result = CliRunner().invoke(main, ["submit", str(path), "--host", kubeflow.url, *arguments])
    if result.exit_code:
        return result
    return CliRunner().invoke(main, ["status", "latest", "--host", kubeflow.url, *arguments])


def write_context(home: Path, text: str) -> None:
    file = home / ".config/kfp/context.json"
    file.parent.mkdir(parents=True)
    file.write_text(text)


def test_a_proxys_session_lets_in(kubeflow: Kubeflow, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubeflow.cookie = f"authservice_session={SECRET}"
    monkeypatch.setenv("SESSION", kubeflow.cookie)

    assert submitted(kubeflow, path, "--cookie-env", "SESSION").exit_code == 0


def test_a_login_before_the_api_is_no_answer(kubeflow: Kubeflow, path: Path) -> None:
    kubeflow.cookie = "authservice_session=another"

    result = submitted(kubeflow, path)

    assert result.exit_code == 1
    assert "doesn't let you in (302: it sends you to a login); give a token by --token-env, or a" in result.output
    assert len(kubeflow.seen) == 1  # the login's page wasn't asked for


def test_the_token_of_a_pod_is_read_anew_for_each_request(
    kubeflow: Kubeflow, path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = home / "token"
    file.write_text(f"{SECRET}\n")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(file))
    kubeflow.token = SECRET
    assert submitted(kubeflow, path).exit_code == 0

    file.write_text("renewed")
    kubeflow.token = "renewed"

    assert submitted(kubeflow, path).exit_code == 0


def test_kfps_context_says_namespace_and_header(kubeflow: Kubeflow, path: Path, home: Path) -> None:
    kubeflow.namespaces = ("mine",)
    context = {"namespace": "mine", "client_authentication_header_name": "X-Session"}
    write_context(home, json.dumps({**context, "client_authentication_header_value": SECRET}))

    assert submitted(kubeflow, path).exit_code == 0

    assert {headers.get("X-Session") for headers in kubeflow.seen} == {SECRET}
    assert [one["namespace"] for one in (*kubeflow.pipelines, *kubeflow.experiments)] == ["mine", "mine"]
    assert submitted(kubeflow, path, "--namespace", "theirs").exit_code == 1


@pytest.mark.parametrize("text", ["{", "[]", '{"namespace": 3}', "{}"])
def test_a_damaged_context_is_one_line(kubeflow: Kubeflow, path: Path, home: Path, text: str) -> None:
    write_context(home, text)

    result = submitted(kubeflow, path)

    assert result.exit_code == 2
    assert "context.json" in result.output.splitlines()[-1]
    assert not kubeflow.seen


@pytest.mark.parametrize("option", ["--token-env", "--cookie-env"])
def test_no_message_repeats_a_secret(
    kubeflow: Kubeflow, path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.setenv("SECRET", f"{SECRET}\nsecond line")

    result = submitted(kubeflow, path, option, "SECRET")

    assert result.exit_code == 2
    assert "the value of SECRET holds line breaks" in result.output
    assert SECRET not in result.output
    assert SECRET not in repr(Credentials(token=SECRET, cookie=SECRET, header=("X", SECRET)))


def test_a_token_that_is_not_taken_is_not_repeated(
    kubeflow: Kubeflow, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubeflow.token = "another"
    monkeypatch.setenv("SECRET", SECRET)

    result = submitted(kubeflow, path, "--token-env", "SECRET")

    assert "(401: Request not authenticated); is what you gave still valid?" in result.output
    assert SECRET not in result.output


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return write_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def secured(home: Path, certificates: Certificates) -> Iterator[Kubeflow]:
    """Kubeflow behind TLS of a private authority, which also wants to see the client's certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates.authority)
    context.load_cert_chain(certificates.server)
    context.verify_mode = ssl.CERT_REQUIRED
    with running(Kubeflow(states=["RUNNING"]), context) as found:
        yield found


def test_private_authority_and_own_certificate(secured: Kubeflow, path: Path, certificates: Certificates) -> None:
    authority = ["--ca-file", str(certificates.authority)]
    own = ["--cert-file", str(certificates.client), "--key-file", str(certificates.client_key)]

    without, half, whole = (submitted(secured, path, *given) for given in ([], authority, [*authority, *own]))

    assert "If its authority is your own, name that with --ca-file." in without.output
    assert half.exit_code == 1
    assert whole.exit_code == 0, whole.output


def test_what_is_no_certificate_is_one_line(secured: Kubeflow, path: Path, certificates: Certificates) -> None:
    wrong = submitted(secured, path, "--ca-file", str(path))
    swapped = submitted(secured, path, "--cert-file", str(certificates.client_key))
    alone = submitted(secured, path, "--key-file", str(certificates.client_key))

    assert f"--ca-file: can't use {path}" in wrong.output.splitlines()[-1]
    assert f"--cert-file: can't use {certificates.client_key}" in swapped.output.splitlines()[-1]
    assert "--key-file belongs to a certificate" in alone.output.splitlines()[-1]


def test_a_pod_without_its_token_is_told_which_file_it_was(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="can't read the token in .*nowhere"):
        Credentials(token_file=tmp_path / "nowhere").headers()


def test_without_an_address_the_cluster_of_the_pod_is_meant(
    home: Path, path: Path, monkeypatch: pytest.MonkeyPatch, kubeflow: Kubeflow
) -> None:
    line = ["status", "latest"]
    missing = CliRunner().invoke(main, line)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    inside = CliRunner().invoke(main, line)
    monkeypatch.setenv("KF_PIPELINES_ENDPOINT", kubeflow.url)
    named = CliRunner().invoke(main, line)

    assert missing.exit_code == 2
    assert "--host is missing" in missing.output
    assert "can't reach http://ml-pipeline.kubeflow.svc.cluster.local:8888" in inside.output
    assert f"{kubeflow.url} has no runs" in named.output
