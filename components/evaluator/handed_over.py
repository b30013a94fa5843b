"""What the executor hands to `extractors.custom_extractors`, which TFX calls by its path and with nothing of ours."""

from contextvars import ContextVar

from components.evaluator.slice_plan import Column

# The groups in test that are not new to both models; None where none is left out.
SEEN: ContextVar[frozenset[str] | None] = ContextVar("SEEN")
# Where the predictions go: a path without its ending, which all workers see.
KEPT: ContextVar[str] = ContextVar("KEPT")
# The columns of metadata that the examples are sliced by.
SLICED: ContextVar[tuple[Column, ...]] = ContextVar("SLICED")
