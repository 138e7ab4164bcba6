"""Names, types, units and order of a release's columns, against lists written by hand."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units
from astropy.io.votable.ucd import check_ucd
from astropy.table import Table

from tests.made.catalogues import TOY
from zoolens.catalog.decision_tree import NO_TREE
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.formats.columns import meaning
from zoolens.catalog.release.columns import chosen_columns, release_columns


@pytest.mark.slow
def test_columns_say_what_they_hold(full_cut: Path) -> None:
    for file in [full_cut / "galaxies.parquet", *(full_cut / "tables").iterdir()]:
        for field in pq.read_schema(file):
            said = meaning(field)
            assert said.description, field.name
            assert not said.ucd or check_ucd(said.ucd, check_controlled_vocabulary=True), said
            assert not said.unit or units.Unit(said.unit, format="vounit")
    read = Table.read(full_cut / "galaxies.parquet", format="parquet.votable")
    assert read["ra"].unit == units.deg
    assert read["ra"].meta["ucd"] == "pos.eq.ra;meta.main"
    assert read["round_yes_ce"].description == meaning(
        pq.read_schema(full_cut / "galaxies.parquet").field("round_yes_ce")
    ).description  # fmt: skip


_IDENTITY = ["iauname", "ra", "dec", "rank", "worst_answer", "worst_weighted_ce"]
_OTHERS = ["worst_ce", "observed_counterpart", "predicted_counterpart", "image_sha256"]
_ROUND = [
    "round_total-votes",
    "round_proportion_volunteers_asked",
    "round_nll",
    "round_mutual_information",
    "round_yes",
    "round_yes_fraction",
    "round_yes_concentration",
    "round_yes_pred_frac",
    "round_yes_pred_frac_sd",
    "round_yes_pred_frac_lo",
    "round_yes_pred_frac_hi",
    "round_yes_ce",
    "round_yes_vote_weight",
]
_MAP = [
    "round_yes_on_target",
    "round_yes_centroid_offset",
    "round_yes_map_entropy",
    "round_yes_increase",
    "round_yes_decrease",
    "round_yes_peak_x",
    "round_yes_peak_y",
    "round_yes_pred_frac_on_galaxy",
    "round_yes_pred_frac_on_neighbours",
    "round_yes_pred_frac_on_sky",
]


def test_names_stand_in_this_order() -> None:
    names = release_columns(TOY).names
    assert names[:10] == [*_IDENTITY, *_OTHERS]
    first = names.index(_ROUND[0])
    assert names[first : first + len(_ROUND) + 1] == [*_ROUND, "round_no"]
    assert len(names) == 10 + 4 * 4 + 9 * 10  # of 4 questions and 10 answers
    more = release_columns(TOY, trained=True, maps=True).names
    assert more[:12] == [*_IDENTITY, *_OTHERS, "split", "shape_total-votes"]
    first = more.index(_ROUND[0])
    assert more[first : first + 24] == [*_ROUND, *_MAP, "round_no"]
    assert len(more) == len(names) + 1 + 10 * 10


def test_counts_are_whole_or_not_and_nothing_else_changes() -> None:
    whole, weighted = (release_columns(TOY, whole_votes=whole) for whole in (True, False))
    other = {a.name for a, b in zip(whole, weighted, strict=True) if a.type != b.type}
    assert other == {*TOY.labels, *(f"{question.name}_total-votes" for question in TOY.questions)}
    assert {whole.field(name).type for name in other} == {pa.int32()}
    assert {weighted.field(name).type for name in other} == {pa.float64()}


def test_few_columns_are_these() -> None:
    columns = release_columns(TOY, maps=True, trained=True)
    names = chosen_columns(columns, TOY, "friendly", ()).names
    assert names[:8] == [*_IDENTITY, "shape_total-votes", "shape_proportion_volunteers_asked"]
    assert names[8:10] == ["shape_smooth_fraction", "shape_smooth_pred_frac"]
    assert len(names) == 6 + 2 * 4 + 2 * 10


def test_estimates_have_four_columns_each_before_the_questions() -> None:
    columns = release_columns(TOY, estimates=["ring", "z"])
    names = [f"{name}_estimate{end}" for name in ("ring", "z") for end in ("", "_sd", "_lo", "_hi")]
    assert columns.names[10:19] == [*names, "shape_total-votes"]
    assert "estimate of ring by a classifier" in meaning(columns.field("ring_estimate")).description
    few = chosen_columns(columns, TOY, "friendly", (), ["ring", "z"]).names
    assert [name for name in few if "estimate" in name] == ["ring_estimate", "z_estimate"]
    alone = release_columns(NO_TREE, votes=False, predictions=False, losses=False, estimates=["z"])
    assert alone.names == ["iauname", "ra", "dec", "image_sha256", *names[4:]]


@pytest.mark.parametrize("names", [["Ring", "ring"], ["a" * 57]])
def test_estimates_that_can_name_no_columns_are_refused(names: list[str]) -> None:
    with pytest.raises(CatalogError, match=r"call it otherwise: zoolens predict .*--names"):
        release_columns(TOY, estimates=names)


def test_without_predictions_nothing_of_them_is_there() -> None:
    names = release_columns(TOY, predictions=False, losses=False).names
    assert names[4:7] == ["shape_total-votes", "shape_smooth", "shape_smooth_fraction"]
    assert len(names) == 4 + 4 + 2 * 10


def test_named_columns_keep_their_order_after_the_name() -> None:
    columns = release_columns(TOY)
    assert chosen_columns(columns, TOY, "full", ()) is columns
    assert chosen_columns(columns, TOY, "full", ["ra", "dec"]).names == ["iauname", "ra", "dec"]
    chosen = chosen_columns(columns, TOY, "friendly", ["bar_no_ce", "iauname"])
    assert chosen.names == ["iauname", "bar_no_ce"]
    assert chosen.field("bar_no_ce").equals(columns.field("bar_no_ce"), check_metadata=True)


@pytest.mark.parametrize(
    ("preset", "names", "error", "says"),
    [
        ("tiny", [], UnknownName, "no preset 'tiny'; choose one of full, friendly"),
        ("full", ["rond_yes"], UnknownName, "no column 'rond_yes' to release; nearest: round_yes"),
        ("full", ["ra", "ra"], CatalogError, "column 'ra' is named twice"),
        ("full", ["bar_no_increase"], UnknownName, "no column 'bar_no_increase'"),
    ],
)
def test_what_cannot_be_chosen(
    preset: str, names: list[str], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        chosen_columns(release_columns(TOY), TOY, preset, names)
