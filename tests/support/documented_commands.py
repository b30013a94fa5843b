"""The commands in a page of the documentation."""

import re
from pathlib import Path


def commands(page: Path) -> list[str]:
    """Lines of the page's shell blocks, continued ones joined, without comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.split("  #")[0].strip() for line in lines if line.strip() and not line.strip().startswith("#")]
