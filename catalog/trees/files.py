"""Decision trees of surveys that nobody has thought of yet, from YAML files."""

from collections.abc import Collection
from pathlib import Path

import yaml

from zoolens.catalog.decision_tree import DecisionTree, Question
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.runtime.files import check_file, text_of

SUFFIXES = (".yaml", ".yml")
_LONGEST = 2**20  # bytes of a file
_MOST_ANSWERS = 1000


def read_tree(path: Path, taken: Collection[str]) -> DecisionTree:
    """The tree of a YAML file: a `name`, and `questions`, each with its `answers`.

        name: my-survey
        questions:
          - question: smooth-or-featured
            answers: [smooth, featured-or-disk, artifact]
          - question: bar
            answers: [yes, no]
            asked_after: [smooth-or-featured_featured-or-disk]

    A question without `asked_after` is put to everybody; with several labels it is asked after
    any of them. Names hold no `_` or `,` (a label is `QUESTION_ANSWER`). Raises `TableRefused`
    for what is no such file, a name that is `taken`, unknown parents, cycles, two
    answers with one label, a question without answers and answers without a question.
    """
    check_file(path, "tree", TableRefused)
    try:
        # all scalars as text: `yes` and `no` are answers here, and no object is built
        content = yaml.load(text_of(path, _LONGEST), Loader=yaml.BaseLoader)  # noqa: S506
        return _tree_of_content(content, taken)
    except (OSError, UnicodeDecodeError, RecursionError, yaml.YAMLError) as error:
        raise TableRefused(f"{path} is no YAML: {' '.join(str(error).split())[:200]}") from None
    except ValueError as error:
        raise TableRefused(f"{path} is no decision tree: {error}") from None


def _tree_of_content(content: object, taken: Collection[str]) -> DecisionTree:
    if not isinstance(content, dict) or not isinstance(content.get("questions"), list):
        raise ValueError("it needs a name, and a list of questions")
    name = _word(content.get("name"), "its name")
    if name in taken:
        raise ValueError(f"{name} is a published tree; give it another name")
    if unknown := sorted(map(str, content.keys() - {"name", "questions"})):
        raise ValueError(f"it has {unknown[0]!r:.60}, which means nothing")
    questions = tuple(_question(n, q) for n, q in enumerate(content["questions"], 1))
    names = [question.name for question in questions]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"it has two questions {twice[0]}")
    tree = DecisionTree(name, questions)
    if not 0 < len(tree.labels) <= _MOST_ANSWERS:
        raise ValueError(f"it has {len(tree.labels)} answers; expected 1 to {_MOST_ANSWERS}")
    return tree


def _question(number: int, given: object) -> Question:
    keys = {"question", "answers", "asked_after"}
    if not isinstance(given, dict) or not given.keys() <= keys:
        raise ValueError(f"question {number} is no mapping of {', '.join(sorted(keys))}")
    if "question" not in given:
        raise ValueError(f"question {number} has no name, {given.get('answers')!s:.60}")
    name = _word(given["question"], f"the name of question {number}")
    answers, parents = given.get("answers"), given.get("asked_after") or []
    if not isinstance(answers, list) or not answers:
        raise ValueError(f"{name} has no list of answers")
    if not isinstance(parents, list) or not all(isinstance(label, str) for label in parents):
        raise ValueError(f"{name}: asked_after is no list of labels")
    return Question(name, tuple(_word(a, f"an answer of {name}") for a in answers), tuple(parents))


def _word(value: object, what: str) -> str:
    if not isinstance(value, str) or not value or not value.isprintable() or len(value) > 100:
        raise ValueError(f"{what} is {value!r:.60}, not a word")
    if set(value) & set("_, "):
        raise ValueError(f"{what} is {value!r}; it may hold no '_', ',' or space")
    return value
