"""Lines of the tables that list what is where: UTF-8, but for names that aren't."""

import csv
import io


def csv_line(*values: str) -> bytes:
    """Return a line of a table as bytes; names that aren't UTF-8 keep theirs."""
    text = io.StringIO()
    # Python before 3.13 leaves a carriage return unquoted, which a reader would take for a line's end.
    every = any("\r" in value for value in values)
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if every else csv.QUOTE_MINIMAL).writerow(values)
    return text.getvalue().encode("utf-8", "surrogateescape")
