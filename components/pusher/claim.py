"""A version's number that one push alone has, in an object store: there nothing fails because a name is taken."""

import posixpath
import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from components.formats.pushed_models import CLAIMS, file_system
from components.tools.retries import with_retries

_FARTHEST = 8


@contextmanager
def claimed(destination: str, number: int) -> Iterator[int]:
    """Yield the first number from this one on that nobody has, or another of the next few if others look as well.

    Whoever wants a number writes a claim of its own, and then looks: it has the number if there is no other claim and
    nothing of a model. Of two, the one that looks later sees the other's claim, or what it uploaded before it withdrew
    the claim; both may see each other and go on, but they never both stay. This holds where a listing shows what was
    written before it, as in S3, Google's store, MinIO and SeaweedFS, and needs nothing that only some of them offer.
    """
    store, root = file_system(destination)
    mine = uuid.uuid4().hex
    while True:
        folder = posixpath.join(root, CLAIMS, str(number))
        claim = posixpath.join(folder, mine)
        with_retries(partial(store.pipe_file, claim, b"claim"))
        try:
            others = set(_names(store, folder)) - {mine}
            standing = _names(store, posixpath.join(root, str(number)))  # after the claims: see above
            if not others and not standing:
                yield number
                return
        finally:
            with suppress(Exception):  # one that stays costs a number
                with_retries(partial(store.rm_file, claim))
        number += random.randint(1, _FARTHEST) if others else 1


def _names(store: Any, folder: str) -> list[str]:
    store.invalidate_cache()
    try:
        return [posixpath.basename(path.rstrip("/")) for path in with_retries(lambda: store.ls(folder, detail=False))]
    except FileNotFoundError:
        return []
