"""Which images are answered together, by which model, and what becomes of those that aren't."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import pytest

from components.images.codec import Picture
from pipeline.serving.batching import Batcher, Batching, QueueFull
from pipeline.serving.metrics import Metrics
from pipeline.serving.model import Answer

_T = TypeVar("_T")


class Echo:
    """Answers an image, here a number, with it; waits for leave before the first batch."""

    labels = ("only",)

    def __init__(self) -> None:
        self.batches: list[list[Any]] = []
        self.leave = threading.Event()

    def prepare(self, data: bytes, picture: Picture) -> Any:
        raise NotImplementedError

    def answer(self, images: Sequence[Any]) -> list[Answer]:
        self.leave.wait(60)
        self.batches.append(list(images))
        if -1 in images:
            raise ValueError("a number below zero")
        if -2 in images:
            return []
        return [Answer((float(image),), True) for image in images]


def working(work: Callable[[Batcher], Awaitable[_T]], batching: Batching) -> _T:
    async def main() -> _T:
        batcher = Batcher(batching, Metrics())
        task = asyncio.create_task(batcher.run())
        try:
            return await asyncio.wait_for(work(batcher), 60)
        finally:
            task.cancel()

    return asyncio.run(main())


def numbers(answers: Sequence[Answer]) -> list[float]:
    return [answer.probabilities[0] for answer in answers]


async def soon() -> None:
    """Let what was begun go as far as it gets without the model and without time."""
    for _ in range(100):
        await asyncio.sleep(0)


def test_what_comes_while_the_model_works_is_answered_together() -> None:
    model = Echo()

    async def work(batcher: Batcher) -> list[list[Answer]]:
        first = asyncio.create_task(batcher.answer(model, [0]))
        await soon()
        others = [asyncio.create_task(batcher.answer(model, [number, 10 * number])) for number in (1, 2, 3)]
        await soon()
        model.leave.set()
        return list(await asyncio.gather(first, *others))

    answers = working(work, Batching(images=4, wait=0))

    assert [numbers(one) for one in answers] == [[0], [1, 10], [2, 20], [3, 30]]
    assert model.batches == [[0], [1, 10, 2, 20], [3, 30]]


def test_an_image_waits_for_others_no_longer_than_it_should() -> None:
    model = Echo()
    model.leave.set()

    async def together(batcher: Batcher) -> None:
        first = asyncio.create_task(batcher.answer(model, [1]))
        await soon()
        await asyncio.gather(first, batcher.answer(model, [2]))

    async def alone(batcher: Batcher) -> None:
        await asyncio.wait_for(batcher.answer(model, [3]), 30)

    working(together, Batching(images=2, wait=60))
    working(alone, Batching(images=2, wait=0.001))

    assert model.batches == [[1, 2], [3]]


def test_each_image_is_answered_by_the_model_it_was_prepared_for() -> None:
    old, new = Echo(), Echo()
    new.leave.set()

    async def work(batcher: Batcher) -> None:
        tasks = [asyncio.create_task(batcher.answer(old, [0]))]
        await soon()
        tasks += [asyncio.create_task(batcher.answer(model, [n])) for n, model in ((1, old), (2, new), (3, new))]
        await soon()
        old.leave.set()
        await asyncio.gather(*tasks)

    working(work, Batching(wait=0))

    assert (old.batches, new.batches) == ([[0], [1]], [[2, 3]])


def test_more_than_may_wait_are_refused_and_the_others_answered() -> None:
    model = Echo()

    async def work(batcher: Batcher) -> list[Answer]:
        first = asyncio.create_task(batcher.answer(model, [0]))
        await soon()
        second = asyncio.create_task(batcher.answer(model, [1, 2]))
        await soon()
        with pytest.raises(QueueFull):
            await batcher.answer(model, [3, 4])
        third = asyncio.create_task(batcher.answer(model, [5]))
        await soon()
        model.leave.set()
        return [*await first, *await second, *await third]

    assert numbers(working(work, Batching(wait=0, queue=3))) == [0, 1, 2, 5]


def test_a_batch_that_fails_is_told_to_those_in_it_and_the_next_is_answered() -> None:
    model = Echo()
    model.leave.set()

    async def work(batcher: Batcher) -> list[Answer]:
        with pytest.raises(ValueError, match="below zero"):
            await batcher.answer(model, [-1])
        with pytest.raises(ValueError, match="0 answers to 1 images"):
            await batcher.answer(model, [-2])
        return await batcher.answer(model, [1])

    assert numbers(working(work, Batching(wait=0))) == [1]


def test_what_nobody_waits_for_any_more_is_not_worked_on() -> None:
    model = Echo()

    async def work(batcher: Batcher) -> None:
        first = asyncio.create_task(batcher.answer(model, [0]))
        await soon()
        given_up = asyncio.create_task(batcher.answer(model, [1]))
        last = asyncio.create_task(batcher.answer(model, [2]))
        await soon()
        given_up.cancel()
        await soon()
        model.leave.set()
        await asyncio.gather(first, last)

    working(work, Batching(wait=0))

    assert model.batches == [[0], [2]]
