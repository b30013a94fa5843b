"""Options of the exports, as ModelExport takes them; `push` has them in the configuration."""

from components.formats.exports import Format
from components.tools.section import Section


class ExportOptions(Section):
    """Which formats to write, and how much they must agree with the SavedModel."""

    formats: tuple[Format, ...]
    min_agreement: float
