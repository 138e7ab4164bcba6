"""Reports of pieces as one report of the whole."""

from zoolens.jobs.index import IndexReport
from zoolens.jobs.keep import KeepReport
from zoolens.jobs.pieces import SurveyReport, merged
from zoolens.jobs.reports import PredictReport


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
