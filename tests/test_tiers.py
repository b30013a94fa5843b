"""Which tests `make check` runs."""

from pathlib import Path

import pytest
from heavy_imports import imports_heavy


@pytest.mark.parametrize(
    ("text", "heavy"),
    [
        ("import tensorflow as tf", True),
        ("import keras_tuner", True),
        ("try:\n    from tfx import types\nexcept ImportError:\n    pass", True),
        ("class Lazy:\n    import apache_beam.io", True),
        ("def later():\n    import tfx", False),
        ("if TYPE_CHECKING:\n    import tfx", False),
        ("from components.training import training", True),
        ("from components.images import codec", False),
        ("import trainer_examples", True),
        ("import drawn_images", False),
    ],
)
def test_a_file_is_heavy_if_importing_it_imports_tensorflow(text: str, heavy: bool, tmp_path: Path) -> None:
    file = tmp_path / "test_something.py"
    file.write_text(text)

    assert imports_heavy(file) == heavy
