import json

from zoolens.catalog.serve.asking import Asked, Limits, Product
from zoolens.catalog.serve.forking import Order


def test_an_order_arrives_as_it_was_given() -> None:
    asked = Asked("SELECT 'é' \ud800", "csv", 3, (("mine", "/tmp/x"),))
    packed = Order(7, "/gz.duckdb", asked, Limits(seconds=2.0)).packed()
    found = Order.unpacked(packed)
    assert found.number == 7
    assert found.limits == Limits(seconds=2.0)
    assert isinstance(found.asked, Asked)
    assert found.asked.query == "SELECT 'é' ?"  # a half of a letter is none
    assert found.asked.uploads == (("mine", "/tmp/x"),)
    assert json.loads(packed)["number"] == 7


def test_so_does_what_is_made_of_a_galaxy() -> None:
    asked = Product("J1 é/<b>", "counterparts", (("k", "3"), ("weight.bar", "2")))
    order = Order(7, "/gz.duckdb", asked, Limits())
    assert Order.unpacked(order.packed()) == order


def test_an_end_is_ordered_by_number_alone() -> None:
    assert Order.unpacked(Order(7).packed()) == Order(7)
