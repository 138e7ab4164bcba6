from zoolens.catalog.store.rejects import Reject, reject_table


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
