"""Whoever decodes files of others waits, before a large picture, until there is room for it."""

import threading
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from components.batch_predict import predict_part
from components.batch_predict.parts import Given
from components.batch_predict.predict_part import Asked
from components.images import room as module
from components.images.codec import encode
from components.images.pieces import file_pieces
from components.images.room import Room
from pipeline.cli import predict
from pipeline.drift import served
from pipeline.serving import model

SIZED: Any = SimpleNamespace(height=8, width=8)  # what is asked of a model or a reference before any answer
SERVED: Any = SimpleNamespace(prepare=lambda data, picture: data)


def by_predict(file: Path) -> Any:
    return predict.read(file)[0]


def by_serve(file: Path) -> Any:
    return model.prepared(SERVED, file.read_bytes(), 10**8)


def by_predict_at_scale(file: Path) -> Any:
    given = Given(file.name, partial(file_pieces, file))
    found = predict_part.prepare(given, SIZED, Asked(1, 10**8, embeddings=False))
    return found if isinstance(found, str) else found.data


def by_drift(file: Path) -> Any:
    [found] = served._measured({file.name: file}, SIZED, [])
    return found.encoded


@pytest.mark.parametrize("read", [by_predict, by_serve, by_predict_at_scale, by_drift])
def test_a_large_picture_waits_for_room(
    read: Callable[[Path], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"test-{uuid.uuid4()}"
    monkeypatch.setattr(module, "slots", lambda: 1)
    for user in (predict, model, predict_part, served):
        monkeypatch.setattr(user, "Room", partial(Room, name))
    file = tmp_path / "large.png"
    file.write_bytes(encode(np.zeros((2_000, 2_000, 3), np.uint8), "png"))
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(read(file)), daemon=True)

    with Room(name) as room:
        room.take(4_000_000)
        thread.start()
        thread.join(0.5)
        assert not found
    thread.join(30)

    assert found == [file.read_bytes()]
