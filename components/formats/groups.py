"""What is known of every image, copies too, without looking at it: for those who judge a model."""

from pathlib import Path

import pyarrow as pa

from components.formats.dataset import SPLITS, read_columns, read_table, write_table
from components.tools.files import StrPath

_FILE = "groups.parquet"
_COLUMNS = ("split", "label", "group", "sha256", "copy", "metadata")


def write_groups(dataset: StrPath, folder: StrPath) -> None:
    """Write the table of a split data set into a folder, a row an image in the order of the shards."""
    table = pa.concat_tables([read_columns(dataset, split, _COLUMNS) for split in SPLITS])
    write_table(table.replace_schema_metadata(None), Path(folder) / _FILE)  # the number of this format, not of shards


def read_groups(folder: StrPath) -> pa.Table:
    """Return the table: `split`, `label`, `group` and `sha256`, all of them text; `copy` and `metadata` of an ImageRow.

    What an older program wrote lacks the last two.

    Raises:
        NewerFormatError: it is of a later format.
    """
    return read_table(Path(folder) / _FILE)
