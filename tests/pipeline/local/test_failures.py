"""What is shown of a failure; full disks are `/dev/full`, and exceptions as libraries raise them."""

import errno
from pathlib import Path

import pytest

from pipeline.local.failures import cut, disk_full, is_disk_full, reason


def full() -> OSError:
    with pytest.raises(OSError) as caught, Path("/dev/full").open("w") as file:  # noqa: PT012
        file.write("x")
        file.flush()
    return caught.value


def raised_from(cause: BaseException) -> BaseException:
    try:
        try:
            raise cause
        except BaseException as error:
            raise RuntimeError("a unit failed") from error
    except RuntimeError as error:
        return error


@pytest.mark.parametrize(
    "error",
    [
        full(),
        raised_from(full()),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError("Error writing bytes to file. Detail: [errno 28] No space left on device"),
        RuntimeError("Error when executing query: database or disk is full query: DELETE FROM `x`"),
        ValueError([("a", "b", "[Errno 28] No space left on device: 'x'")] * 20_000),
    ],
    ids=range(6),
)
def test_a_full_disk_is_one_line_with_a_remedy(error: BaseException, tmp_path: Path) -> None:
    assert is_disk_full(error)
    text = reason(error, tmp_path)
    assert text == disk_full(tmp_path)
    assert len(text.splitlines()) == 1
    assert f" MB in the workdir {tmp_path}, where temporary files go as well: " in text


def test_other_failures_keep_their_words_as_far_as_they_can_be_read(tmp_path: Path) -> None:
    assert reason(ValueError("no\n\nsuch"), tmp_path) == "no\nsuch"
    assert reason(KeyError("a"), tmp_path) == "KeyError: 'a'"
    assert reason(OSError(errno.EACCES, "Permission denied"), tmp_path).startswith("PermissionError: ")
    assert reason(RuntimeError("x" * 1_000_000), tmp_path) == f"{'x' * 500} … (1,000,000 characters)"
    assert cut("short") == "short"
