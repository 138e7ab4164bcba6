"""`zoolens doctor`."""

import json
import textwrap
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from typer import Option, echo

from zoolens.catalog.output.answer import plain
from zoolens.catalog.runtime.progress import set_quiet
from zoolens.commands import options

_WIDE = 100  # of lines that an issue shows without a scroll bar


def doctor(
    as_json: Annotated[bool, Option("--json", help="One JSON object instead of lines.")] = False,
    catalog: options.Catalog = options.CATALOG,
) -> None:
    """What a report of a fault should say: versions, engines, disks, locks, the catalogue."""
    from zoolens.jobs.doctor import doctor as job

    set_quiet(True)  # what is told on the way names paths
    found = asdict(job(catalog))
    if as_json:
        echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for subject, values in found.items():
        echo(subject)
        if subject == "packages" and "failed" not in values:
            _say_in_one(values)
        else:
            _say(values)


def _say(values: Mapping[str, Any]) -> None:
    width = max(map(len, values), default=0)
    for name, value in values.items():
        lines = value if isinstance(value, list) else [value]
        for number, line in enumerate(lines):
            echo(f"  {'' if number else name:<{width}}  {plain(str(line))}")


def _say_in_one(values: Mapping[str, str]) -> None:
    """Many short values one after another."""
    words = ", ".join(f"{name} {value}" for name, value in values.items())
    wrapped = textwrap.wrap(plain(words), _WIDE, break_on_hyphens=False, break_long_words=False)
    for line in wrapped:
        echo(f"  {line}")
