from pathlib import Path

import numpy as np
import pytest

from tests.made.vote_tables import GZ2, decals, gz2
from zoolens.catalog.errors import TableRefused, UnknownName
from zoolens.catalog.trees.published import TREE_NAMES, get_tree, own_suffix
from zoolens.catalog.votes.layouts import recognise

SOURCE = Path("votes.csv")


def columns(tree: str, campaign: str = "") -> list[str]:
    answers = len(get_tree(tree).labels)
    return list(
        decals(np.zeros((0, answers)), tree=tree, campaign=campaign, called=[]).column_names
    )


def gz2_columns(kind: str = "count") -> list[str]:
    return list(gz2(np.zeros((0, 37)), kind=kind).column_names)


class TestWhichTree:
    @pytest.mark.parametrize("tree", TREE_NAMES)
    @pytest.mark.parametrize("suffixed", [True, False])
    def test_every_published_table_is_read_whole_in_its_tree(
        self, tree: str, suffixed: bool
    ) -> None:
        """`gzd8`, `desi` and `ukidss` ask what `gzd5` and `gz2_ortho` ask, who stand for them."""
        own = get_tree(tree)
        names = columns(tree, own_suffix(own) if suffixed else "")
        found = recognise(SOURCE, names)
        assert found.tree.questions == own.questions
        if suffixed and own_suffix(own):
            assert found.tree.name == tree
        assert found.unasked == found.incomplete == ()
        assert not found.unread

    def test_answers_tell_and_gzd5_stands_for_its_equals(self) -> None:
        assert recognise(SOURCE, columns("gzd8")).tree.name == "gzd5"
        assert recognise(SOURCE, columns("gzd8", "-dr8")).tree.name == "gzd8"

    def test_the_catalogues_own_tree_is_preferred_among_equals(self) -> None:
        assert recognise(SOURCE, columns("gzd5"), prefer=get_tree("gzd8")).tree.name == "gzd8"
        smooth = [c for c in columns("gzd5") if c.startswith(("iau", "smooth"))]
        assert recognise(SOURCE, smooth, prefer=get_tree("gz2")).tree.name == "gz2"

    def test_but_not_over_one_that_fits_better(self) -> None:
        assert recognise(SOURCE, columns("gzd5"), prefer=get_tree("gz2")).tree.name == "gzd5"

    def test_a_table_that_fits_two_is_refused_with_both_named(self) -> None:
        smooth = [c for c in columns("gzd5") if c.startswith(("iau", "smooth"))]
        with pytest.raises(TableRefused, match=r"fits the trees gzd5, gzd12, .* with --tree"):
            recognise(SOURCE, smooth)
        problems = [c for c in columns("euclid") if c.startswith(("iau", "problem"))]
        with pytest.raises(TableRefused, match="fits the trees cosmic_dawn, euclid alike"):
            recognise(SOURCE, problems)
        for tree in ("cosmic_dawn", "euclid"):
            assert recognise(SOURCE, problems, tree=tree).tree.name == tree

    def test_asking_for_a_tree(self) -> None:
        assert recognise(SOURCE, columns("gzd5"), tree="gzd8").tree.name == "gzd8"
        assert recognise(SOURCE, columns("gzd5"), tree="decals_dr5_ortho").tree.name == "gzd5"
        with pytest.raises(UnknownName, match="gzd5, gzd8, gzd12, gz2"):
            recognise(SOURCE, columns("gzd5"), tree="gzd6")

    def test_another_campaigns_columns_are_not_taken(self) -> None:
        with pytest.raises(TableRefused, match="tree gzd5; its columns are those of gzd8"):
            recognise(SOURCE, columns("gzd8", "-dr8"), tree="gzd5")

    def test_several_campaigns_side_by_side_are_one_tree(self) -> None:
        """As GZ DESI and GZ Evo are published: the smallest tree that asks them all."""
        both = [*columns("gzd8", "-dr8"), *columns("gzd12", "-dr12")[1:]]
        found = recognise(SOURCE, both)
        assert found.tree.name == "decals_all_campaigns"
        assert len(found.questions) == 20
        more = [*both, *columns("euclid", "-euclid")[1:]]
        assert recognise(SOURCE, more).tree.name == "gz_evo_v2"

    def test_one_of_several_campaigns_leaves_the_others_named(self) -> None:
        both = [*columns("gzd8", "-dr8"), *columns("gzd12", "-dr12")[1:]]
        found = recognise(SOURCE, both, tree="gzd8")
        assert all("-dr8_" in column for q in found.questions for column in q.found)
        assert list(found.unread) == ["campaign dr12"]
        assert len(found.unread["campaign dr12"]) == 30

    def test_answers_of_no_tree_are_named(self) -> None:
        names = [*columns("gzd5"), "clumps_yes", "clumps_no", "glow_blue", "glow_blue_fraction"]
        names += ["petro_th50", "halo_yes", "halo_no", "bar-dr99_no"]
        found = recognise(SOURCE, [*names, "some_thing", "total_votes", "bar_nll"])
        assert found.unread == {
            "question clumps": ("clumps_yes", "clumps_no"),
            "question glow": ("glow_blue",),
            "question halo": ("halo_yes", "halo_no"),
            "question bar-dr99": ("bar-dr99_no",),
        }
        assert found.guessed == {"question halo"}

    def test_a_tree_of_ones_own(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.yaml"
        path.write_text("name: mine\nquestions:\n  - {question: glow, answers: [yes, no]}\n")
        found = recognise(SOURCE, ["iauname", "glow_yes", "glow_no"], tree=str(path))
        assert found.tree.labels == ("glow_yes", "glow_no")


class TestColumns:
    def test_each_part_of_a_question(self) -> None:
        names = ["iauname", "ra", "dec", "file_loc", "bar_odd", "bar_odd_fraction", "bar_debiased"]
        names += [c for c in columns("gzd5") if c.startswith("bar_")]
        found = recognise(SOURCE, names, tree="gzd5")
        (bar,) = found.questions
        assert bar.counts == ("bar_strong", "bar_weak", "bar_no")
        assert bar.foreign == ("bar_odd",)
        assert bar.total == "bar_total-votes"
        assert bar.fractions["bar_weak"] == "bar_weak_fraction"
        assert found.position == ("ra", "dec")
        assert found.image == "file_loc"

    def test_two_spellings_of_one_question_are_refused(self) -> None:
        with pytest.raises(TableRefused, match="both bar and bar-dr5"):
            recognise(SOURCE, [*columns("gzd5"), "bar-dr5_no"], tree="gzd5")

    def test_gz2_weights_only_on_request(self) -> None:
        both = list(dict.fromkeys(gz2_columns("count") + gz2_columns("weight")))
        for weighted, suffix in ((False, "_count"), (True, "_weight")):
            found = recognise(SOURCE, both, weighted=weighted)
            assert found.tree.name == "gz2"
            assert len(found.questions) == 11
            assert all(c.endswith(suffix) for q in found.questions for c in q.found)

    def test_gz2_fractions_are_of_other_numbers(self) -> None:
        names = gz2_columns("count")
        stated = "t01_smooth_or_features_a01_smooth_fraction"
        assert recognise(SOURCE, [*names, stated]).questions[0].fractions == {}


class TestRefused:
    def test_names_what_was_looked_for_and_what_is_near(self) -> None:
        names = ["iauname", "smooth-or-featured_smooth_fraction", "bar_no_debiased"]
        with pytest.raises(TableRefused) as refused:
            recognise(SOURCE, names)
        assert "looked for smooth-or-featured_smooth," in str(refused.value)
        assert "t01_smooth_or_features_a01_smooth_count" in str(refused.value)
        assert "nearest columns: smooth-or-featured_smooth_fraction" in str(refused.value)

    def test_names_the_missing_answers_of_incomplete_questions(self) -> None:
        with pytest.raises(TableRefused, match="lacks bar_strong, bar_weak"):
            recognise(SOURCE, ["iauname", "bar_no"], tree="gzd5")

    def test_weights_asked_of_a_table_without(self) -> None:
        with pytest.raises(TableRefused, match="a01_smooth_weight"):
            recognise(SOURCE, gz2_columns("count"), weighted=True)

    def test_an_identifier_that_is_not_there(self) -> None:
        with pytest.raises(TableRefused, match="'objid'; name one with --id; nearest: "):
            recognise(SOURCE, columns("gzd5"), identifier="objid")


def test_weighted_votes_alone_are_read_as_such() -> None:
    names = [f"{column}_weight" for column in GZ2]
    layout = recognise(Path("t.csv"), ["objid", *names], identifier="objid")
    assert layout.weighted
    assert layout.tree.name == "gz2"
    both = [*names, *(f"{column}_count" for column in GZ2)]
    layout = recognise(Path("t.csv"), ["objid", *both], identifier="objid")
    assert not layout.weighted
