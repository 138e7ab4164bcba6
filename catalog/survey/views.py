"""Users' own SQL over a survey, as over one catalogue."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from zoolens.catalog.errors import tell
from zoolens.catalog.output.answer import Answer
from zoolens.catalog.store.query import answered, closed, steps_read
from zoolens.catalog.store.together import open_together
from zoolens.catalog.survey.agreement import tell_of_pieces
from zoolens.catalog.survey.folder import whole_survey


@contextmanager
def survey_query(
    folder: Path,
    query: str | None,
    *,
    memory: float | None,
    timeout: float,
    end: Callable[[str], object] | None,
) -> Iterator[Answer]:
    """`catalog.store.query.closed_query` of a survey: its views have the rows of all pieces.

    Warns (`Told`) of pieces whose rows are not to be compared with those of the others, and of own
    columns that are not of one type and unit. Raises as
    it does, and if any piece is missing or cannot be read.
    """
    with open_together(whole_survey(folder).named, closed(memory)) as survey:
        with closing(survey.stores()) as stores:
            tell_of_pieces(folder, stores, sorted(steps_read(query)))
        for said in survey.make_views(query):
            tell(f"{said}; keep the same in both: zoolens keep")
        survey.close_in()
        with answered(survey.connection, folder, query, memory, timeout, end) as answer:
            yield answer
