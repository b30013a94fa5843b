"""Writes what follows from the code, pages of `docs/` and the file of defaults: `python -m tools`, or `make docs`."""

from components.tools.files import write_text
from pipeline.config import PRESETS
from tools import component_reference, config_reference


def main() -> None:
    """Write all or, where one can't be made, none."""
    pages = {
        PRESETS / "default.yaml": config_reference.default_yaml(),
        config_reference.REFERENCE: config_reference.reference(),
        component_reference.REFERENCE: component_reference.reference(),
    }
    for path, text in pages.items():
        write_text(text, path)


if __name__ == "__main__":
    main()
