"""The decision tree in the catalogue file: its name, and a row for each of its answers."""

import pyarrow as pa

from zoolens.catalog import decision_tree
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.store.database import Database
from zoolens.catalog.store.failures import damaged


def read_tree(database: Database) -> DecisionTree | None:
    """The tree of a catalogue; None if it has none yet.

    Raises `CatalogError` if what stands there is no tree.
    """
    name = database.value("SELECT value FROM setting WHERE name = 'tree'")
    if name is None:
        return None
    rows = database.rows("SELECT question, answer, asked_after FROM answer ORDER BY answer_id")
    try:
        return decision_tree.from_rows(name, rows)
    except (ValueError, LookupError) as error:
        raise damaged(database.path, f"the tree {name} cannot be read: {error}") from None


def write_tree(database: Database, tree: DecisionTree) -> None:
    """Write the tree of a catalogue that has none, in one transaction."""
    rows = [
        (int(q), question.name, answer, f"{question.name}_{answer}", question.asked_after)
        for q, question in enumerate(tree.questions)
        for answer in question.answers
    ]
    answers = pa.table(
        {
            "answer_id": list(range(len(rows))),
            "question_id": [row[0] for row in rows],
            "question": [row[1] for row in rows],
            "answer": [row[2] for row in rows],
            "label": [row[3] for row in rows],
            "asked_after": [",".join(row[4]) for row in rows],
        }
    )
    settings = pa.table({"name": ["tree"], "value": [tree.name]})
    with database.transaction():
        database.insert("answer", answers)
        database.insert("setting", settings)


def forget_tree(database: Database) -> None:
    """Delete the tree of a catalogue that holds nothing in it; inside a transaction."""
    database.execute("DELETE FROM answer")
    database.execute("DELETE FROM setting WHERE name = 'tree'")
