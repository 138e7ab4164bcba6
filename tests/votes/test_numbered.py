from pathlib import Path

import pytest

from tests.made.vote_tables import GZ2, kinds, whole
from zoolens.catalog.votes.layouts import recognise
from zoolens.catalog.votes.numbered import numbered, only_weights
from zoolens.catalog.votes.reading import read_vote_table

# Names as Simmons et al. 2017 and Willett et al. 2017 publish them.
CANDELS = dict(
    line.split()
    for line in """\
t00_smooth_or_featured_a0_smooth_frac smooth-or-featured_smooth
t00_smooth_or_featured_a1_features_frac smooth-or-featured_features
t00_smooth_or_featured_a2_artifact_frac smooth-or-featured_artifact
t09_disk_edge_on_a0_yes_frac disk-edge-on_yes
t09_disk_edge_on_a1_no_frac disk-edge-on_no
t16_merging_tidal_debris_a0_merging_frac merging_merger
t16_merging_tidal_debris_a1_tidal_debris_frac merging_tidal-debris
t16_merging_tidal_debris_a2_both_frac merging_both
t16_merging_tidal_debris_a3_neither_frac merging_neither
""".splitlines()
)
HUBBLE = dict(
    line.split()
    for line in """\
t01_smooth_or_features_a01_smooth_count smooth-or-featured_smooth
t01_smooth_or_features_a02_features_or_disk_count smooth-or-featured_features
t01_smooth_or_features_a03_star_or_artifact_count smooth-or-featured_artifact
t02_edgeon_a01_yes_count disk-edge-on_yes
t02_edgeon_a02_no_count disk-edge-on_no
t05_bulge_prominence_a01_no_bulge_count bulge-size_none
t05_bulge_prominence_a02_just_noticeable_count bulge-size_just-noticeable
t05_bulge_prominence_a03_obvious_count bulge-size_obvious
t05_bulge_prominence_a04_dominant_count bulge-size_dominant
t12_clumpy_a01_yes_count clumpy-appearance_yes
t12_clumpy_a02_no_count clumpy-appearance_no
""".splitlines()
)


def read_by(columns: list[str]) -> dict[str, str]:
    layout = recognise(Path("t.csv"), ["iauname", *columns])
    return {
        column: label
        for question in layout.questions
        for column, label in zip(question.counts, question.question.labels, strict=True)
        if column
    }


def test_hubbles_own_numbers() -> None:
    assert read_by([*HUBBLE]) == HUBBLE
    assert recognise(Path("t.csv"), ["iauname", *HUBBLE]).tree.name == "hubble"


def test_candels_fractions_are_of_their_counts() -> None:
    totals = ["t00_smooth_or_featured_count", "t09_disk_edge_on_count"]
    totals.append("t16_merging_tidal_debris_count")
    assert read_by([*CANDELS, *totals]) == CANDELS
    layout = recognise(Path("t.csv"), ["iauname", *CANDELS, *totals])
    assert layout.tree.name == "candels"
    assert all(q.of_total and q.total in totals for q in layout.questions)


def test_fractions_become_whole_votes_or_the_row_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    question = [c for c in CANDELS if c.startswith("t00")]
    header = ["ID", "RA", "Dec", *question, "t00_smooth_or_featured_count"]
    header += [c.replace("_frac", "_weighted_frac") for c in question]
    rows = [
        "GDS_1,53.1,-27.8,0.5,0.4,0.1,40,1,0,0",
        "GDS_2,53.2,-27.8,0.33,0.33,0.33,3,1,0,0",
        "GDS_3,53.3,-27.8,0.5,0.4,0.1,7,1,0,0",
        "GDS_4,53.4,-27.8,0.5,0.25,0,4,1,0,0",
        "GDS_5,53.5,-27.8,0,0,0,0,0,0,0",
    ]
    path.write_text("\n".join([",".join(header), *rows]) + "\n")
    table = read_vote_table(path)
    assert table.names == ["GDS_1", "GDS_2", "GDS_5"]
    assert whole(table).counts[:, :3].tolist() == [[20, 16, 4], [1, 1, 1], [0, 0, 0]]
    assert whole(table).totals[:, 0].tolist() == [40, 3, 0]
    assert whole(table).ra.tolist() == [53.1, 53.2, 53.5]
    refused = [kind for kind in kinds(table) if kind[0]]
    assert refused == [(3, "fractional count"), (4, "fractional count")]


def test_tasks_that_the_tree_does_not_have_are_named() -> None:
    columns = [*HUBBLE, "t13_bright_clump_a01_yes_count", "t13_bright_clump_a02_no_count"]
    layout = recognise(Path("t.csv"), ["iauname", *columns])
    assert layout.unread == {"numbered tasks": tuple(columns[-2:])}


@pytest.mark.parametrize("kind", ["count", "weight"])
def test_gz2s_numbers_run_on(kind: str) -> None:
    columns = [f"{column}_{kind}" for column in GZ2]
    found = numbered(columns, kind == "weight")
    assert {name.replace("-gz2", ""): c for name, c in found.names.items()} == {
        label: f"{column}_{kind}" for column, label in GZ2.items()
    }
    assert found.others == ()
    assert only_weights(columns) == (kind == "weight")
