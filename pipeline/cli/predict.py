"""`affect predict`: classify image files with a pushed model.

Files go through ingest's codec (EXIF turns, WebP, CMYK, transparency), so the model sees them as in training. Reading
and decoding run in threads ahead of the model; a broken file is a row with an error and no label.
"""

import csv
import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from components.formats.examples import LABEL_MAP, read_labels
from components.formats.saved_model import ASSETS, loadable
from components.formats.version import NewerFormatError
from components.images.codec import MAX_PIXELS, BadImage, decode, for_tensorflow
from components.images.left_out import kind_of
from components.images.pieces import file_pieces
from components.images.reading import image_bytes
from components.images.room import Room
from components.images.source import printable as printable_name
from components.tools.console import uncut_console
from components.tools.files import replacing
from components.tools.places import not_writable, why_no_file
from components.tools.printable import harmless_cell, printable, printable_json
from components.tools.retries import reason
from components.tools.wording import counted
from pipeline.cli.exported_models import is_exported, load_exported
from pipeline.cli.heat_maps import HeatMaps, check_folder, explainer
from pipeline.cli.model_version import find_folder, find_version
from pipeline.cli.predict_at_scale import AtScale, at_scale_options, predict_at_scale
from pipeline.cli.quiet import quiet_libraries
from pipeline.cli.values import COUNT, NOT_EMPTY
from pipeline.local.failures import cut

READ_AHEAD = 4  # batches
ENTRY_LIMIT = 3  # probabilities in the table

Row = dict[str, Any]


@click.command("predict")
@click.option(
    "--model",
    "model_folder",
    required=True,
    metavar="DIR|FILE",
    help="A pushed model, the folder with its versions, or one of its files for other runtimes (.onnx, .tflite).",
)
@click.argument("paths", nargs=-1, required=True, metavar="IMAGE|FOLDER...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list of objects, not a table.")
@click.option("--csv", "csv_file", metavar="FILE", help="Write a CSV file instead of the table.")
@click.option(
    "--for-spreadsheets/--exact",
    default=True,
    show_default=True,
    help="In the CSV file, put a quote before names that a spreadsheet would run as a formula, or leave all as it is.",
)
@click.option(
    "--explain",
    "explain_folder",
    type=NOT_EMPTY,
    metavar="DIR",
    help="Write a picture for each image that shows what in it speaks for its label.",
)
@click.option("--batch-size", default=64, show_default=True, metavar="N", type=COUNT, help="Images in a batch.")
@at_scale_options
def predict(
    model_folder: str,
    paths: tuple[str, ...],
    as_json: bool,
    csv_file: str | None,
    for_spreadsheets: bool,
    explain_folder: str | None,
    batch_size: int,
    at_scale: AtScale,
) -> None:
    """Label images and folders of images, with the probability of each class.

    Exit status: 0, or 1 if no file could be classified.
    """
    if at_scale.output is not None:
        if as_json or csv_file is not None or explain_folder is not None:
            raise click.UsageError("--output writes Parquet: leave out --json, --csv and --explain, or --output")
        if is_exported(Path(model_folder)):
            raise click.UsageError(f"--output needs a SavedModel: give --model its folder. Received: {model_folder}")
        predict_at_scale(find_version(model_folder), paths, at_scale, batch_size)
        return
    if any(at_scale):
        given = next(name for name, value in at_scale._asdict().items() if value)
        raise click.UsageError(f"--{given.rstrip('s').replace('_', '-')} belongs to --output DIR")
    if as_json and csv_file is not None:
        raise click.UsageError("--json prints and --csv writes a file: give one of them.")
    if csv_file is not None and (problem := why_no_file(csv_file)):
        raise click.UsageError(not_writable(f"--csv {csv_file}", problem))
    files = find_files(paths)
    if explain_folder is not None:
        check_folder(Path(explain_folder), files)
    if is_exported(Path(model_folder)):
        if explain_folder is not None:
            raise click.UsageError(f"--explain needs a SavedModel: give --model its folder. Received: {model_folder}")
        labels, classify = load_exported(Path(model_folder))
    elif Path(model_folder).is_file():
        raise click.UsageError(f"--model must be a folder, or a file .onnx or .tflite. Received: {model_folder}")
    else:
        version = find_folder(model_folder)
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
        click.echo(printable_json(json.dumps(rows, indent=2, ensure_ascii=False, allow_nan=False)))
    elif csv_file is not None:
        try:
            write_csv(Path(csv_file), rows, labels, for_spreadsheets=for_spreadsheets)
        except OSError as error:
            raise click.UsageError(not_writable(f"--csv {csv_file}", error.strerror or str(error))) from None
        click.echo(f"{counted(len(rows), 'row')} in {csv_file}")
    else:
        _print_table(rows)
    if heat_maps is not None and not as_json:
        click.echo(f"{counted(heat_maps.count, 'picture')} in {explain_folder}")
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


Answer = tuple[list[float], bool]  # probabilities, NaN where broken, and whether the model is sure enough
Classifier = Callable[[list[bytes]], list[Answer]]


