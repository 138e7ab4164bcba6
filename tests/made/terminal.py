"""Zoolens as it is typed, within this process."""

from typer.testing import CliRunner, Result

from zoolens import cli


def zoolens(*arguments: object, env: dict[str, str] | None = None) -> Result:
    """What a command prints, and its exit code."""
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments], env=env or {})
