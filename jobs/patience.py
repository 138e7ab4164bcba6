"""Later jobs of one piece of work wait for passing readers of the catalogue."""

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from zoolens.catalog.errors import CatalogBusy
from zoolens.catalog.runtime.signals import raise_if_interrupted

Settings = ParamSpec("Settings")
Done = TypeVar("Done")

_PATIENCE = 60  # seconds that a later step waits for a reader


def patiently(
    job: Callable[Settings, Done], *args: Settings.args, **kwargs: Settings.kwargs
) -> Done:
    """A later job of one piece of work: it waits for a passing reader of the catalogue."""
    raise_if_interrupted()
    for _ in range(_PATIENCE):
        try:
            return job(*args, **kwargs)
        except CatalogBusy:
            time.sleep(1)
    return job(*args, **kwargs)
