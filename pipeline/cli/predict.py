"""`affect predict`: classify image files with a pushed model.

Files go through ingest's codec (EXIF turns, WebP, CMYK, transparency), so the model sees them as in training. Reading
and decoding run in threads ahead of the model; a broken file is a row with an error and no label.
"""

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from components.formats.examples import LABEL_MAP, read_labels
from components.formats.saved_model import ASSETS, GRAPH, is_saved_model, loadable, serving_folder
from components.images.codec import MAX_PIXELS, BadImage, decode, for_tensorflow
from components.images.left_out import kind_of
from components.images.pieces import file_pieces
from components.images.reading import image_bytes
from components.images.source import printable
from components.tools.console import uncut_console
from components.tools.files import replacing
from components.tools.places import why_no_file
from pipeline.cli.heat_maps import HeatMaps, explainer
from pipeline.cli.quiet import quiet_libraries

READ_AHEAD = 4  # batches
ENTRY_LIMIT = 3  # probabilities in the table

Row = dict[str, Any]


@click.command("predict")
@click.option(
    "--model", "model_folder", required=True, metavar="DIR", help="A pushed model, or the folder with its versions."
)
@click.argument("paths", nargs=-1, required=True, metavar="IMAGE|FOLDER...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list of objects, not a table.")
@click.option("--csv", "csv_file", metavar="FILE", help="Write a CSV file instead of the table.")
@click.option(
    "--explain",
    "explain_folder",
    metavar="DIR",
    help="Write a picture for each image that shows what in it speaks for its label.",
)
@click.option(
    "--batch-size", default=64, show_default=True, metavar="N", type=click.IntRange(min=1), help="Images in a batch."
)
def predict(
    model_folder: str,
    paths: tuple[str, ...],
    as_json: bool,
    csv_file: str | None,
    explain_folder: str | None,
    batch_size: int,
) -> None:
    """Label images and folders of images, with the probability of each class.

    Exit status: 0, or 1 if no file could be classified.
    """
    if as_json and csv_file is not None:
        raise click.UsageError("--json prints and --csv writes a file: give one of them.")
    if csv_file is not None and (problem := why_no_file(csv_file)):
        raise click.UsageError(f"can't write --csv {csv_file}: {problem}")
    files = find_files(paths)
    version = find_version(Path(model_folder))
    labels, classify = load_model(version)
    heat_maps = None
    if explain_folder is not None:
        heat_maps = HeatMaps(Path(explain_folder), labels, explainer(classify.model, version))  # type: ignore[attr-defined]
    rows: list[Row] = []
    with _progress_bar() as progress:
        task = progress.add_task("classifying", total=len(files))
        for batch in classify_files(files, labels, classify, batch_size, heat_maps):
            rows += batch
            progress.advance(task, len(batch))
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False, allow_nan=False))
    elif csv_file is not None:
        try:
            write_csv(Path(csv_file), rows, labels)
        except OSError as error:
            raise click.ClickException(f"can't write --csv {csv_file}: {error.strerror}") from None
        click.echo(f"{len(rows)} rows in {csv_file}")
    else:
        _print_table(rows)
    if heat_maps is not None and not as_json:
        click.echo(f"{heat_maps.count} pictures in {explain_folder}")
    if all(row["label"] is None for row in rows):
        raise click.exceptions.Exit(1)


