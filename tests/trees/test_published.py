from pathlib import Path

import pytest
from galaxy_datasets.shared import label_metadata

from zoolens.catalog.decision_tree import CAMPAIGNS, strip_campaign
from zoolens.catalog.errors import UnknownName
from zoolens.catalog.trees.published import (
    _PUBLISHED,
    TREE_NAMES,
    also_called,
    get_tree,
    own_suffix,
    suffixes,
)

SETS = [name for name, pairs in vars(label_metadata).items() if name.endswith("_pairs") and pairs]


@pytest.mark.parametrize("name", TREE_NAMES)
def test_what_its_questions_end_in_is_a_campaign(name: str) -> None:
    _, ending = _PUBLISHED[name]
    known = not ending or ending.removeprefix("-") in CAMPAIGNS
    assert known, f"{ending} is missing in CAMPAIGNS of catalog/decision_tree.py"


def test_the_decision_counts_sets_and_trees() -> None:
    decision = Path(__file__).resolve().parents[2] / "docs" / "decisions" / "trees.md"
    said = f"It has {len(SETS)} sets of labels; they come to {len(TREE_NAMES)} trees"
    found = said in " ".join(decision.read_text().split())
    assert found, f"docs/decisions/trees.md is to say: {said}"


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
    first, *others = get_tree(name).questions
    always = {strip_campaign(q.name) for q in (first, *others) if not q.asked_after}
    assert always == {strip_campaign(first.name)}, "the others belong into _ASKED_AFTER"


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
