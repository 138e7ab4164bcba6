"""The decision trees that are known by name.

Questions, answers and their order are Zoobot's (`galaxy_datasets.shared.label_metadata`), so that
an answer's position here is its column in a model of that campaign. What leads to a question is
corrected: `galaxy_datasets` allows one parent per question, so in it `merging` is always asked,
GZ2's bars follow edge-on discs, and Hubble's spiral arms are counted where there are none.
"""

from functools import cache
from pathlib import Path

from zoolens.catalog.decision_tree import (
    DecisionTree,
    Question,
    campaign_of,
    strip_campaign,
)
from zoolens.catalog.errors import UnknownName
from zoolens.catalog.trees.files import SUFFIXES, read_tree

# By name: the set of `galaxy_datasets`, and what its questions end in; None where questions of
# several campaigns stand side by side, and keep their endings.
_PUBLISHED: dict[str, tuple[str, str | None]] = {
    "gzd5": ("decals_dr5_ortho", "-dr5"),
    "gzd8": ("decals_dr8_ortho", "-dr8"),
    "gzd12": ("decals_dr12_ortho", "-dr12"),
    "gz2": ("gz2_ortho", "-gz2"),
    "desi": ("desi", ""),
    "decals_all_campaigns": ("decals_all_campaigns_ortho", None),
    "gz2_ortho": ("gz2_ortho", "-gz2"),
    "hubble": ("hubble_ortho", "-hubble"),
    "hubble_v2": ("hubble_v2_ortho", "-hubble"),
    "candels": ("candels_ortho", "-candels"),
    "ukidss": ("ukidss_ortho", "-ukidss"),
    "jwst": ("jwst_ortho", "-jwst"),
    "jwst_cosmos": ("jwst_cosmos_ortho", "-jwst"),
    "cosmic_dawn": ("cosmic_dawn_ortho", "-cd"),
    "euclid": ("euclid_ortho", "-euclid"),
    "rings": ("rings", ""),
    "gz_evo_v1": ("gz_evo_v1", None),
    "gz_evo_v1_public": ("gz_evo_v1_public", None),
    "gz_evo_v2": ("gz_evo_v2", None),
    "gz_evo_v2_public": ("gz_evo_v2_public", None),
}
TREE_NAMES = tuple(_PUBLISHED)

# Walmsley et al. 2022, figure 4 (GZ DECaLS); Willett et al. 2013, figure 1 (GZ2), and 2017,
# figure 4 (Hubble); Simmons et al. 2017, figure 1 (CANDELS).
_ASKED_AFTER = {
    "has-spiral-arms": "disk-edge-on_no",
    "bar": "disk-edge-on_no",
    "bulge-size": "disk-edge-on_no",
    "spiral-winding": "has-spiral-arms_yes",
    "spiral-arm-count": "has-spiral-arms_yes",
}
# GZ2's task 8, published with the others but not among Zoobot's columns.
_GZ2_ODD_FEATURE = Question(
    "odd-feature",
    ("ring", "lens-or-arc", "disturbed", "irregular", "other", "merger", "dust-lane"),
    ("something-odd_yes",),
)


def get_tree(name: str) -> DecisionTree:
    """A tree by its name, one of `TREE_NAMES`, or from a YAML file (`catalog.trees.files`).

    The names of `galaxy_datasets` (`euclid_ortho`, `decals_dr5_ortho`) are accepted too. Raises
    `UnknownName`, and for a file `TableRefused`.
    """
    if name.lower().endswith(SUFFIXES):
        return read_tree(Path(name), TREE_NAMES)
    of_sets = {stem: known for known, (stem, _) in reversed(_PUBLISHED.items())}
    known = name if name in _PUBLISHED else of_sets.get(name)
    if known is None:
        raise UnknownName(
            f"no decision tree {name!r}; choose one of {', '.join(TREE_NAMES)}, or give a file "
            "of one, NAME.yaml"
        )
    return _published(known)


@cache
def _published(name: str) -> DecisionTree:
    # here and not above: galaxy_datasets takes seconds, and most commands read the tree from
    # the catalogue
    from galaxy_datasets.shared import label_metadata

    stem, suffix = _PUBLISHED[name]
    pairs: dict[str, list[str]] = getattr(label_metadata, f"{stem}_pairs")
    family = "decals_ortho" if stem.startswith("decals") else stem
    stated: dict[str, str | None] = getattr(label_metadata, f"{family}_dependencies")
    asked_after = {question: _asked_after(question, pairs, stated[question]) for question in pairs}
    questions = [
        Question(
            question.removesuffix(suffix or ""),
            tuple(answer.removeprefix("_") for answer in answers),
            tuple(strip_campaign(a) if suffix else a for a in asked_after[question]),
        )
        for question, answers in pairs.items()
    ]
    if name == "gz2":
        questions.append(_GZ2_ODD_FEATURE)
    return DecisionTree(name, tuple(questions))


def _asked_after(question: str, pairs: dict[str, list[str]], stated: str | None) -> tuple[str, ...]:
    campaign = campaign_of(question)
    ending = f"-{campaign}" if campaign else ""
    plain = strip_campaign(question)
    if plain in _ASKED_AFTER:
        parent, _, answer = _ASKED_AFTER[plain].partition("_")
        return (f"{parent}{ending}_{answer}",)
    if stated is None:
        first = f"smooth-or-featured{ending}"
        if question == first or first not in pairs:
            return ()
        # always asked there, as a question has one parent: it is asked of all but artifacts
        return tuple(f"{first}{answer}" for answer in pairs[first][:2])
    return (stated,)


def suffixes(tree: DecisionTree) -> tuple[str, ...]:
    """What a tree's questions may end in, in models and tables, the likeliest first.

    The tree's own campaign (`-dr5` for gzd5), then none, then campaigns that asked the same
    questions (`-dr8` for gzd5). All of one model or table end alike: never a mixture.
    """
    own = own_suffix(tree)
    alike = (_PUBLISHED[other][1] or "" for other in _same_questions(tree))
    return tuple(dict.fromkeys((own, "", *alike)))


def own_suffix(tree: DecisionTree) -> str:
    """What the tree's own campaign appends to its questions; empty if nothing, or unknown."""
    return _PUBLISHED.get(tree.name, ("", ""))[1] or ""


def _same_questions(tree: DecisionTree) -> list[str]:
    """The other published trees that ask the very same."""
    if tree.name not in _PUBLISHED:
        return []
    return [n for n in TREE_NAMES if n != tree.name and get_tree(n).questions == tree.questions]


def also_called(tree: DecisionTree) -> tuple[str, ...]:
    """Names of published trees with the very questions of this one."""
    return tuple(_same_questions(tree))
