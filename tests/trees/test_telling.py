import pytest

from zoolens.catalog.errors import UnknownName
from zoolens.catalog.trees.joint import column_labels
from zoolens.catalog.trees.published import TREE_NAMES, get_tree, own_suffix
from zoolens.catalog.trees.telling import best_fit, fit, tree_of, whole_trees


def labels(name: str, suffix: str) -> list[str]:
    return [
        f"{question.name}{suffix}_{answer}"
        for question in get_tree(name).questions
        for answer in question.answers
    ]


@pytest.mark.parametrize("name", TREE_NAMES)
def test_a_models_labels_tell_its_tree(name: str) -> None:
    tree = get_tree(name)
    found = tree_of(labels(name, own_suffix(tree)), source="model.ckpt")
    # plain labels of GZ DESI are those of GZ DECaLS
    assert found == (get_tree("gzd5") if name == "desi" else tree)


def test_labels_of_no_tree_say_how_to_give_one() -> None:
    with pytest.raises(UnknownName, match=r"model answers no question .* glow_yes.*NAME\.yaml"):
        tree_of(["glow_yes", "glow_no"], source="model")
    with pytest.raises(UnknownName, match="no question of tree euclid"):
        tree_of(["glow_yes", "glow_no"], source="model", tree="euclid")


def test_of_equals_the_preferred_or_the_whole_one() -> None:
    trees = [get_tree(name) for name in ("hubble", "hubble_v2")]
    short = labels("hubble_v2", "-hubble")
    fits = [fit(tree, short) for tree in trees]
    assert best_fit("t", fits, None).tree.name == "hubble_v2"
    assert best_fit("t", fits, trees[0]).tree.name == "hubble"


def test_a_part_that_two_trees_ask_after_other_answers_is_refused() -> None:
    """Hubble's edge-on discs: of all with features, or of those that are not clumpy."""
    discs = [label for label in labels("hubble", "-hubble") if label.startswith("disk")]
    with pytest.raises(UnknownName, match="table fits the trees hubble, hubble_v2 alike"):
        tree_of(discs, source="table")
    rounded = [label for label in labels("hubble", "-hubble") if label.startswith("how-rounded")]
    assert tree_of(rounded, source="table").name == "hubble_v2"


def test_columns_of_incomplete_questions_count_last() -> None:
    tree = get_tree("gzd5")
    found = fit(tree, ["bar_strong", "bar_no", "disk-edge-on-dr5_yes", "disk-edge-on-dr5_no"])
    assert found.read == {"disk-edge-on-dr5_yes", "disk-edge-on-dr5_no"}
    assert found.part == {"bar_strong", "bar_no"}
    assert found.unasked == 9
    assert found.suffixed


def test_the_trees_of_a_head_of_several_are_told() -> None:
    def columns(*names: str) -> list[str]:
        return [label for name in names for label in column_labels(get_tree(name))]

    for names in (["gz2"], ["gz_evo_v2"], ["gzd5", "gz2"], ["gzd5", "gzd8"], ["gz2", "euclid"]):
        assert [tree.name for tree in whole_trees(columns(*names))] == names
    assert whole_trees(columns("gz2")[1:3]) == []
    with pytest.raises(UnknownName, match="several trees, gzd5, gz2; choose one with --tree gzd5"):
        tree_of(columns("gz2", "gzd5"), source="a model", whole=True)
