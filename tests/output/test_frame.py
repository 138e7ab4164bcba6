"""Frames: pandas' in all that counts, and shown as a terminal shows tables."""

import pickle

import pandas as pd
import pyarrow as pa

from zoolens.catalog.output.frame import Frame, framed

TABLE = pa.table({"iauname": ["<b>", "G1"], "ce": [0.123456, 1.0], "ra": [10.0, None]})


def test_a_frame_is_pandas() -> None:
    frame = framed(TABLE, {"ce": "nat", "other": "deg"})
    assert isinstance(frame, pd.DataFrame)
    pd.testing.assert_frame_equal(pd.DataFrame(frame), TABLE.to_pandas())
    assert frame.attrs["units"] == {"ce": "nat"}
    assert isinstance(frame["ce"], pd.Series)
    assert frame.merge(frame, on="iauname").shape == (2, 5)
    assert pickle.loads(pickle.dumps(frame)).equals(frame)
    assert "units" not in framed(TABLE).attrs


def test_what_is_selected_shows_alike() -> None:
    part = framed(TABLE, {"ce": "nat"})[["iauname", "ce"]].head(1)
    assert isinstance(part, Frame)
    shown = part._repr_html_()
    assert shown is not None
    assert "&lt;b&gt;" in shown
    assert ">0.1235<" in shown
    assert ">nat<" in shown


def test_an_index_that_says_something_is_shown() -> None:
    by_name = framed(TABLE).set_index("iauname")._repr_html_()
    assert by_name is not None
    assert "&lt;b&gt;" in by_name
    assert ">iauname<" in by_name
    assert ">0<" not in (framed(TABLE)._repr_html_() or "")


def test_names_of_several_levels_are_shown_by_pandas() -> None:
    deep = framed(TABLE).set_index(["iauname", "ce"])._repr_html_()
    assert deep is not None
    assert 'class="dataframe"' in deep
    assert "<b>" not in deep.replace("<b></b>", "")
