"""The service's addresses: TensorFlow Serving's REST form, a plain upload, a page, health and metrics."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import Any

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from components.images.codec import BadImage
from pipeline.serving.batching import Batcher, Batching, QueueFull
from pipeline.serving.drop_page import drop_page
from pipeline.serving.limits import CountedRequests, LimitedRequests, Limits
from pipeline.serving.metrics import Metrics
from pipeline.serving.model import Answer, Loaded, best, prepared
from pipeline.serving.problem import Problem, json_response
from pipeline.serving.reloading import Reloader
from pipeline.serving.rest_form import BadRequest, model_metadata, model_status, read_request, reply

_log = logging.getLogger("affect.serve")
_PLACES = {"/": "page", "/healthz": "health", "/metrics": "metrics", "/predict": "upload"}
_MESSAGES = {
    404: "there is nothing at this address; the model's is /v1/models/{name}",
    405: "this address takes no such method",
}


class Service:
    """Answers requests by the model that a reloader holds.

    Args:
        reloader: holds the model; looks for new versions as long as the service runs.
        metrics: told of everything.
        name: of the model, in addresses.
        limits: what is refused.
        batching: how images are put together.
    """

    def __init__(self, reloader: Reloader, metrics: Metrics, name: str, limits: Limits, batching: Batching) -> None:
        self._reloader = reloader
        self._metrics = metrics
        self._name = name
        self._limits = limits
        self._batcher = Batcher(batching, metrics)
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="decode")
        self._page = drop_page(name, limits.body)

    def app(self) -> Starlette:
        """Return the ASGI application."""
        model, version = f"/v1/models/{self._name}", "/versions/{version}"
        routes = [
            Route("/", self._show_page),
            Route("/healthz", self._health),
            Route("/metrics", self._show_metrics),
            Route("/predict", self._upload, methods=["POST"]),
            Route(f"{model}:predict", self._predict, methods=["POST"]),
            Route(f"{model}{version}:predict", self._predict, methods=["POST"]),
            Route(model, self._status),
            Route(f"{model}{version}", self._status),
            Route(f"{model}/metadata", self._metadata),
            Route(f"{model}{version}/metadata", self._metadata),
        ]
        return Starlette(
            routes=routes,
            middleware=[
                Middleware(CountedRequests, metrics=self._metrics, place=self._place),
                Middleware(LimitedRequests, limits=self._limits, metrics=self._metrics),
            ],
            exception_handlers={
                Problem: _problem,
                HTTPException: self._http_problem,
                ClientDisconnect: _gone,
                Exception: _failure,
            },
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        del app
        batches = asyncio.create_task(self._batcher.run())
        self._reloader.start()
        try:
            with self._threads:
                yield
        finally:
            self._reloader.stop()
            batches.cancel()
            with suppress(asyncio.CancelledError):
                await batches

    def _place(self, path: str) -> str:
        if path.startswith(f"/v1/models/{self._name}"):
            return "predict" if path.endswith(":predict") else "status"
        return _PLACES.get(path, "other")

    async def _show_page(self, request: Request) -> Response:
        del request
        return self._page

    async def _health(self, request: Request) -> Response:
        del request
        return json_response({"status": "ok", "version": str(self._loaded(None).version)})

    async def _show_metrics(self, request: Request) -> Response:
        del request
        return Response(generate_latest(self._metrics.registry), media_type=CONTENT_TYPE_LATEST)

    async def _status(self, request: Request) -> Response:
        version = request.path_params.get("version")
        found = [one for one in self._reloader.statuses() if version in (None, str(one.version))]
        if not found:
            raise Problem(404, "there is no such version")
        return json_response(model_status(found))

    async def _metadata(self, request: Request) -> Response:
        loaded = self._loaded(request.path_params.get("version"))
        return json_response(model_metadata(self._name, loaded.version, len(loaded.model.labels)))

    async def _predict(self, request: Request) -> Response:
        loaded = self._loaded(request.path_params.get("version"))
        body = await request.body()
        try:
            asked = await asyncio.get_running_loop().run_in_executor(self._threads, read_request, body)
        except BadRequest as error:
            raise Problem(400, str(error)) from None
        del body
        name = "inputs" if asked.by_column else "instances"
        answers = await self._answers(loaded, asked.images, [f"{name}[{n}]" for n in range(len(asked.images))])
        return _answered(loaded, reply(loaded.model.labels, answers, by_column=asked.by_column))

    async def _upload(self, request: Request) -> Response:
        loaded = self._loaded(None)
        if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            raise Problem(415, "files are taken as multipart/form-data: curl -F file=@face.jpg")
        most = self._limits.images
        async with _form(request.form(max_files=most, max_fields=most), most) as form:
            files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
            if not files:
                raise Problem(400, "there is no file in it: curl -F file=@face.jpg")
            names = [file.filename or "" for file in files]
            answers = await self._answers(loaded, [await file.read() for file in files], names)
        rows = [_row(name, loaded.model.labels, answer) for name, answer in zip(names, answers, strict=True)]
        return _answered(loaded, {"predictions": rows, "version": str(loaded.version)})

    def _loaded(self, version: str | None) -> Loaded:
        """Return the model that answers, if it is of the version that was asked for or none was."""
        loaded = self._reloader.current
        if loaded is None:
            raise Problem(503, "no version is loaded yet", again=True)
        if version not in (None, str(loaded.version)):
            raise Problem(404, f"this version isn't served; version {loaded.version} is")
        return loaded

    async def _answers(self, loaded: Loaded, images: list[bytes], names: Sequence[str]) -> list[Answer]:
        """Return the answers to uploaded files, each named for the message that refuses it."""
        if len(images) > self._limits.images:
            raise Problem(413, f"{len(images)} images are more than the {self._limits.images} that a request may have")
        loop = asyncio.get_running_loop()
        decoding = [
            loop.run_in_executor(self._threads, prepared, loaded.model, data, self._limits.pixels) for data in images
        ]
        ready = await asyncio.gather(*decoding, return_exceptions=True)
        self._refuse(ready, names)
        try:
            answers = await self._batcher.answer(loaded.model, ready)
        except QueueFull:
            raise Problem(429, "too many images wait to be answered", again=True) from None
        labels: list[Any] = [_label(loaded.model.labels, answer) for answer in answers]
        self._refuse(labels, names)
        for label, answer in zip(labels, answers, strict=True):
            self._metrics.answers.labels(label, str(answer.accepted).lower()).inc()
        return answers

    def _refuse(self, found: Sequence[Any], names: Sequence[str]) -> None:
        """Raise what is wrong with the first image that can't be used."""
        self._metrics.refused.inc(sum(isinstance(one, BadImage) for one in found))
        for one, name in zip(found, names, strict=True):
            if isinstance(one, BadImage):
                raise Problem(400, f"{name}: {one}")
            if isinstance(one, BaseException):
                raise one

    async def _http_problem(self, request: Request, error: Exception) -> Response:
        del request
        assert isinstance(error, HTTPException)
        message = _MESSAGES.get(error.status_code, error.detail).replace("{name}", self._name)
        response = Problem(error.status_code, message).response()
        response.headers.update(error.headers or {})
        return response


