import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from catalog.splits import SPLITS, split_galaxies, split_table

NAMES = [f"J{n:06d}.{n % 10}+{n:05d}" for n in range(4000)]


@given(names=st.lists(st.text(), max_size=20), more=st.lists(st.text(), max_size=20))
def test_a_galaxy_stays_where_it_is_when_others_come(names: list[str], more: list[str]) -> None:
    alone = split_galaxies(names, 3, 0.2)
    assert split_galaxies([*more, *names], 3, 0.2)[len(more) :].tolist() == alone.tolist()


def test_shares_are_those_asked() -> None:
    split = split_galaxies(NAMES, 0, 0.2)
    shares = [float(np.mean(split == name)) for name in SPLITS]
    # 4 standard deviations of a binomial of 4000
    assert np.allclose(shares, [0.8, 0.1, 0.1], atol=4 * np.sqrt(0.8 * 0.2 / 4000))


def test_places_do_not_depend_on_this_machine() -> None:
    """Worked out with sha256sum: the first bytes of "0:a", "0:b", … as a fraction."""
    from hashlib import sha256

    for name in "abcdefghijklmnop":
        u = int(sha256(f"0:{name}".encode()).hexdigest()[:16], 16) / 2**64
        expected = "test" if u < 0.25 else "validation" if u < 0.5 else "train"
        assert split_galaxies([name], 0, 0.5).tolist() == [expected]


def test_another_seed_is_another_split() -> None:
    assert np.mean(split_galaxies(NAMES, 0, 0.5) == split_galaxies(NAMES, 1, 0.5)) < 0.5


def test_more_held_out_takes_from_training_alone() -> None:
    few, many = split_galaxies(NAMES, 0, 0.2), split_galaxies(NAMES, 0, 0.4)
    assert not np.any((few != "train") & (many == "train"))


def test_nobody_to_split() -> None:
    split = split_galaxies([], 0, 0.2)
    assert split_table(np.array([], np.int64), split).num_rows == 0
