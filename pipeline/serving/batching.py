"""Puts the images of requests that come at the same time together, so that the model works on them at once."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pipeline.serving.metrics import Metrics
from pipeline.serving.model import Answer, Model


class QueueFull(Exception):
    """More images wait than may."""


@dataclass(frozen=True)
class Batching:
    """How images are put together.

    Attributes:
        images: in a batch at most.
        wait: seconds that the first image of a batch waits for others; while the model works, they gather anyway.
        queue: images that wait at most.
    """

    images: int = 32
    wait: float = 0.002
    queue: int = 256


@dataclass(frozen=True, eq=False)
class _Waiting:
    model: Model
    image: Any
    answer: "asyncio.Future[Answer]"


class Batcher:
    """One model pass after the other, in a thread of its own.

    An image is answered by the model that it was prepared for, also if another has taken its place meanwhile: a batch
    ends where the next image is for another model.
    """

    def __init__(self, batching: Batching, metrics: Metrics) -> None:
        self._batching = batching
        self._metrics = metrics
        self._queue: deque[_Waiting] = deque()
        self._filled = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        metrics.watch_queue(lambda: len(self._queue))

    async def answer(self, model: Model, images: Sequence[Any]) -> list[Answer]:
        """Return the model's answers, in order.

        Raises:
            QueueFull: so many images wait that these would be too many; none of them is answered.
        """
        if len(self._queue) + len(images) > self._batching.queue:
            raise QueueFull
        loop = asyncio.get_running_loop()
        waiting = [_Waiting(model, image, loop.create_future()) for image in images]
        self._queue.extend(waiting)
        self._filled.set()
        return list(await asyncio.gather(*(one.answer for one in waiting)))

    async def run(self) -> None:
        """Work until cancelled."""
        with self._thread:
            while True:
                await self._gather()
                if batch := self._take():
                    await self._work(batch)

    async def _gather(self) -> None:
        """Wait for an image, and then until there is a batch or the time for one is over."""
        while not self._queue:
            self._filled.clear()
            await self._filled.wait()
        end = time.monotonic() + self._batching.wait
        while len(self._queue) < self._batching.images and (left := end - time.monotonic()) > 0:
            self._filled.clear()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._filled.wait(), left)

    def _take(self) -> list[_Waiting]:
        """Return images for one model from the queue, without those that nobody waits for any more."""
        batch: list[_Waiting] = []
        while self._queue and len(batch) < self._batching.images:
            if batch and self._queue[0].model is not batch[0].model:
                break
            one = self._queue.popleft()
            if not one.answer.done():
                batch.append(one)
        return batch

    async def _work(self, batch: list[_Waiting]) -> None:
        model, images = batch[0].model, [one.image for one in batch]
        begin = time.perf_counter()
        try:
            answers = await asyncio.get_running_loop().run_in_executor(self._thread, model.answer, images)
            if len(answers) != len(images):
                raise ValueError(f"the model gives {len(answers)} answers to {len(images)} images")
        except Exception as error:  # told to those who asked, and the next batch is tried
            for one in batch:
                if not one.answer.done():
                    one.answer.set_exception(error)
            return
        self._metrics.batch_seconds.observe(time.perf_counter() - begin)
        self._metrics.batch_images.observe(len(batch))
        for one, answer in zip(batch, answers, strict=True):
            if not one.answer.done():
                one.answer.set_result(answer)
