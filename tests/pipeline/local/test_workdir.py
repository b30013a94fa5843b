import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.local.workdir import Workdir, WorkdirLocked

_HOLD = """
import sys, time
from pipeline.local.workdir import Workdir
with Workdir(sys.argv[1]).locked():
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_keeps_others_out_and_dies_with_its_process(tmp_path: Path) -> None:
    folder = Workdir(tmp_path)
    holder = subprocess.Popen([sys.executable, "-c", _HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert folder.is_locked()
        with pytest.raises(WorkdirLocked, match=f"in use by process {holder.pid}"), folder.locked():
            pass
    finally:
        holder.kill()
        holder.wait()

    assert not folder.is_locked()
    with folder.locked():
        pass
