"""Kubeflow's TaskService, by which the driver finds earlier results: a stand-in in memory.

Its messages are those fields of Kubeflow's `task.proto` that driver and launcher fill.
"""

import json
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

_TIME = f".{timestamp_pb2.Timestamp.DESCRIPTOR.full_name}"
_TEXT, _NUMBER = descriptor_pb2.FieldDescriptorProto.TYPE_STRING, descriptor_pb2.FieldDescriptorProto.TYPE_INT32
_MESSAGES: dict[str, list[tuple[str, int, int | str, bool]]] = {
    "Task": [
        ("id", 1, _TEXT, False),
        ("namespace", 2, _TEXT, False),
        ("pipelineName", 3, _TEXT, False),
        ("runId", 4, _TEXT, False),
        ("mlmdExecutionID", 5, _TEXT, False),
        ("created_at", 6, _TIME, False),
        ("finished_at", 7, _TIME, False),
        ("fingerprint", 8, _TEXT, False),
    ],
    "CreateTaskRequest": [("task", 1, ".api.Task", False)],
    "ListTasksRequest": [
        ("page_token", 1, _TEXT, False),
        ("page_size", 2, _NUMBER, False),
        ("sort_by", 3, _TEXT, False),
        ("filter", 5, _TEXT, False),
    ],
    "ListTasksResponse": [
        ("tasks", 1, ".api.Task", True),
        ("next_page_token", 2, _TEXT, False),
        ("total_size", 3, _NUMBER, False),
    ],
}


@contextmanager
def served() -> Iterator[int]:
    """Serve it on a free port, and yield that."""
    kinds = _kinds()
    tasks: list[Any] = []

    def create(request: Any, context: grpc.ServicerContext) -> Any:
        task = kinds["Task"]()
        task.CopyFrom(request.task)
        task.id = str(len(tasks) + 1)
        tasks.append(task)
        return task

    def listed(request: Any, context: grpc.ServicerContext) -> Any:
        wanted = {one["key"]: one.get("stringValue") for one in json.loads(request.filter).get("predicates", [])}
        found = [task for task in tasks if all(getattr(task, key) == value for key, value in wanted.items())]
        response = kinds["ListTasksResponse"](total_size=len(found))
        response.tasks.extend(found[-1:])
        return response

    def method(answer: Any, request: str) -> Any:
        return grpc.unary_unary_rpc_method_handler(answer, kinds[request].FromString, lambda it: it.SerializeToString())

    methods = {
        "CreateTaskV1": method(create, "CreateTaskRequest"),
        "ListTasksV1": method(listed, "ListTasksRequest"),
    }
    server = grpc.server(futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("api.TaskService", methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


def _kinds() -> dict[str, Any]:
    timestamp = timestamp_pb2.DESCRIPTOR.name
    file = descriptor_pb2.FileDescriptorProto(name="task.proto", package="api", syntax="proto3", dependency=[timestamp])
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind, repeated in fields:
            one = message.field.add(name=field, number=number, label=3 if repeated else 1)
            if isinstance(kind, str):
                one.type, one.type_name = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE, kind
            else:
                one.type = kind  # type: ignore[assignment]
    pool = descriptor_pool.Default()
    pool.Add(file)
    make = getattr(message_factory, "GetMessageClass", None) or message_factory.MessageFactory(pool).GetPrototype  # type: ignore[attr-defined]
    return {name: make(pool.FindMessageTypeByName(f"api.{name}")) for name in _MESSAGES}
