"""Names that act on a terminal, on a table's reader or on a spreadsheet."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from components.tools.console import say
from components.tools.printable import harmless_cell, printable, printable_json, printable_lines

ANY = st.text(st.characters(exclude_categories=()))
ACTING = ["\x1b[31m", "\x9b2J", "\r", "\b", "\u202e", "\u2066", "\u200f", "\x00", "\udcff", "\ud800"]


@pytest.mark.parametrize("acting", ACTING)
def test_what_acts_is_spelled_out(acting: str) -> None:
    shown = printable(f"a{acting}b")

    assert acting[0] not in shown
    assert "\\" in shown
    assert shown.isprintable()
    shown.encode("utf-8")


@pytest.mark.parametrize("text", ["Ärger 怒り", "می‌خواهم", "👩‍🚀", "naïve é", "شادی"])
def test_what_is_spelled_so_stays(text: str) -> None:
    assert printable(text) == text


@given(ANY)
def test_json_means_the_same(text: str) -> None:
    written = printable_json(json.dumps({text: [text]}, ensure_ascii=False, indent=1))

    assert json.loads(written) == {text: [text]}
    assert all(line.isprintable() or set(line) & {"\u200c", "\u200d"} for line in written.split("\n"))
    written.encode("utf-8")


@given(ANY)
def test_what_is_said_is_said_as_it_is(text: str) -> None:
    output = io.StringIO()

    say(Console(file=output, width=20), text, "bold red")

    assert output.getvalue() == printable_lines(text) + "\n"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"])
def test_a_cell_is_no_formula(name: str) -> None:
    written = io.StringIO(newline="")
    csv.writer(written).writerow([harmless_cell(name), harmless_cell(f"a{name}")])

    assert next(csv.reader(io.StringIO(written.getvalue(), newline=""))) == [f"'{name}", f"a{name}"]
