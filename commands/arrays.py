"""What commands that compute parts for job arrays share: `--part`, and what was typed."""

import re
from pathlib import Path
from typing import Annotated, Any

from typer import Context, Option

from zoolens.commands.shell import wrong_usage

Part = Annotated[
    str | None,
    Option(help="Compute part k of N, as in 3/40, into the folder --out; for job arrays."),
]
PartsFolder = Annotated[
    Path | None,
    Option(
        help="Folder of parts and their plan, for zoolens adopt; without --part, only plan there."
    ),
]


def wanted_part(part: str | None, out: Path | None) -> tuple[int, int] | None:
    """Which part of how many. Raises `typer.Exit` for what is none, or one without a folder."""
    if part is None:
        return None
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", part, re.ASCII)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise wrong_usage(f"--part {part} is no part: say which of how many, from 1, as in 3/40")
    if out is None:
        raise wrong_usage("--part needs a folder that all parts come to: --out parts/")
    return int(found[1]), int(found[2])


def asked_for(context: Context) -> dict[str, Any]:
    """The options that were typed, with their values."""
    return {
        name: value
        for name, value in context.params.items()
        if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    }
