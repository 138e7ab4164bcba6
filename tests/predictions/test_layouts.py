"""Which columns of a table of predictions hold which answer's."""

from pathlib import Path

import pytest

from tests.made.catalogues import TOY
from tests.made.prediction_tables import concentrations_table
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.predictions.layouts import recognise_predictions, tell_tree
from zoolens.catalog.trees.published import TREE_NAMES, get_tree, own_suffix

SOURCE = Path("published.csv")


@pytest.mark.parametrize(
    ("tree", "campaign"), [("gzd5", "-dr5"), ("gzd5", ""), ("gzd8", "-dr5"), ("gz2", "-gz2")]
)
def test_campaigns_are_matched_as_for_models(tree: str, campaign: str) -> None:
    wanted = get_tree(tree)
    layout = recognise_predictions(SOURCE, list(concentrations_table(wanted, campaign)), wanted)
    assert list(layout.concentrations) == list(wanted.labels)
    assert layout.missing_questions(wanted) == ()


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (["iauname", "ra", "dec"], "looked for shape_smooth_concentration"),
        (["iauname", "shape_smoth_fraction"], "nearest columns: shape_smoth_fraction"),
        (["iauname", "shape_smooth_concentration"], "of shape some answers only"),
        (["nom", "shape_smooth_fraction"], "no identifier column 'iauname'"),
        (
            ["iauname", "shape_smooth_fraction", "shape_total-votes"],
            "its fractions are of votes, not predictions; read it with: zoolens ingest",
        ),
    ],
)
def test_tables_of_other_things_are_refused(columns: list[str], told: str) -> None:
    with pytest.raises(TableRefused) as caught:
        recognise_predictions(SOURCE, columns, TOY)
    assert told in str(caught.value)


def test_whole_questions_partial_ones_and_what_is_stated_beside() -> None:
    shape = {f"shape_{a}": f"shape_{a}_concentration" for a in ("smooth", "disk", "star")}
    columns = [
        "iauname",
        *shape.values(),
        "shape_disk_pred_frac",
        "shape_star_fraction",  # of votes: concentrations are there
        "round_yes_concentration",
        "bar_strong_fraction",
        "bar_weak_fraction",
        "bar_weak_pred_frac",
    ]
    layout = recognise_predictions(SOURCE, columns, TOY)
    assert layout.concentrations == shape
    assert layout.fractions == {
        "shape_disk": "shape_disk_pred_frac",
        "bar_strong": "bar_strong_fraction",
        "bar_weak": "bar_weak_pred_frac",
    }
    assert layout.incomplete == ("round",)
    assert layout.missing_questions(TOY) == ("round", "merging")
    assert layout.columns == ["iauname", *shape.values(), *layout.fractions.values()]


def test_the_identifier_can_be_named() -> None:
    columns = ["name", "shape_smooth_pred_frac", "shape_total-votes"]
    assert recognise_predictions(SOURCE, columns, TOY, identifier="name").identifier == "name"


def _of(ending: str, *, campaign: str = "", tree: str = "gzd5") -> list[str]:
    labels = [label.replace("_", f"{campaign}_", 1) for label in get_tree(tree).labels]
    return [label + ending for label in labels]


@pytest.mark.parametrize(
    "columns",
    [
        _of("_dirichlet") + _of("_fraction"),  # Euclid Q1
        _of("_concentration_mean") + _of("_fraction"),
        _of("_concentration") + _of("_concentration_mean") + _of("_fraction"),  # GZ DECaLS
    ],
)
def test_concentrations_come_before_fractions(columns: list[str]) -> None:
    tree = get_tree("gzd5")
    layout = recognise_predictions(SOURCE, ["iauname", *columns], tree)
    assert list(layout.concentrations.values()) == columns[:34]
    assert not layout.fractions
    assert not layout.unread


def test_an_advanced_table_states_intervals_and_reach() -> None:
    columns = [
        column
        for ending in ("_fraction", "_90pc-lower", "_90pc-upper", "_proportion-asked")
        for column in _of(ending, campaign="-dr8")
    ]
    layout = recognise_predictions(SOURCE, ["iauname", *columns], get_tree("gzd5"))
    assert [*layout.fractions.values(), *layout.lower.values(), *layout.upper.values()] == (
        columns[: 3 * 34]
    )
    assert layout.reach["bar"] == "bar-dr8_strong_proportion-asked"
    assert len(layout.reach) == 10
    assert not layout.unread


@pytest.mark.parametrize("ending", ["_pred", ""])
def test_what_a_model_wrote_is_not_told_by_its_columns(ending: str) -> None:
    columns = _of(ending, campaign="-dr5")
    layout = recognise_predictions(SOURCE, [*columns, "iauname"], get_tree("gzd5"))
    assert list(layout.untold.values()) == columns
    assert not layout.concentrations
    assert not layout.fractions


def test_bare_labels_beside_predictions_are_votes() -> None:
    columns = ["iauname", "shape_smooth", "shape_disk", "shape_star", "bar_strong_concentration"]
    columns += ["bar_weak_concentration", "bar_no_concentration"]
    assert not recognise_predictions(SOURCE, columns, TOY).untold


def test_columns_that_look_like_predictions_and_are_not_read_are_named() -> None:
    columns = ["iauname", *(f"shape_{a}_fraction" for a in ("smooth", "disk", "star", "problem"))]
    columns += [
        "clumps_yes_dirichlet",
        "redshift",
        "merging_yes-dr5_pred",
        "shape_smooth_90pc-upper",
    ]
    layout = recognise_predictions(SOURCE, columns, TOY)
    assert layout.unread == (
        "shape_problem_fraction",
        "clumps_yes_dirichlet",
        "merging_yes-dr5_pred",
    )


@pytest.mark.parametrize("name", TREE_NAMES)
def test_every_tree_is_told_and_read_whole(name: str) -> None:
    tree = get_tree(name)
    for suffix in {own_suffix(tree), ""}:
        stems = [f"{q.name}{suffix}_{answer}" for q in tree.questions for answer in q.answers]
        for ending in ("_pred", "", "_fraction", "_dirichlet"):
            columns = ["iauname", *(stem + ending for stem in stems)]
            assert tell_tree(SOURCE, columns, None).questions == tree.questions
            layout = recognise_predictions(SOURCE, columns, tree)
            assert layout.answers == set(tree.labels)
            assert not layout.unread