def load_model(folder: Path) -> tuple[list[str], Classifier]:
    """Load a SavedModel; return its labels and a function from encoded images to answers.

    Raises:
        UsageError: it wasn't exported by this pipeline.
    """
    try:
        labels = read_labels(folder / ASSETS)
    except FileNotFoundError:
        raise click.UsageError(f"The model has no {ASSETS}/{LABEL_MAP.name}. Received: {folder}") from None
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, NewerFormatError):
            raise
        raise _damaged(folder, error) from None
    with quiet_libraries():
        import tensorflow as tf

        with loadable(folder) as path:
            try:
                model = tf.saved_model.load(path)
            except Exception as error:  # damage surfaces as errors of a dozen kinds
                raise _damaged(folder, error) from None
    if "serving_default" not in model.signatures:
        raise click.UsageError(f"The model has no signature serving_default. Received: {folder}")
    signature = model.signatures["serving_default"]

    def classify(images: list[bytes]) -> list[Answer]:
        outputs = signature(image_bytes=tf.constant(images, tf.string))
        # Models of earlier versions have no such output: they always answer.
        accepted = outputs.get("accepted", outputs["score"] == outputs["score"])
        return list(zip(outputs["probabilities"].numpy().tolist(), accepted.numpy().tolist(), strict=True))

    classify.model = model  # type: ignore[attr-defined]  # the signature alone doesn't keep its variables alive
    return labels, classify


def _damaged(folder: Path, error: Exception) -> click.ClickException:
    return click.ClickException(
        f"the model can't be loaded ({cut(reason(error))}): its files are damaged or incomplete. Copy it again, or "
        f"take another version. Received: {folder}"
    )


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
            answers = iter(classify(images) if images else [])
            rows = [
                _row(file, error, next(answers) if data is not None else None, labels) for file, data, error in batch
            ]
            if heat_maps is not None:
                heat_maps.add(rows, [file for file, _, _ in batch], [data for _, data, _ in batch])
            yield rows


def read(file: Path) -> tuple[bytes | None, str | None]:
    """Return the bytes that TensorFlow decodes to the file's picture, or None and why there are none."""
    with Room() as room:
        try:
            data = image_bytes(file_pieces(file), MAX_PIXELS)
            return for_tensorflow(data, decode(data, take=room.take))[0], None
        except BadImage as error:
            return None, str(error)
        except OSError as error:
            return None, error.strerror or str(error)


def _row(file: Path, error: str | None, answer: Answer | None, labels: list[str]) -> Row:
    name = printable_name(os.fsencode(file))
    probabilities, accepted = answer or ([math.nan], False)
    if math.isnan(probabilities[0]):
        reason = error or "the model can't decode it"
        return {"file": name, "label": None, "score": None, "accepted": False, "probabilities": None, "error": reason}
    score, label = max(zip(probabilities, labels, strict=True), key=itemgetter(0))  # the first of equals
    named = dict(zip(labels, probabilities, strict=True))
    return {"file": name, "label": label, "score": score, "accepted": accepted, "probabilities": named, "error": None}


def write_csv(file: Path, rows: Sequence[Row], labels: Sequence[str], *, for_spreadsheets: bool) -> None:
    """Write file, label, score, accepted, error, heat map if there are any, and one column of probabilities a class.

    What is missing is empty.
    """
    cell = harmless_cell if for_spreadsheets else str
    explained = [key for key in ("heat_map",) if any(key in row for row in rows)]
    with replacing(file) as temporary, temporary.open("w", newline="", encoding="utf-8") as output:
        writer = csv.writer(output)
        header = ["file", "label", "score", "accepted", "error", *explained]
        writer.writerow([*header, *(f"p_{label}" for label in labels)])
        for row in rows:
            probabilities = row["probabilities"] or {}
            texts = {key: cell(row[key] or "") for key in ("file", "label", "error", *explained)}
            numbers = [row["score"], *(probabilities.get(label) for label in labels)]
            score, *others = ("" if number is None else number for number in numbers)
            known = {**texts, "score": score, "accepted": json.dumps(row["accepted"])}
            writer.writerow([*(known[key] for key in header), *others])


def _print_table(rows: Sequence[Row]) -> None:
    table = Table("file", "label", "score", "next", box=None, pad_edge=False)
    for row in rows:
        file = Text(printable(row["file"]))
        if row["label"] is None:
            table.add_row(file, "–", "–", Text(printable(row["error"]), "red"))
            continue
        best = sorted(row["probabilities"].items(), key=lambda item: -item[1])[1:ENTRY_LIMIT]
        others = ", ".join(f"{label} {probability:.3f}" for label, probability in best)
        label = Text(printable(row["label"]), "bold")
        if not row["accepted"]:
            label = Text.assemble(("not sure enough", "yellow"), (f" ({label.plain}?)", "dim"))
        table.add_row(file, label, f"{row['score']:.3f}", Text(printable(others), "dim"))
    uncut_console().print(table)


def _progress_bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
