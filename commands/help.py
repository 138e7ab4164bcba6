"""Help that a terminal of 80 columns shows whole, without what it would take to colour it."""

import re
from typing import Any

from typer.core import TyperGroup

from zoolens.catalog.deprecated import typed
from zoolens.commands.shell import remark

_TEXT = 10_000  # longer than any sentence of help
_COMMENT = re.compile(r"--[^=\s]*\s|--.*\n")


class Commands(TyperGroup):
    """Commands below their headings (`rich_help_panel`), each with its whole sentence."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Let a query begin with a comment, which is no option: `-- the barred ones`."""
        for said in typed(args) if args else ():
            remark(said)
        if args[:1] == ["sql"]:
            args = ["\n" + arg if _COMMENT.match(arg) else arg for arg in args]
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands."""
        width = max(map(len, self.commands))
        headings: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            heading = getattr(command, "rich_help_panel", None) or "Commands"
            row = (name.ljust(width), command.get_short_help_str(_TEXT))
            headings.setdefault(heading, []).append(row)
        for heading, rows in headings.items():
            with formatter.section(heading):
                formatter.write_dl(rows)


class CutUnlessNamed(Commands):
    """`release DIR` cuts a release; `release verify DIR` and `release diff A B` do not."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put in the name that was left out."""
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["cut", *args]
        return super().parse_args(ctx, args)
