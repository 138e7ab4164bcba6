"""`zoolens` and `python -m zoolens`: the command line, which can be ended from its first moment."""

from zoolens.catalog.runtime import signals


def main() -> None:
    """Listen to Ctrl-C and its kind, then import the rest, which takes a while."""
    signals.listen()
    from zoolens.cli import main

    main()


if __name__ == "__main__":
    main()
