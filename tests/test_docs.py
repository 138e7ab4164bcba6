"""The documentation is held to the code: dictionary, commands, worked example."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from zoolens.catalog.store.views import VIEWS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def dictionary() -> str:
    """The data dictionary as Markdown, from the views' own comments."""
    parts = []
    for view in VIEWS:
        rows = "\n".join(
            f"| `{column}` | {said.comment} |" for column, said in view.columns.items()
        )
        parts.append(
            f"#### `{view.name}`\n\nOne row per {view.row}.\n\n| column | |\n|---|---|\n{rows}\n"
        )
    return "\n".join(parts)


def test_the_readme_holds_the_data_dictionary() -> None:
    assert dictionary() in README


def _commands() -> dict[str, str]:
    """Help text of each command, by name; of one with commands of its own, theirs too."""
    from typer.main import get_command

    from zoolens import cli

    def told(*words: str) -> str:
        return CliRunner().invoke(cli.app, [*words, "--help"], env={"COLUMNS": "200"}).output

    return {
        name: "\n".join(
            [told(name), *(told(name, own) for own in getattr(command, "commands", ()))]
        )
        for name, command in get_command(cli.app).commands.items()  # type: ignore[attr-defined]
    }


def test_every_command_is_in_the_readme_and_every_option_in_its_help() -> None:
    helps = _commands()
    for name in helps:
        assert f"`zoolens {name}" in README or f"zoolens {name} " in README, name
    for command, options in re.findall(r"zoolens (\w+)((?: [^\n`|]*)?)", README):
        if command in helps:
            for option in re.findall(r"(?<!\w)--[a-z][a-z-]*", options):
                assert option in helps[command], f"{command} {option}"


def test_links_in_the_documentation_lead_somewhere() -> None:
    for document in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} -> {target}"


def test_the_map_has_every_package_and_no_other() -> None:
    rows = re.findall(r"^\| \d+ \| (.+?) \|", (ROOT / "docs" / "map.md").read_text(), re.M)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    found = {path.stem for path in ROOT.glob("catalog/*") if not path.stem.startswith("__")}
    assert told == found


def _example() -> list[tuple[str, list[str]]]:
    """The worked example: each command, with the lines it is said to print."""
    block = README.split("<!-- worked example -->")[1].split("<!-- end -->")[0]
    found = []
    for command, output in re.findall(r"```console\n\$ (.*?)\n(.*?)```", block, re.S):
        found.append((command, [line.rstrip() for line in output.splitlines() if line.strip()]))
    return found


@pytest.mark.slow
def test_the_worked_example_prints_what_the_readme_says(data: Path, tmp_path: Path) -> None:
    for file in data.iterdir():
        (tmp_path / file.name).symlink_to(file)
    example = _example()
    assert len(example) >= 4
    for command, expected in example:
        words = shlex.split(command)
        assert words[0] == "zoolens"
        done = subprocess.run(
            [sys.executable, str(ROOT / "cli.py"), *words[1:]],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        printed = [line.rstrip() for line in (done.stderr + done.stdout).splitlines()]
        for line in expected:
            assert line in printed, f"{command}\nsaid: {line}\nprinted:\n" + "\n".join(printed)
