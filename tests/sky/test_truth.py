import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from zoolens.catalog.sky.truth import (
    decode_mask,
    encode_mask,
    truth_schema,
    vote_columns,
    votes_schema,
)
from zoolens.catalog.trees.published import get_tree


@given(st.integers(1, 40).flatmap(lambda side: arrays(np.bool_, (side, side))))
def test_masks_survive(mask: np.ndarray) -> None:
    assert np.array_equal(decode_mask(encode_mask(mask), len(mask)), mask)


def test_a_mask_of_another_size_is_told() -> None:
    with pytest.raises(ValueError, match="not of 64 x 64"):
        decode_mask(encode_mask(np.ones((32, 32), bool)), 64)


def test_fractions_are_missing_where_nobody_was_asked() -> None:
    tree = get_tree("gzd5")
    counts = np.zeros(len(tree.labels), dtype=np.int64)
    counts[:3] = [1, 3, 0]
    columns = vote_columns(tree, counts)
    assert columns["smooth-or-featured_total-votes"] == 4
    assert columns["smooth-or-featured_featured-or-disk_fraction"] == 0.75
    assert columns["bar_no_fraction"] is None
    assert set(columns) | {"iauname", "ra", "dec", "file_loc"} == set(votes_schema(tree).names)


def test_columns_have_names_of_their_own() -> None:
    names = truth_schema(get_tree("gzd5")).names
    assert len(names) == len(set(names))
    assert {"mask_bar", "bar_strong_probability", "merging_merger_errors", "misvoted"} <= set(names)
