import pytest

from zoolens.catalog.serve.adql.reserved import written


@pytest.mark.parametrize(
    ("name", "text"),
    [("ra", "ra"), ("count", '"count"'), ("z r", '"z r"'), ('a"b', '"a""b"'), ("1a", '"1a"')],
)
def test_a_name_is_written_as_a_query_has_to(name: str, text: str) -> None:
    assert written(name) == text
