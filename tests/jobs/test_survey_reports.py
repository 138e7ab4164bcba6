"""What a job did with all pieces of a survey."""

from dataclasses import replace

from zoolens.catalog.store.ingests import Replaced
from zoolens.catalog.survey.folder import Piece
from zoolens.catalog.survey.routing import Routed
from zoolens.jobs.index import IndexReport
from zoolens.jobs.keep import KeepReport
from zoolens.jobs.reports import IngestReport, PredictReport
from zoolens.jobs.survey_reports import SurveyReport, ingested, kept_together, merged

PIECES = Routed((Piece(0, 1), Piece(0, 2), Piece(0, 3)), {})
ONE = IngestReport(
    run_id=2,
    tree=None,
    galaxies=10,
    new_galaxies=4,
    votes=340,
    images=1,
    rejects={"ragged row": 2, "fill value": 1},
    replaced=(Replaced("votes", 3, "a.csv"),),
    unasked=("bar",),
    notes=("named by id", "bar: 1,234 votes"),
    voted=True,
    changed=False,
)


def test_ingests_add_up() -> None:
    other = replace(
        ONE,
        tree="gzd5",
        rejects={"fill value": 4},
        replaced=(Replaced("votes", 1, "a.csv"), Replaced("images", 2, "b")),
        notes=("replaced: votes of 1 galaxy, from a.csv", "named by id", "bar: 5 votes"),
        changed=True,
    )
    both = ingested([ONE, other], PIECES, None)
    assert (both.run_id, both.tree, both.voted, both.changed) == (2, "gzd5", True, True)
    assert (both.galaxies, both.new_galaxies, both.votes, both.images) == (20, 8, 680, 2)
    assert [*both.rejects.items()] == [("fill value", 5), ("ragged row", 2)]
    assert both.replaced == (Replaced("votes", 4, "a.csv"), Replaced("images", 2, "b"))
    assert both.notes == (
        "in 2 of 3 pieces, 3 of them new",
        "replaced: votes of 1 galaxy, from a.csv",  # now
        "replaced: images of 2 galaxies, from b",
        "named by id",
        "bar: 1,234 votes; likewise in 1 more pieces",
    )
    assert ingested([ONE, replace(other, run_id=3)], PIECES, None).run_id is None


def test_kept_columns_add_up() -> None:
    one = KeepReport(3, {"z": "DOUBLE"}, 5, {"unknown galaxy": 1}, {"z": 2}, False)
    both = kept_together([one, replace(one, galaxies=7, replaced={}, changed=True)])
    assert both == KeepReport(3, {"z": "DOUBLE"}, 12, {"unknown galaxy": 2}, {"z": 2}, True)


def test_what_is_counted_is_added_up() -> None:
    one = PredictReport(3, 5, 7, 1, 30, ("bar",), False, remarks=("said", "of one"))
    other = PredictReport(4, 2, 2, 0, 30, ("bar", "merging"), True, remarks=("said",))
    assert merged([one, other]) == PredictReport(
        3, 7, 9, 1, 30, ("bar", "merging"), True, remarks=("said", "of one")
    )
    kept = KeepReport(1, {"z": "DOUBLE"}, 3, {"unknown galaxy": 2}, {"z": 1}, True)
    assert merged([kept, kept, kept]) == KeepReport(
        1, {"z": "DOUBLE"}, 9, {"unknown galaxy": 6}, {"z": 3}, True
    )


def test_of_searches_the_least_recall_is_told() -> None:
    codes = [{"observed": {"ranked": 10, "recall": recall}} for recall in (0.99, 0.9)]
    reports = [IndexReport(1, True, 2, 2, one) for one in codes]
    assert "90.0 % of the best ten" in merged(reports).summary


def test_a_report_says_in_how_many_pieces() -> None:
    whole = PredictReport(3, 5, 7, 1, 30, (), False)
    report = SurveyReport(whole, 2, 3, ("not a: no votes",), ("b is damaged",))
    assert report.run_id is None
    assert report.summary == "5 galaxies, 7 in all; 1 refused; in 2 of 3 pieces"
    assert [*report.notes] == ["not a: no votes"]
    assert SurveyReport(whole, 3, 3).summary.endswith("; in all 3 pieces")
    assert report.page is None
    assert not report.changed
    assert report.job == "predict"
