"""Which columns of a table of predictions hold which answer's."""

from pathlib import Path

import pytest

from tests.made.catalogues import TOY
from tests.made.prediction_tables import concentrations_table
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.predictions.layouts import recognise_predictions
from zoolens.catalog.trees.published import get_tree

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
