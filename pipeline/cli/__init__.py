"""The command line: one file a command, loaded when it is called, since TensorFlow and TFX take seconds to import."""

import importlib

import click

# Command → module that defines it under the same name (with `_` for `-`).
_COMMANDS = {
    "run": "pipeline.cli.run",
    "inspect": "pipeline.cli.inspect",
    "report": "pipeline.cli.report",
    "predict": "pipeline.cli.predict",
    "suspects": "pipeline.cli.suspects",
    "gc": "pipeline.cli.gc",
    "compile": "pipeline.cli.compile",
    "submit": "pipeline.cli.submit",
    "sample-data": "pipeline.cli.sample_data",
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(importlib.import_module(_COMMANDS[cmd_name]), cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Train, evaluate and serve an image classifier from a folder of `train/<label>/` images."""
