import json
from pathlib import Path
from random import Random

import pytest

from reliability.adql import hostile_query
from reliability.requests import broken_http, broken_upload, odd_request
from reliability.service import Wrong, _judge, _refusal_of_query, body_of
from reliability.tally import load_markdown, written


def test_requests_are_those_of_the_seed_and_of_many_kinds() -> None:
    def made(seed: int) -> list[bytes]:
        chance = Random(seed)
        return [
            part
            for _ in range(30)
            for part in (
                hostile_query(chance).encode(errors="replace"),
                broken_http(chance),
                odd_request(chance, "SELECT 1"),
                broken_upload(chance),
            )
        ]

    assert made(1) == made(1)
    assert len({*made(1)} | {*made(2)}) > 200


def test_an_answer_is_judged_by_what_it_says() -> None:
    _judge(b"")
    _judge(b"HTTP/1.1 404 Not Found\r\n\r\n")
    for bad in (b"HTTP/1.1 500 x\r\n\r\n", b"what?", b"HTTP/1.1 200 OK\r\n\r\nroot:x:0:0"):
        with pytest.raises(Wrong):
            _judge(bad)
    with pytest.raises(Wrong, match="otherwise than by a VOTable"):
        _refusal_of_query(b"HTTP/1.1 400 Bad Request\r\n\r\nno")


def test_what_comes_in_chunks_is_read_without_their_lengths() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert body_of(head + b"2\r\nn\n\r\n3\r\n30\n\r\n0\r\n\r\n") == b"n\n30\n"
    assert body_of(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc") == b"abc"


def test_figures_of_a_load_stand_in_the_document(tmp_path: Path) -> None:
    document = "a\n<!-- load -->\nold\n<!-- end of load -->\nb"
    assert "old" not in written(document, tmp_path)
    figures = {
        "seconds": 600.2,
        "requests": 9000,
        "a_second": 15.0,
        "statuses": {"200": 9000},
        "median_seconds": 0.5,
        "centile_99_seconds": 2.0,
        **{
            f"{what}_{when}": 2_000_000
            for what in ("memory", "descriptors", "processes")
            for when in ("before", "at_most", "after")
        },
    }
    (tmp_path / "load.json").write_text(json.dumps(figures))
    assert "| answered | 9,000 200 |" in load_markdown(tmp_path)
    assert "| memory: before, at most, after | 2, 2, 2 MB |" in written(document, tmp_path)
