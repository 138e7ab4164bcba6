"""A catalogue's file, held or let go."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from zoolens.catalog.store.snapshot import keeping
from zoolens.catalog.survey.folder import is_survey


class Held:
    """A catalogue that is held within `with`: the file, or a copy of its last committed state.

    Of a survey none is held.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._held: ExitStack | None = None

    def __enter__(self) -> Self:
        if self._held is None and not is_survey(self.path):
            with ExitStack() as held:
                held.enter_context(keeping(self.path))
                self._held = held.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go; the next call opens it again."""
        if self._held is not None:
            self._held.close()
            self._held = None

    @contextmanager
    def _let_go(self) -> Iterator[None]:
        """Do not hold the file while a job may write to it."""
        held = self._held is not None
        self.close()
        try:
            yield
        finally:
            if held:
                self.__enter__()
