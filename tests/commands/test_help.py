"""Help, version and completion, in a terminal of 80 columns."""

import re
from importlib.metadata import version

import pytest
from typer.main import get_command

from tests.made.terminal import zoolens
from zoolens import cli

APP = get_command(cli.app)
RELEASE = APP.commands["release"]  # type: ignore[attr-defined]
COMMANDS = [
    [],
    *([name] for name in APP.commands),  # type: ignore[attr-defined]
    *(["release", name] for name in RELEASE.commands),
]
HEADINGS = {
    "Your catalogue": {
        *("ingest", "keep", "predict", "adopt", "score", "index", "status", "verify", "doctor"),
    },
    "Looking": {"worst", "similar", "explain", "histogram", "sql"},
    "Publishing": {"select", "serve", "release"},
    "Simulation and trust": {"demo", "models", "simulate", "train", "evaluate"},
}


def letters(text: str | None) -> str:
    """Text without its spaces and lines, which may also break after a hyphen."""
    return "".join((text or "").split())


def told(*arguments: str, columns: int = 80) -> str:
    result = zoolens(*arguments, env={"COLUMNS": str(columns), "TERMINAL_WIDTH": str(columns)})
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_help_fits_80_columns_and_cuts_no_sentence(names: list[str]) -> None:
    shown = told(*names, "--help")
    assert max(map(len, shown.splitlines())) <= 80
    command = APP
    for name in names:
        command = command.commands[name]  # type: ignore[attr-defined]
    for sentence in (command.help, *(getattr(p, "help", None) for p in command.params)):
        assert letters(sentence) in letters(shown)
    for own in getattr(command, "commands", {}).values():
        assert letters(own.help) in letters(shown)


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_h_is_help(names: list[str]) -> None:
    assert told(*names, "-h") == told(*names, "--help")


def test_every_command_stands_below_its_heading() -> None:
    sections = re.split(r"^(\w[\w ]+):$", told("--help"), flags=re.M)
    found = {
        heading: set(re.findall(r"^  (\w+)", text, re.M))
        for heading, text in zip(sections[1::2], sections[2::2], strict=True)
    }
    del found["Options"]
    assert found == HEADINGS


def test_without_a_command_there_is_help() -> None:
    result = zoolens()
    assert result.exit_code == 2
    assert "Your catalogue:" in result.output


def test_the_version_is_that_of_the_package() -> None:
    assert told("--version") == f"zoolens {version('zoolens')}\n"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("zoolens si", {"similar", "simulate"}),
        ("zoolens worst --min", {"--min-votes"}),
        ("zoolens release ver", {"verify"}),
    ],
)
def test_shells_complete_commands_and_options(typed: str, expected: set[str]) -> None:
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    result = zoolens(env={"_ZOOLENS_COMPLETE": "complete_bash", **words})
    assert set(result.stdout.split()) == expected


def test_completion_can_be_shown_and_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shellingham.detect_shell", lambda: ("bash", "/bin/bash"))
    assert "_ZOOLENS_COMPLETE=complete_bash" in told("--show-completion")
    assert "--install-completion" in told("--help")
