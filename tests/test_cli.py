"""What the command line's entry is allowed to be."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from zoolens import cli

ROOT = Path(__file__).resolve().parent.parent


def test_it_imports_commands_and_nothing_else_of_zoolens() -> None:
    for node in ast.walk(ast.parse(Path(cli.__file__).read_text())):
        if isinstance(node, ast.ImportFrom):
            names = [str(node.module)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            assert (
                name.startswith("zoolens.commands")
                or name == "typer"
                or name.split(".")[0] in sys.stdlib_module_names
            ), name


@pytest.mark.parametrize("way", [["cli.py"], ["-m", "zoolens"]])
def test_it_begins_in_several_ways(way: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *way, "--version"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("zoolens ")
