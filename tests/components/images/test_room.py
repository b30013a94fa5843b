import threading
import uuid
from pathlib import Path

import pytest

from components.images import room as module
from components.images.room import Room
from components.tools.memory import memory_limit

MEGAPIXELS_PER_SLOT = 4_000_000


@pytest.fixture
def name(monkeypatch: pytest.MonkeyPatch) -> str:
    """A room of its own, for 12 megapixels."""
    monkeypatch.setattr(module, "slots", lambda: 3)
    return f"test-{uuid.uuid4()}"


def waits(name: str, pixels: int) -> tuple[threading.Thread, threading.Event]:
    """Begin to take room in a thread, as another worker would."""
    taken = threading.Event()

    def take() -> None:
        with Room(name) as room:
            room.take(pixels)
            taken.set()

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    return thread, taken


def test_a_large_picture_waits_until_there_is_room(name: str) -> None:
    with Room(name) as room:
        room.take(2 * MEGAPIXELS_PER_SLOT)
        thread, taken = waits(name, 2 * MEGAPIXELS_PER_SLOT)
        assert not taken.wait(0.2)
    assert taken.wait(10)
    thread.join()


def test_what_fits_beside_it_and_what_is_small_does_not_wait(name: str) -> None:
    with Room(name) as room:
        room.take(2 * MEGAPIXELS_PER_SLOT)
        assert waits(name, MEGAPIXELS_PER_SLOT)[1].wait(10)
        room.take(MEGAPIXELS_PER_SLOT)
        assert waits(name, MEGAPIXELS_PER_SLOT - 1)[1].wait(10)


def test_a_picture_larger_than_the_room_gets_it_alone(name: str) -> None:
    with Room(name) as room:
        room.take(1_000 * MEGAPIXELS_PER_SLOT)
        _, taken = waits(name, MEGAPIXELS_PER_SLOT)
        assert not taken.wait(0.2)
    assert taken.wait(10)


@pytest.mark.parametrize(
    ("line", "file"),
    [
        ("0::/pod/container", "pod/container/memory.max"),
        ("0::/pod/container", "pod/memory.max"),
        ("0::/the/world/outside", "memory.max"),
        ("4:memory:/pod", "memory/pod/memory.limit_in_bytes"),
        ("4:cpu,memory:/pod", "memory/memory.limit_in_bytes"),
    ],
)
def test_a_container_s_limit_counts(line: str, file: str, tmp_path: Path) -> None:
    machine = memory_limit(tmp_path / "none", tmp_path / "none")
    own = tmp_path / "own"
    own.write_text(f"1:cpuset:/\n{line}\n")
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)

    (tmp_path / file).write_text("max\n")
    assert memory_limit(tmp_path, own) == machine
    (tmp_path / file).write_text("1000000\n")
    assert memory_limit(tmp_path, own) == 1_000_000
