"""Trees side by side in one head."""

import numpy as np
import pytest

from tests.made.catalogues import TOY
from zoolens.catalog.decision_tree import DecisionTree, Question
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.trees.joint import column_labels, columns_in, joint_tree
from zoolens.catalog.trees.published import get_tree


def test_one_tree_is_itself_however_often_it_is_given() -> None:
    assert joint_tree([TOY]) is TOY
    assert joint_tree([TOY, DecisionTree(TOY.name, TOY.questions)]) is TOY
    assert columns_in(TOY, TOY).tolist() == list(range(10))


def test_campaigns_stand_side_by_side_under_the_names_of_their_columns() -> None:
    gz2, gzd5 = get_tree("gz2"), get_tree("gzd5")
    joint = joint_tree([gz2, gzd5])
    assert joint.labels == (*column_labels(gz2), *column_labels(gzd5))
    assert columns_in(joint, gz2).tolist() == list(range(37))
    assert columns_in(joint, gzd5).tolist() == list(range(37, 71))
    bar = joint.questions[joint.question_id("bar-gz2")]
    assert bar.asked_after == ("disk-edge-on-gz2_no",)


def test_the_same_columns_are_shared() -> None:
    gz2, ortho, evo = get_tree("gz2"), get_tree("gz2_ortho"), get_tree("gz_evo_v2")
    both = joint_tree([ortho, gz2])
    assert len(both.labels) == 37
    assert columns_in(both, ortho).tolist() == list(range(30))
    assert joint_tree([evo, ortho]).questions == evo.questions
    labels = np.array(joint_tree([evo, ortho]).labels)
    assert labels[columns_in(joint_tree([evo, ortho]), ortho)].tolist() == column_labels(ortho)


def test_answers_in_another_order_are_found_by_name() -> None:
    one = DecisionTree("one", (Question("bar", ("yes", "no")),))
    other = DecisionTree("other", (Question("ring", ("no",)), Question("bar", ("no", "yes"))))
    joint = joint_tree([one, other])
    assert joint.labels == ("bar_yes", "bar_no", "ring_no")
    assert columns_in(joint, other).tolist() == [2, 1, 0]


def test_a_question_with_other_answers_is_refused() -> None:
    one = DecisionTree("one", (Question("bar", ("yes", "no")),))
    other = DecisionTree("other", (Question("bar", ("yes", "no", "weak")),))
    with pytest.raises(CatalogError, match="one and other give the question bar other answers"):
        joint_tree([one, other])
