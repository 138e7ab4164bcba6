import pytest
from galaxy_datasets.shared import label_metadata

from zoolens.catalog.decision_tree import strip_campaign
from zoolens.catalog.errors import UnknownName
from zoolens.catalog.trees.published import (
    TREE_NAMES,
    also_called,
    get_tree,
    own_suffix,
    suffixes,
)

SETS = [name for name, pairs in vars(label_metadata).items() if name.endswith("_pairs") and pairs]


def test_there_are_24_sets_of_labels() -> None:
    assert len(SETS) == 24


@pytest.mark.parametrize("name", SETS)
def test_every_set_of_labels_is_a_trees_in_its_order(name: str) -> None:
    pairs = getattr(label_metadata, name)
    stem = name.removesuffix("_pairs")
    tree = get_tree(stem)
    labels = [question + answer for question, answers in pairs.items() for answer in answers]
    plain = [strip_campaign(label) for label in labels]
    assert list(tree.labels) in (labels, plain)


@pytest.mark.parametrize("name", TREE_NAMES)
def test_every_question_but_the_first_of_a_campaign_is_asked_after_another(name: str) -> None:
    firsts = [q.name for q in get_tree(name).questions if not q.asked_after]
    assert {strip_campaign(first) for first in firsts} <= {"smooth-or-featured", "ring"}


def test_campaigns_with_the_same_questions_serve_each_other() -> None:
    assert suffixes(get_tree("gzd5")) == ("-dr5", "", "-dr8")
    assert suffixes(get_tree("desi")) == ("", "-dr5", "-dr8")
    assert suffixes(get_tree("euclid")) == ("-euclid", "")
    assert suffixes(get_tree("gz_evo_v2")) == ("",)
    assert also_called(get_tree("gzd5")) == ("gzd8", "desi")


def test_questions_of_several_campaigns_keep_their_names() -> None:
    tree = get_tree("decals_all_campaigns")
    parents = {question.name: question.asked_after for question in tree.questions}
    assert parents["bar-dr12"] == ("disk-edge-on-dr12_no",)
    assert parents["merging-dr8"] == (
        "smooth-or-featured-dr8_smooth",
        "smooth-or-featured-dr8_featured-or-disk",
    )
    assert own_suffix(tree) == ""


def test_what_galaxy_datasets_says_is_corrected_where_it_is_wrong() -> None:
    """Hubble's arms are counted where there are some (Willett et al. 2017, figure 4)."""
    parents = {question.name: question.asked_after for question in get_tree("hubble").questions}
    assert parents["spiral-arm-count"] == ("has-spiral-arms_yes",)
    assert parents["disk-edge-on"] == ("clumpy-appearance_no",)
    parents = {question.name: question.asked_after for question in get_tree("euclid").questions}
    assert parents["merging"] == (
        "smooth-or-featured_smooth",
        "smooth-or-featured_featured-or-disk",
    )
    assert parents["artifact"] == ("problem_artifact",)


def test_an_unknown_tree_names_those_there_are() -> None:
    with pytest.raises(UnknownName, match=r"gzd5, gzd8, .*NAME\.yaml"):
        get_tree("gz3")
