from pathlib import Path

from tests.made.catalogues import blank
from zoolens.catalog.store.rejects import Reject, commonest_reason, reject_table
from zoolens.catalog.store.store import Store


def test_rows_as_given() -> None:
    rows = [Reject("a.csv", 1, "J1", "negative count: x"), Reject("b", None, None, "y")]
    assert reject_table(rows).to_pylist() == [
        {**rows[0]._asdict(), "kind": "negative count"},
        {**rows[1]._asdict(), "kind": "other"},
    ]
    assert reject_table([]).schema == reject_table(rows).schema


def test_a_file_name_that_is_no_text_can_be_told() -> None:
    (row,) = reject_table([Reject("J\udcff.png", None, "J\udcff", "z")]).to_pylist()
    assert (row["source"], row["key"]) == ("J?.png", "J?")


def test_the_commonest_reason_is_of_what_was_refused(tmp_path: Path) -> None:
    reasons = ["wrong mode: a", "wrong mode: b", "wrong mode: b", *["palette: kept"] * 9]
    rejects = [Reject("x", None, f"J{i}", reason) for i, reason in enumerate(reasons)]
    with Store.open(blank(tmp_path / "gz.duckdb")) as store:
        run = store.begin("predict", {})
        assert commonest_reason(store, run) == "nothing was refused"
        store.commit(run, "1", {"reject": reject_table(rejects)})
        assert commonest_reason(store, run) == "2 times wrong mode: b"
