"""The command line: one file a command, loaded when it is called, since TensorFlow and TFX take seconds to import."""

import importlib
import os
import sys
import warnings

import click

from pipeline.version import own_version

# Command → where it is defined, and what the list of commands says of it.
_COMMANDS = {
    "run": ("pipeline.cli.run:run", "Run the whole pipeline on this machine."),
    "inspect": ("pipeline.cli.inspect:inspect", "Look at runs, executions, artifacts and lineage."),
    "report": ("pipeline.cli.report:report", "Print the path of the latest report, or fetch one from Kubeflow."),
    "predict": ("pipeline.cli.predict:predict", "Classify images with a pushed model."),
    "drift": ("pipeline.cli.drift:drift", "Hold what is served now against what a model was tested on."),
    "suspects": ("pipeline.cli.suspects:suspects", "List images whose label is probably wrong."),
    "gc": ("pipeline.cli.gc:gc", "List or delete files that no kept run needs."),
    "datasplit": ("components.datasplit.__main__:main", "Split, balance and augment a folder of images."),
    "sample-data": ("pipeline.cli.sample_data:sample_data", "Draw a folder of sample faces."),
    "compile": ("pipeline.cli.compile:compile", "Compile the pipeline for Kubeflow Pipelines."),
    "submit": ("pipeline.cli.submit:submit", "Submit a compiled pipeline to Kubeflow Pipelines."),
    "status": ("pipeline.cli.status:status", "Show how a run on Kubeflow stands, or follow it."),
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; what a newer program wrote, or nobody lets us see, is said in a line, wherever it is met."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            from components.tools.printable import printable_lines

            vars(error)["message"] = printable_lines(error.message)  # final, says click, whatever its class
            raise
        except PermissionError as error:
            from components.tools.printable import printable_lines

            raise click.ClickException(printable_lines(f"no access to {error.filename}: {error.strerror}")) from None
        except ValueError as error:
            from components.formats.version import NewerFormatError

            if isinstance(error, NewerFormatError):
                raise click.ClickException(str(error)) from None
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any of them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in _COMMANDS.items()])


def _silence_libraries(command: str | None) -> None:
    """Keep warnings of libraries, about themselves and each other, off the screen; the environment can ask for them.

    A run's log is to hold them, all but those about releases to come.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1" if command == "run" else "3")
    if not sys.warnoptions:
        warnings.simplefilter("ignore", FutureWarning if command == "run" else Warning)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(own_version(), message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Train, evaluate and serve an image classifier from a folder of `train/<label>/` images."""
    _silence_libraries(ctx.invoked_subcommand)
