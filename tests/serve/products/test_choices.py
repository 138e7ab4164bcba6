import pytest

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.serve.asking import Product
from zoolens.catalog.serve.products.choices import product_of


def test_what_is_chosen_arrives_and_what_is_not_known_is_passed_over() -> None:
    given = {"k": "3", "weight.bar": "2.5", "exchange": "answer", "show": "both", "x": "1"}
    asked = product_of("G1", "counterparts", given)
    assert asked == Product(
        "G1", "counterparts", (("exchange", "answer"), ("k", "3"), ("weight.bar", "2.5"))
    )
    assert asked.choice("k") == "3"
    assert asked.choice("show") is None
    assert product_of("G1", "map", {"run": ""}, answer="bar_no").choices == (("answer", "bar_no"),)


@pytest.mark.parametrize(
    ("what", "name", "value"),
    [
        ("map", "of", "loss"),
        ("map", "show", "all"),
        ("map", "run", "-1"),
        ("map", "run", "٣"),
        ("maps.fits", "run", "99999999999"),
        ("similar", "k", "0"),
        ("similar", "k", "101"),
        ("similar", "weight.bar", "nan"),
        ("similar", "weight.bar", "-1"),
        ("similar", "RESPONSEFORMAT", "xls"),
        ("counterparts", "min_votes", "inf"),
        ("counterparts", "exchange", "votes"),
        ("counterparts", "question", "x" * 2000),
    ],
)
def test_a_value_that_is_none_is_named(what: str, name: str, value: str) -> None:
    with pytest.raises(CatalogError) as error:
        product_of("G1", what, {name: value})
    assert value[:80] in str(error.value)
    assert len(str(error.value)) < 300


def test_a_galaxy_has_a_name() -> None:
    for name in ("", "x" * 1001):
        with pytest.raises(CatalogError, match="the name of a galaxy"):
            product_of(name, "image", {})
