"""A group of commands, one a noun, that takes a noun's options before it as well as behind it."""

import click


class Noun(click.Command):
    """A command of a `NounGroup`; what is missing is answered with how it is called."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse options and arguments."""
        try:
            return super().parse_args(ctx, args)
        except click.MissingParameter:
            arguments = self.collect_usage_pieces(ctx)[1:]
            group = ctx.parent.info_name if ctx.parent else ""
            raise click.UsageError(f"say: {group} {self.name} {' '.join(arguments)}", ctx) from None


class NounGroup(click.Group):
    """Takes `--json executions latest` for `executions --json latest`; without a noun, the first one is meant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the nouns in the order in which they were added."""
        del ctx
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Move the options before the noun to the place behind it, where the noun's command reads them."""
        if ctx.resilient_parsing:  # completion of a shell: the words are still being typed
            return super().parse_args(ctx, args)
        end = self._end_of_options(args)
        before, words = args[:end], args[end:]
        if not set(ctx.help_option_names).isdisjoint(before):
            return super().parse_args(ctx, ctx.help_option_names[:1])
        noun, *rest = words or self.list_commands(ctx)[:1]
        if noun not in self.commands:
            raise click.UsageError(f"no noun {noun!r}. Nouns: {', '.join(self.commands)}", ctx)
        return super().parse_args(ctx, [noun, *before, *rest])

    def _end_of_options(self, args: list[str]) -> int:
        """Return the number of words before the noun: options, and values of options."""
        parameters = [one for command in self.commands.values() for one in command.params]
        options = [one for one in parameters if isinstance(one, click.Option) and not one.is_flag]
        with_value = {name for option in options for name in option.opts}
        end = 0
        while end < len(args) and args[end].startswith("-"):
            end += 2 if args[end] in with_value else 1
        return min(end, len(args))
