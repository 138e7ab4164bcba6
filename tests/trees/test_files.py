from pathlib import Path

import pytest

from zoolens.catalog.decision_tree import Question
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.trees.files import read_tree

WHOLE = """\
name: my-survey
questions:
  - question: smooth-or-featured
    answers: [smooth, featured-or-disk, artifact]
  - question: bar
    answers: [yes, no]
    asked_after: [smooth-or-featured_featured-or-disk]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "tree.yaml"
    path.write_text(text)
    return path


def test_a_tree_is_read_with_yes_and_no_as_words(tmp_path: Path) -> None:
    tree = read_tree(written(tmp_path, WHOLE), ())
    assert tree.name == "my-survey"
    assert tree.questions[1] == Question(
        "bar", ("yes", "no"), ("smooth-or-featured_featured-or-disk",)
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[smooth-or-featured_featured-or-disk]", "[disk_yes]", "bar is asked after unknown disk"),
        ("[smooth-or-featured_featured-or-disk]", "[bar_no]", "bar would be asked after themselv"),
        ("[yes, no]", "[yes, yes]", "two answers are called bar_yes"),
        ("[yes, no]", "[]", "bar has no list of answers"),
        ("  - question: bar\n    answers", "  - answers", "question 2 has no name"),
        ("question: bar", "question: smooth-or-featured", "two questions smooth-or-featured"),
        ("question: bar", "question: a_bar", "no '_'"),
        ("[yes, no]", "[yes, [no]]", "an answer of bar is"),
        ("asked_after", "asked", "question 2 is no mapping of answers, asked_after, question"),
        ("name: my-survey", "nome: my-survey", "its name is None"),
        ("name: my-survey", "name: taken", "taken is a published tree"),
        ("questions:", "queries:", "it needs a name, and a list of questions"),
        ("[yes, no]", "[yes, no", "is no YAML"),
        ("name: my-survey", "name: !!python/object/apply:os.system [ls]", "its name is"),
        (WHOLE, "", "it needs a name"),
        (WHOLE, "[" * 5000, "is no YAML"),
    ],
)
def test_what_is_no_tree_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in WHOLE
    path = written(tmp_path, WHOLE.replace(old, new))
    with pytest.raises(TableRefused, match=told) as refused:
        read_tree(path, ("taken",))
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(TableRefused, match=r"tree\.yaml"):
        read_tree(tmp_path / "tree.yaml", ())
