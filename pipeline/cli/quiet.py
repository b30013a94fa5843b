"""Loading of libraries that write to the screen whatever their environment says."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep off the screen what is written to standard error, by C++ code as well; shown after all if the block fails.

    TensorFlow 2.21 speaks of processors and GPUs before it reads `TF_CPP_MIN_LOG_LEVEL`.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        except BaseException:
            file.seek(0)
            os.write(kept, file.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
