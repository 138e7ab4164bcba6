import pytest

from reliability.cases import Case, Outcome, Verdict, judged, refusal
from zoolens.catalog.errors import CatalogError, QueryRefused


def test_a_case_draws_the_same_from_its_name_and_seed() -> None:
    drawn = {
        (name, seed): Case("kills", name, 3, seed).random.random()
        for name in ("score", "index")
        for seed in (1, 2)
    }
    assert len({*drawn.values()}) == 4
    assert Case("kills", "score", 3, 1).random.random() == drawn["score", 1]


def test_a_refusal_is_one_line() -> None:
    assert refusal(CatalogError("votes.csv, row 3: no number")).outcome == Outcome.REFUSED
    assert refusal(CatalogError("one\ntwo")).outcome == Outcome.FAILED
    assert refusal(CatalogError(" ")).outcome == Outcome.FAILED
    # what DuckDB says of a query points at the place
    assert refusal(QueryRefused("Parser Error\nLINE 1")).outcome == Outcome.REFUSED


@pytest.mark.parametrize("error", [ValueError("x"), MemoryError(), SystemExit(1)])
def test_anything_else_that_is_raised_failed(error: BaseException) -> None:
    def work() -> Verdict:
        raise error

    verdict = judged(work)
    assert verdict.outcome == Outcome.FAILED
    assert type(error).__name__ in verdict.words
