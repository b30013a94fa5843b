"""A checkpoint with any one bit changed is read as it was written, or not at all."""

import json
from pathlib import Path

import numpy as np

from components.training.checkpoint import FILE_NAME, read_state


def test_no_changed_bit_of_a_checkpoint_ends_a_training_or_changes_its_weights(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    variables = [np.arange(5, dtype=np.float32), np.ones((2, 2), np.float32)]
    meta = {"variables": 2, "best": 1, "fingerprint": "x"}
    arrays = {"meta": np.array(json.dumps(meta)), "best/0": variables[0]}
    np.savez(file, **arrays, **{f"variable/{index}": value for index, value in enumerate(variables)})
    whole = file.read_bytes()
    read = 0

    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        file.write_bytes(damaged)
        state = read_state(file)
        if state is None:
            continue
        read += 1
        assert state[0] == meta
        assert all(
            np.array_equal(*pair) for pair in zip([*state[1], *state[2]], [*variables, variables[0]], strict=True)
        )

    assert 0 < read < len(whole) * 4  # times and attributes of the archive's members, which nobody reads
