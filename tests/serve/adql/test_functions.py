import pytest

from zoolens.catalog.serve.adql.functions import OWN, also_read
from zoolens.catalog.serve.adql.parsing import AdqlError
from zoolens.catalog.serve.adql.translate import Translated, translate
from zoolens.catalog.store.functions import AS_MAPS, SIMILARITIES, maps
from zoolens.catalog.store.published import published

TABLES = published()


def _translated(text: str) -> Translated:
    return translate(text, TABLES, 10)


def test_words_say_which_fractions_are_meant() -> None:
    for words, macro in (
        ("", "votes_votes"),
        (", 'predictions'", "predictions_predictions"),
        (", 'VOTES', 'predictions'", "votes_predictions"),
    ):
        found = _translated(f"SELECT similarity(iauname, 'J1', 'bar'{words}) FROM galaxies")
        assert found.called.macros == {f"zoolens_similarity_{macro}"}
        assert found.called.reads == {*macro.split("_")}
        assert [given[:2] for given in found.called.given] == [
            ("galaxy", "J1"),
            ("question", "bar"),
        ]
        assert f"ZOOLENS_SIMILARITY_{macro}(\"iauname\", 'J1', 'bar')".lower() in found.sql.lower()


def test_a_map_says_what_it_holds_also_through_a_query_in_a_query() -> None:
    found = _translated("SELECT m FROM (SELECT saliency_map(iauname, 'a') AS m FROM galaxies) AS q")
    (column,) = found.columns
    assert (column.name, column.type, column.arraysize) == ("m", "FLOAT[]", AS_MAPS)
    assert column.ucd == "stat.value"


def test_one_function_in_another() -> None:
    inner = "(SELECT MAX(iauname) FROM galaxies)"
    found = _translated(f"SELECT ABS(similarity({inner}, UPPER('j1'), 'bar')) FROM galaxies")
    assert found.sql.lower().count("zoolens_similarity_votes_votes") == 1
    assert "max(" in found.sql.lower()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("similarity(iauname)", "column 8: similarity takes 3 to 5"),
        ("similarity(iauname, 'a', 'b', 'c')", "column 38: this is one of 'votes', 'predictions'"),
        ("similarity(iauname, 'a', 'b', iauname)", "this is one of"),
        ("saliency_map(iauname, 'a', 'median')", "column 35: this is one of 'mean', 'sd'"),
        ("zoolens_map_mean(iauname, 'a')", "no function zoolens_map_mean"),
        ("similarities(iauname)", "there are SIMILARITY"),
    ],
)
def test_a_wrong_call_is_said_with_its_place(call: str, said: str) -> None:
    with pytest.raises(AdqlError, match=said):
        _translated(f"SELECT {call} FROM galaxies")


def test_every_macro_is_made_by_the_store() -> None:
    made = " ".join(" ".join([*SIMILARITIES.values(), *maps(blobs=True)]).split())
    for own in OWN.values():
        words = [choice[0] for choice in own.words]
        assert f"MACRO {own.macro.format(*words)}(" in made


def test_a_query_names_the_tables_that_its_functions_read() -> None:
    assert also_read("SELECT 1") == "SELECT 1"
    assert {"votes", "galaxies"} <= {*also_read("SELECT Similarity(x)").split()}
