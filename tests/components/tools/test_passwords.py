import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from components.tools.environment import PASSWORDS
from components.tools.passwords import has_password, hidden, looks_secret, masked, revealed


@pytest.fixture(autouse=True)
def nothing_hidden() -> Iterator[None]:
    os.environ.pop(PASSWORDS, None)
    yield
    os.environ.pop(PASSWORDS, None)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ftp://me:secret@host/faces", "ftp://***@host/faces"),
        ("ftp://me:sec@ret@host/a@2.jpg", "ftp://***@host/a@2.jpg"),
        ("s3://AKIA:ab/cd+e=@bucket/faces", "s3://***@bucket/faces"),
        ("https://token@host/t.csv and http://a:b@c", "https://***@host/t.csv and http://***@c"),
        ("'https://a:b@host', \"x@y\"", "'https://***@host', \"x@y\""),
        ("ftp://:secret@host", "ftp://***@host"),
    ],
)
def test_whom_a_url_logs_in_as_is_masked(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert has_password(text)
    assert masked(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "/data/a@b", "s3://bucket/faces@2x/1.jpg", "http://host:9000/a@b", "http://[::1]:80/a@b", "me@host", "",
        "hdfs://host:8020/x", "ftp://***@host/faces", "ftp://***2@host/faces",
    ],
)  # fmt: skip
def test_whatever_holds_no_password_stays_as_it_is(text: str) -> None:
    assert masked(text) == hidden(text) == revealed(text) == text
    assert not has_password(text)


def test_what_was_hidden_is_known_to_those_who_open_it_and_to_their_processes() -> None:
    first, second = "ftp://me:secret@host/faces", "https://you:other@host/t.csv"

    assert [hidden(first), hidden(second), hidden(first)] == [
        "ftp://***@host/faces", "https://***2@host/t.csv", "ftp://***@host/faces",
    ]  # fmt: skip
    assert revealed("https://***2@host/t.csv") == second
    code = "from components.tools.passwords import revealed; print(revealed('ftp://***@host/faces/7'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{first}/7\n"
    assert hidden("ftp://***@host/faces") == "ftp://***@host/faces"


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "WANDB_API_KEY", "token", "DB_PASSWORD", "--s3_secret_key"])
def test_a_name_may_say_that_its_value_is_a_secret(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "TOKENIZERS_PARALLELISM", "MONKEY", "LEVEL", "KEYBOARD"])
def test_other_names_do_not(name: str) -> None:
    assert not looks_secret(name)