def find_files(paths: Sequence[str]) -> list[Path]:
    """List the files, and those of the folders and their subfolders, sorted and without what is surely no image.

    Raises:
        UsageError: a path doesn't exist, or there are no files.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = (file for file in path.rglob("*") if file.is_file())
            files += sorted(file for file in inside if not any(map(kind_of, file.relative_to(path).parts)))
        elif path.exists():
            files.append(path)
        else:
            raise click.UsageError(f"There is no such image or folder. Received: {path}")
    if not files:
        raise click.UsageError(f"There are no files in {', '.join(paths)}")
    return files


def find_version(folder: Path) -> Path:
    """Return the folder of the SavedModel: this one, or its newest version.

    Raises:
        UsageError: there is none.
    """
    if is_saved_model(folder):
        return folder
    versions = [entry for entry in folder.glob(f"*/{GRAPH}") if entry.parent.name.isdecimal()]
    if versions:
        return max(versions, key=lambda entry: int(entry.parent.name)).parent
    if is_saved_model(serving_folder(folder)):
        return serving_folder(folder)
    raise click.UsageError(f"--model must be the folder of a SavedModel, or of its versions. Received: {folder}")


Classifier = Callable[[list[bytes]], list[list[float]]]


def load_model(folder: Path) -> tuple[list[str], Classifier]:
    """Load a SavedModel; return its labels and a function from encoded images to probabilities (NaN where broken).

    Raises:
        UsageError: it wasn't exported by this pipeline.
    """
    try:
        labels = read_labels(folder / ASSETS)
    except FileNotFoundError:
        raise click.UsageError(f"The model has no {ASSETS}/{LABEL_MAP.name}. Received: {folder}") from None
    with quiet_libraries():
        import tensorflow as tf

        with loadable(folder) as path:
            model = tf.saved_model.load(path)
    if "serving_default" not in model.signatures:
        raise click.UsageError(f"The model has no signature serving_default. Received: {folder}")
    signature = model.signatures["serving_default"]

    def classify(images: list[bytes]) -> list[list[float]]:
        probabilities: list[list[float]] = (
            signature(image_bytes=tf.constant(images, tf.string))["probabilities"].numpy().tolist()
        )
        return probabilities

    classify.model = model  # type: ignore[attr-defined]  # the signature alone doesn't keep its variables alive
    return labels, classify


def classify_files(
    files: Sequence[Path],
    labels: list[str],
    classify: Classifier,
    batch_size: int,
    heat_maps: HeatMaps | None = None,
) -> Iterator[list[Row]]:
    """Classify the files batch by batch, in order, while the next batches are being read; write heat maps if asked."""
    with ThreadPoolExecutor(thread_name_prefix="read") as pool:
        waiting = iter(files)
        ahead: list[tuple[Path, Future[tuple[bytes | None, str | None]]]] = []

        def read_on() -> None:
            wanted = READ_AHEAD * batch_size - len(ahead)
            ahead.extend((file, pool.submit(read, file)) for file in islice(waiting, wanted))

        read_on()
        while ahead:
            batch = [(file, *future.result()) for file, future in ahead[:batch_size]]
            del ahead[:batch_size]
            read_on()
            images = [data for _, data, _ in batch if data is not None]
            probabilities = iter(classify(images) if images else [])
            rows = [
                _row(file, error, next(probabilities) if data is not None else None, labels)
                for file, data, error in batch
            ]
            if heat_maps is not None:
                heat_maps.add(rows, [file for file, _, _ in batch], [data for _, data, _ in batch])
            yield rows


def read(file: Path) -> tuple[bytes | None, str | None]:
    """Return the bytes that TensorFlow decodes to the file's picture, or None and why there are none."""
    try:
        data = image_bytes(file_pieces(file), MAX_PIXELS)
        return for_tensorflow(data, decode(data))[0], None
    except BadImage as error:
        return None, str(error)
    except OSError as error:
        return None, error.strerror or str(error)


def _row(file: Path, error: str | None, probabilities: list[float] | None, labels: list[str]) -> Row:
    name = printable(os.fsencode(file))
    if probabilities is None or probabilities[0] != probabilities[0]:
        reason = error or "the model can't decode it"
        return {"file": name, "label": None, "score": None, "probabilities": None, "error": reason}
    score, label = max(zip(probabilities, labels, strict=True))
    named = dict(zip(labels, probabilities, strict=True))
    return {"file": name, "label": label, "score": score, "probabilities": named, "error": None}


def write_csv(file: Path, rows: Sequence[Row], labels: Sequence[str]) -> None:
    """Write file, label, score, error, heat map if there are any, and one column of probabilities a class.

    What is missing is empty.
    """
    explained = [key for key in ("heat_map",) if any(key in row for row in rows)]
    with replacing(file) as temporary, temporary.open("w", newline="", encoding="utf-8") as output:
        writer = csv.writer(output)
        writer.writerow(["file", "label", "score", "error", *explained, *(f"p_{label}" for label in labels)])
        for row in rows:
            probabilities = row["probabilities"] or {}
            values = [row[key] for key in ("label", "score", "error", *explained)]
            values += [probabilities.get(label) for label in labels]
            writer.writerow([row["file"], *("" if value is None else value for value in values)])


def _print_table(rows: Sequence[Row]) -> None:
    table = Table("file", "label", "score", "next", box=None, pad_edge=False)
    for row in rows:
        if row["label"] is None:
            table.add_row(escape(row["file"]), "–", "–", f"[red]{escape(row['error'])}[/]")
            continue
        best = sorted(row["probabilities"].items(), key=lambda item: -item[1])[1:ENTRY_LIMIT]
        others = ", ".join(f"{label} {probability:.3f}" for label, probability in best)
        table.add_row(
            escape(row["file"]), f"[bold]{escape(row['label'])}[/]", f"{row['score']:.3f}", f"[dim]{escape(others)}[/]"
        )
    uncut_console().print(table)


def _progress_bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
