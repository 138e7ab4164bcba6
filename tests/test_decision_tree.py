import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoolens.catalog.decision_tree import (
    DecisionTree,
    Question,
    from_rows,
    strip_campaign,
)
from zoolens.catalog.errors import UnknownName
from zoolens.catalog.trees.published import TREE_NAMES, get_tree


@pytest.fixture(scope="module")
def gzd5() -> DecisionTree:
    return get_tree("gzd5")


@pytest.mark.parametrize(
    ("name", "questions", "answers"),
    [("gzd5", 10, 34), ("gzd8", 10, 34), ("gzd12", 10, 30), ("gz2", 11, 37)],
)
def test_published_trees_have_their_questions_and_answers(
    name: str, questions: int, answers: int
) -> None:
    tree = get_tree(name)
    assert (len(tree.questions), len(tree.labels)) == (questions, answers)
    assert len(set(tree.labels)) == answers


def test_answers_stand_in_the_order_of_zoobots_columns(gzd5: DecisionTree) -> None:
    from galaxy_datasets.shared.label_metadata import decals_dr5_ortho_label_cols

    assert list(gzd5.labels) == [strip_campaign(label) for label in decals_dr5_ortho_label_cols]


def test_slices_and_question_numbers_agree(gzd5: DecisionTree) -> None:
    for number, (question, part) in enumerate(zip(gzd5.questions, gzd5.slices, strict=True)):
        assert gzd5.labels[part] == question.labels
        assert set(gzd5.question_of[part]) == {number}


def test_merging_is_asked_after_smooth_and_after_featured(gzd5: DecisionTree) -> None:
    fractions = np.zeros(34)
    fractions[gzd5.answer_id("smooth-or-featured_smooth")] = 0.6
    fractions[gzd5.answer_id("smooth-or-featured_featured-or-disk")] = 0.3
    fractions[gzd5.answer_id("smooth-or-featured_artifact")] = 0.1
    fractions[gzd5.answer_id("disk-edge-on_no")] = 0.5
    fractions[gzd5.answer_id("has-spiral-arms_yes")] = 0.4
    reach = dict(zip((q.name for q in gzd5.questions), gzd5.reach(fractions), strict=True))
    assert reach["smooth-or-featured"] == 1
    assert reach["merging"] == pytest.approx(0.9)
    assert reach["how-rounded"] == pytest.approx(0.6)
    assert reach["bar"] == pytest.approx(0.3 * 0.5)
    assert reach["spiral-winding"] == pytest.approx(0.3 * 0.5 * 0.4)
    assert reach["edge-on-bulge"] == 0


def test_gz2_asks_for_bars_after_discs_that_are_not_edge_on() -> None:
    parents = {question.name: question.asked_after for question in get_tree("gz2").questions}
    assert parents["bar"] == ("disk-edge-on_no",)
    assert parents["odd-feature"] == ("something-odd_yes",)


@pytest.mark.parametrize("name", TREE_NAMES)
@pytest.mark.slow
def test_reach_is_that_of_volunteers_walking_the_tree(name: str) -> None:
    """Oracle: simulate volunteers; 20,000 of them give 4 standard errors of 0.014."""
    tree = get_tree(name)
    rng = np.random.default_rng(5)
    fractions = np.concatenate([rng.dirichlet(np.ones(len(q.answers))) for q in tree.questions])
    chosen = {
        question.name: rng.choice(question.labels, size=20_000, p=fractions[part])
        for question, part in zip(tree.questions, tree.slices, strict=True)
    }
    asked: dict[str, np.ndarray] = {}
    for question in sorted(tree.questions, key=lambda q: len(_path(tree, q))):
        asked[question.name] = np.full(20_000, not question.asked_after)
        for label in question.asked_after:
            parent = label.rsplit("_", 1)[0]
            asked[question.name] |= asked[parent] & (chosen[parent] == label)
    walked = [asked[question.name].mean() for question in tree.questions]
    np.testing.assert_allclose(tree.reach(fractions), walked, atol=0.015)


def _path(tree: DecisionTree, question: Question) -> list[str]:
    parents = {q.name: q for q in tree.questions}
    path = []
    while question.asked_after:
        path.append(question.name)
        question = parents[question.asked_after[0].rsplit("_", 1)[0]]
    return path


def test_reach_is_missing_where_a_fraction_on_the_way_is(gzd5: DecisionTree) -> None:
    fractions = np.full((2, 34), 0.5)
    fractions[1, gzd5.answer_id("disk-edge-on_no")] = np.nan
    reach = gzd5.reach(fractions)
    names = [question.name for question in gzd5.questions]
    assert not np.isnan(reach[0]).any()
    assert {names[q] for q in np.flatnonzero(np.isnan(reach[1]))} == {
        "has-spiral-arms",
        "bar",
        "bulge-size",
        "spiral-winding",
        "spiral-arm-count",
    }


@pytest.mark.parametrize("label", ["how-rounded_round", "how-rounded-dr5_round"])
def test_labels_are_known_with_and_without_campaign(gzd5: DecisionTree, label: str) -> None:
    assert gzd5.labels[gzd5.answer_id(label)] == "how-rounded_round"


def test_an_unknown_label_names_the_nearest(gzd5: DecisionTree) -> None:
    with pytest.raises(UnknownName, match="how-rounded_round"):
        gzd5.answer_id("how-rounded_rond")
    with pytest.raises(UnknownName, match="gzd5, gzd8, gzd12, gz2"):
        get_tree("gz3")


def test_a_tree_that_hangs_in_the_air_is_refused() -> None:
    with pytest.raises(ValueError, match="bar is asked after unknown"):
        DecisionTree("odd", (Question("bar", ("yes", "no"), ("disk_yes",)),))


@given(st.sampled_from(TREE_NAMES))
def test_a_tree_survives_the_catalogue(name: str) -> None:
    tree = get_tree(name)
    rows = [
        (question.name, answer, ",".join(question.asked_after))
        for question in tree.questions
        for answer in question.answers
    ]
    assert from_rows(name, rows) == tree