@asynccontextmanager
async def _form(parts: AbstractAsyncContextManager[FormData], most: int) -> AsyncIterator[FormData]:
    """Yield the parts of an upload.

    Raises:
        Problem: they are more than so many files, or their names aren't in the encoding that the request says.
        HTTPException: it is no upload.
    """
    async with AsyncExitStack() as stack:
        try:
            form = await stack.enter_async_context(parts)
        except UnicodeError:
            raise Problem(400, "the names in the upload can't be read: leave its charset out") from None
        except HTTPException as error:
            if error.detail.startswith("Too many files"):
                raise Problem(413, f"more than the {most} images that a request may have") from None
            raise
        yield form


def _label(labels: Sequence[str], answer: Answer) -> str | BadImage:
    try:
        return best(labels, answer)[0]
    except BadImage as error:
        return error


def _row(name: str, labels: Sequence[str], answer: Answer) -> dict[str, Any]:
    """Return what is said of an uploaded file, under the names that `affect predict --json` has."""
    label, score = best(labels, answer)
    named = dict(zip(labels, answer.probabilities, strict=True))
    return {"file": name, "label": label, "score": score, "accepted": answer.accepted, "probabilities": named}


def _answered(loaded: Loaded, value: dict[str, Any]) -> Response:
    return json_response(value, headers={"X-Model-Version": str(loaded.version)})


async def _problem(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, Problem)
    return error.response()


async def _gone(request: Request, error: Exception) -> Response:
    del request, error
    return Problem(400, "the connection ended before the body did").response()  # nobody reads it; it is counted


async def _failure(request: Request, error: Exception) -> Response:
    del request, error  # the server logs it
    return Problem(500, "the server failed; its log says why").response()
