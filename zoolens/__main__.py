"""`python -m zoolens`: the command line."""

from zoolens.cli import main

main()
