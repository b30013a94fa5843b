"""Put into exported files what they say of themselves, so that the same model gives the same bytes.

tf2onnx draws its names from sets and a counter, so they differ from one process to the next; here each is the name of
its place in the graph. The file is no longer but for that.
"""

import io
import zipfile
from typing import Any

from components.formats.exports import DIGEST, FACTS, UNSEALED, Facts, sealed

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first date that an archive can hold


def onnx_with_facts(model: Any, facts: Facts) -> bytes:
    """Return an ONNX model as a file.

    Args:
        model: a ModelProto without subgraphs.
        facts: to put into its metadata.
    """
    graph = model.graph
    graph.name, graph.doc_string = "network", ""
    taken = {value.name for value in (*graph.input, *graph.output)}
    names: dict[str, str] = {"": "", **{name: name for name in taken}}
    for place, node in enumerate(graph.node):
        node.name = f"{place}_{node.op_type}"
        for kind, values in (("in", node.input), ("out", node.output)):
            for index, name in enumerate(values):
                values[index] = names.setdefault(name, f"{node.name}_{kind}{index}")
    for constant in graph.initializer:
        constant.name = names.get(constant.name, constant.name)
    graph.initializer.sort(key=lambda constant: constant.name)
    del graph.value_info[:]
    model.metadata_props.add(key=FACTS, value=facts.text())
    model.metadata_props.add(key=DIGEST, value=UNSEALED)
    return sealed(model.SerializeToString(deterministic=True))


def tflite_with_facts(model: bytes, facts: Facts) -> bytes:
    """Return a .tflite file with an archive behind the model, which runtimes don't look at."""
    file = io.BytesIO(model)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(zipfile.ZipInfo(f"{FACTS}.json", _LONG_AGO), facts.text())
        archive.comment = f"{DIGEST}: {UNSEALED}".encode()
    return sealed(file.getvalue())
