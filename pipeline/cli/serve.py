"""`affect serve`: answer over HTTP with a pushed model."""

import errno
import re

import click

from components.images.codec import MAX_PIXELS
from components.tools.passwords import masked
from components.tools.printable import printable
from components.tools.retries import reason
from pipeline.cli.quiet import quiet_libraries

_NAME = re.compile(r"[A-Za-z0-9_.-]+")


def _checked_name(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    del ctx, parameter
    if not _NAME.fullmatch(value):
        raise click.BadParameter("letters, digits, '_', '-' and '.' make a name")
    return value


@click.command("serve")
@click.option(
    "--model", "place", required=True, metavar="DIR", help="A pushed model, or the folder or URI with its versions."
)
@click.option(
    "--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0: all."
)
@click.option(
    "--port",
    default=8501,
    show_default=True,
    metavar="N",
    type=click.IntRange(0, 65535),
    help="Port; 0: one that is free.",
)
@click.option(
    "--name",
    metavar="NAME",
    default="affect",
    show_default=True,
    callback=_checked_name,
    help="The model's, in addresses.",
)
@click.option(
    "--max-batch",
    default=32,
    show_default=True,
    metavar="N",
    type=click.IntRange(1, 1024),
    help="Images answered in one pass.",
)
@click.option(
    "--max-wait",
    default=2.0,
    show_default=True,
    metavar="MS",
    type=click.FloatRange(0, 1000),
    help="Milliseconds that an image waits for others to be answered with.",
)
@click.option(
    "--max-queue",
    default=256,
    show_default=True,
    metavar="N",
    type=click.IntRange(1),
    help="Images that wait; more get 429.",
)
@click.option(
    "--max-requests",
    default=64,
    show_default=True,
    metavar="N",
    type=click.IntRange(1),
    help="Requests at once; more get 429.",
)
@click.option(
    "--max-images", default=64, show_default=True, metavar="N", type=click.IntRange(1), help="Images in a request."
)
@click.option(
    "--max-body",
    default=16.0,
    show_default=True,
    metavar="MB",
    type=click.FloatRange(0, min_open=True),
    help="Megabytes of a request.",
)
@click.option(
    "--max-pixels",
    default=MAX_PIXELS,
    show_default=True,
    metavar="N",
    type=click.IntRange(1),
    help="Pixels of an image.",
)
@click.option(
    "--timeout",
    default=30.0,
    show_default=True,
    metavar="S",
    type=click.FloatRange(0, min_open=True),
    help="Seconds in which a request is answered, or refused.",
)
def serve(
    place: str,
    host: str,
    port: int,
    name: str,
    max_batch: int,
    max_wait: float,
    max_queue: int,
    max_requests: int,
    max_images: int,
    max_body: float,
    max_pixels: int,
    timeout: float,
) -> None:
    """Answer over HTTP: TensorFlow Serving's REST form, an upload, a page.

    A version that is pushed meanwhile takes over. There is no password and no
    encryption: beyond this machine, put a proxy before it that has both.
    """
    if max_images > max_queue:
        raise click.UsageError(f"--max-images {max_images} is more than --max-queue {max_queue} lets wait: raise that")
    from pipeline.serving.app import Service
    from pipeline.serving.batching import Batching
    from pipeline.serving.limits import Limits
    from pipeline.serving.metrics import Metrics
    from pipeline.serving.reloading import Reloader
    from pipeline.serving.saved_model import SavedModel
    from pipeline.serving.server import address_of, bound_socket, end_on_signals, log_to_the_screen, make_server
    from pipeline.serving.shelf import Shelf

    try:
        bound = bound_socket(host, port)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        is_taken = getattr(error, "errno", None) in (errno.EADDRINUSE, errno.EACCES)
        other = "port with --port" if is_taken else "address of this machine with --host"
        raise click.ClickException(f"can't listen on {host}, port {port}: {why}. Name another {other}") from None
    log_to_the_screen()
    metrics = Metrics()
    where = printable(masked(place))
    try:
        shelf = Shelf(place)
        if not shelf.versions():
            raise click.UsageError(f"--model must be the folder of a SavedModel, or of its versions. Received: {where}")
        with quiet_libraries():
            import tensorflow  # before anything is said: what it says as it begins stays off the screen

            tensorflow.config.list_physical_devices()  # that there is no GPU, it says only as it looks for one
        reloader = Reloader(shelf, SavedModel, metrics, batch=max_batch)
        if not reloader.load_first():
            raise click.ClickException(
                f"none of the versions in {where} can be loaded: see above, and push one that can"
            )
    except (OSError, ValueError, ImportError) as error:
        raise click.ClickException(f"can't look into --model {where}: {reason(error)}") from None
    limits = Limits(int(max_body * 1e6), max_images, max_pixels, max_requests, timeout)
    service = Service(reloader, metrics, name, limits, Batching(max_batch, max_wait / 1000, max_queue))
    server = make_server(service.app(), timeout)
    end_on_signals(server)
    click.echo(f"{address_of(bound)} answers for {where}; Ctrl-C ends it")
    server.run(sockets=[bound])
