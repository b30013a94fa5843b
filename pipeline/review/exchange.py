"""Suspicious labels handed out to people, and their decisions brought back: files read and written."""

import os
import shlex
from collections.abc import Callable
from pathlib import Path

from components.formats.suspects import has_chances, in_words, shown_rows
from components.images.source import SourceError
from components.ingest.label_table import LabelTable, read_label_table
from components.tools.files import as_json, replacing, write_text
from components.tools.wording import counted
from pipeline.review.decisions import changes, check_decisions
from pipeline.review.label_studio import as_labeling_interface, as_tasks, local_url, prefixed_url, read_export
from pipeline.review.merge import merged
from pipeline.review.reviewed import Reviewed
from pipeline.review.work_list import as_list

_MARK = "\ufeff"


def hand_out(run: Reviewed, first: int | None, target: Path, root: Path | None, prefix: str | None) -> str:
    """Write a table to decide in, or tasks of Label Studio where the file's name ends in .json.

    Args:
        run: whose suspects.
        first: how many; None for as many as its report shows.
        target: the file.
        root: folder that Label Studio serves files of.
        prefix: where else Label Studio finds the data folder.

    Returns:
        What a person should know and do.

    Raises:
        SourceError: Label Studio can't find the images.
    """
    rows, known = shown_rows(run.findings, first), has_chances(run.findings)
    worth = in_words(run.findings, len(rows))
    if rows and not known:
        worth = "Without chance_wrong, which the version that made this run didn't estimate: run it again for that."
    words = " ".join(filter(None, [f"{counted(len(rows), 'image')} in {target}.", worth]))
    if not _is_json(target):
        write_text(_MARK + as_list(rows, has_chances=known), target)
        if not rows:
            return f"{target} holds no image: none of the suspicious labels is listed, or there are none."
        return (
            f"{words}\nTheir paths begin in {run.data}. Write the right class into the column label (the given one "
            "if it is right), or yes into exclude; then: "
            f"affect suspects --import {shlex.quote(str(target))} --into labels.csv"
        )
    tasks = as_tasks(rows, _address(run, root, prefix), run.name, has_chances=known)
    interface = target.with_suffix(".xml")
    write_text(as_labeling_interface(run.findings["labels"]), interface)
    write_text(as_json(tasks), target)
    return (
        f"{words}\nIn Label Studio, make a project with the labelling interface in {interface} (Settings, Labeling "
        f"Interface, Code) and import {target}; export the result as JSON; then: affect suspects --import EXPORT.json "
        "--into labels.csv"
    )


def bring_back(run: Reviewed, decided: Path, target: Path, base: Path | None) -> str:
    """Put decisions into a table for `data.labels_csv`.

    Args:
        run: that the list is of.
        decided: the list, or what Label Studio exported (its name ends in .json).
        target: the table; where it is there, its other lines stay.
        base: a table whose lines a new `target` begins with.

    Returns:
        What a person should know and do.

    Raises:
        SourceError: the decisions don't fit the run, or the table can't take them.
    """
    _keep_earlier_labels(run, target, base)
    labels = run.labels()
    if _is_json(decided):
        table, divided = read_export(decided.read_bytes(), str(decided))
    else:
        table, divided = read_label_table(decided.read_bytes(), str(decided), with_confidence=False), []
    decisions = check_decisions(
        table, run.finder(labels, decided), run.findings["labels"], "task" if _is_json(decided) else "line"
    )
    if not decisions:
        remedy = (
            "annotate its tasks and export again"
            if _is_json(decided)
            else "write classes into the column label, or yes into exclude"
        )
        raise SourceError(f"{decided}: nothing is decided: {remedy}")
    base = base or (target if target.exists() else None)
    existing = base.read_bytes() if base else None
    text = merged(
        decisions, existing, str(base or target), run.finder(labels, base or target), run.columns, run.numbers()
    )
    with replacing(target) as temporary:
        temporary.write_text(_MARK + text if _has_mark(existing) else text, "utf-8")
    return _summary(changes(decisions, labels), table, divided, target)


def _summary(numbers: tuple[int, int, int], table: LabelTable, divided: list[str], target: Path) -> str:
    changed, same, excluded = numbers
    text = f"{target}: {counted(changed, 'label')} changed, {same:,} confirmed, {counted(excluded, 'image')} excluded"
    text += f"; {table.undecided} of the list are undecided" if table.undecided else ""
    if divided:
        text += f" ({len(divided)} since annotators differ, such as {divided[0]})"
    return f"{text}.\nThe next run takes them: affect run … --set data.labels_csv={shlex.quote(str(target))}"


def _keep_earlier_labels(run: Reviewed, target: Path, base: Path | None) -> None:
    """Refuse a table that would leave behind the one that the run's labels came from, or what it holds itself."""
    if base is not None and target.exists() and not base.samefile(target):
        raise SourceError(
            f"{target} is there, and would lose its lines: name another file by --into, or leave out --merge"
        )
    earlier = run.labels_csv
    if earlier is None or base is not None:
        return
    if not (target.exists() and Path(earlier).exists() and target.samefile(earlier)):
        raise SourceError(
            f"the run has labels from {earlier}, and the next takes one table: add the decisions to it by --into "
            f"{earlier}, or begin {target} with a copy of it by --merge"
        )


def _address(run: Reviewed, root: Path | None, prefix: str | None) -> Callable[[str], str]:
    remote = "://" in run.data
    if prefix or (remote and root is None):
        return prefixed_url(prefix or run.data)
    if root is None or remote:
        raise SourceError(
            "Label Studio must find the images: name the folder of its LOCAL_FILES_DOCUMENT_ROOT by "
            "--label-studio-root, or the data folder's URL by --url-prefix"
        )
    if not Path(run.data).is_dir():
        raise SourceError(f"{run.data} isn't a folder that Label Studio could serve images from")
    try:
        return local_url(os.path.realpath(run.data), os.path.realpath(root))
    except ValueError as error:
        raise SourceError(str(error)) from None


def _is_json(file: Path) -> bool:
    return file.suffix.lower() == ".json"


def _has_mark(data: bytes | None) -> bool:
    return data is not None and data.startswith(_MARK.encode())
