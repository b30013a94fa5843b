"""ML Metadata behind gRPC: its own store, on SQLite, served as Kubeflow's metadata-grpc serves it.

Kubeflow's server is a program that no package registry has; the store and its errors are the same.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from ml_metadata import errors
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd
from ml_metadata.proto import metadata_store_service_pb2 as service
from ml_metadata.proto import metadata_store_service_pb2_grpc as rpc

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_LARGEST_MESSAGE = 1 << 28


@contextmanager
def served(database: Path) -> Iterator[tuple[metadata_store.MetadataStore, int]]:
    """Serve a new store; yields it and the port."""
    config = mlmd.ConnectionConfig()
    config.sqlite.filename_uri = str(database)
    config.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    store, lock = metadata_store.MetadataStore(config), threading.Lock()
    methods = service.DESCRIPTOR.services_by_name["MetadataStoreService"].methods
    answers = {method.name: _answer(method, store, lock) for method in methods}
    servicer = type("Servicer", (rpc.MetadataStoreServiceServicer,), answers)()
    options = [("grpc.max_receive_message_length", _LARGEST_MESSAGE)]
    server = grpc.server(futures.ThreadPoolExecutor(8), options=options)
    rpc.add_MetadataStoreServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield store, port
    finally:
        server.stop(None).wait()


def _answer(method: Any, store: metadata_store.MetadataStore, lock: threading.Lock) -> Callable[..., Any]:
    def call(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        response = getattr(service, method.output_type.name)()
        try:
            with lock:
                store._call_method(method.name, request, response)
        except errors.StatusError as error:
            context.abort(_CODES[error.error_code], error.message)
        return response

    return call
