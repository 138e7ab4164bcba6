"""Importing packages without what they would load besides."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(package: str) -> Iterator[None]:
    """What is imported within finds no `package`, and does without it.

    timm loads wandb where it is installed, which takes a second, looks for settings, and leaves
    folders; Zoolens never uses it. Nothing changes where `package` is loaded already, nor for
    later imports.
    """
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]  # as importlib marks what is absent
    try:
        yield
    finally:
        if sys.modules.get(package) is None:
            sys.modules.pop(package, None)
