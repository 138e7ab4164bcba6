"""Ingests in the ledger of runs: which votes and images are current, what was abandoned."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.outdated import mark_outdated
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.store.trees import forget_tree

_COMPLETE = "FROM run WHERE job = 'ingest' AND status = 'complete'"
# A tree is held by votes that show, and by predictions from the first on.
_HELD = """SELECT 1 FROM run r WHERE (job = 'ingest' AND status = 'complete'
    AND json_type(config, '$.tree') IS DISTINCT FROM 'NULL')
OR (job = 'predict' AND EXISTS (FROM shard s WHERE s.run_id = r.run_id)) LIMIT 1"""
_ABANDONED = "SELECT run_id FROM run WHERE job = 'ingest' AND status = 'running' AND run_id <> ?"
_SUPERSEDE_VOTES = """INSERT INTO superseded
SELECT DISTINCT v.run_id, v.galaxy_id, a.question_id
FROM vote v JOIN answer a USING (answer_id)
JOIN run r ON r.run_id = v.run_id AND r.status = 'complete'
SEMI JOIN (SELECT galaxy_id, question_id FROM vote JOIN answer USING (answer_id)
    WHERE run_id = $1) n ON n.galaxy_id = v.galaxy_id AND n.question_id = a.question_id
ANTI JOIN superseded s ON s.run_id = v.run_id AND s.galaxy_id = v.galaxy_id
    AND s.question_id = a.question_id
WHERE v.run_id <> $1"""
_SUPERSEDE_IMAGES = """INSERT INTO superseded_image
SELECT i.run_id, i.galaxy_id FROM image i
JOIN run r ON r.run_id = i.run_id AND r.status = 'complete'
SEMI JOIN (SELECT galaxy_id FROM image WHERE run_id = $1) n ON n.galaxy_id = i.galaxy_id
ANTI JOIN superseded_image s ON s.run_id = i.run_id AND s.galaxy_id = i.galaxy_id
WHERE i.run_id <> $1"""


# By earlier ingest: of how many galaxies the run replaced what that one had brought.
_REPLACED_VOTES = """SELECT last, count(DISTINCT galaxy_id) FROM (
    SELECT s.galaxy_id, s.question_id, max(s.run_id) AS last FROM superseded s
    SEMI JOIN (SELECT galaxy_id, question_id FROM vote JOIN answer USING (answer_id)
        WHERE run_id = $1) n ON n.galaxy_id = s.galaxy_id AND n.question_id = s.question_id
    WHERE s.run_id < $1 GROUP BY ALL)"""
_REPLACED_IMAGES = """SELECT last, count(*) FROM (
    SELECT s.galaxy_id, max(s.run_id) AS last FROM superseded_image s
    SEMI JOIN image n ON n.run_id = $1 AND n.galaxy_id = s.galaxy_id
    WHERE s.run_id < $1 GROUP BY ALL) b
JOIN image i ON i.run_id = b.last AND i.galaxy_id = b.galaxy_id
JOIN image n ON n.run_id = $1 AND n.galaxy_id = b.galaxy_id AND n.sha256 <> i.sha256"""


class Replaced(NamedTuple):
    """What an ingest replaced.

    what: `votes` or `images`; galaxies: of how many; origin: what had brought them.
    """

    what: str
    galaxies: int
    origin: str


def held_tree(store: Store) -> DecisionTree | None:
    """The tree of the votes that a catalogue shows, or of its predictions; None without either."""
    return store.tree_or_none if store.value(_HELD) else None


def settled_tree(store: Store) -> DecisionTree | None:
    """The tree that predictions have to be of; None if the first ones bring theirs.

    That is the held tree, or that of votes whose ingest was interrupted and may go on.
    """
    unfinished = store.value("SELECT 1 FROM vote LIMIT 1")
    return store.tree_or_none if unfinished else held_tree(store)


def settle_tree(store: Store, tree: DecisionTree) -> None:
    """Make a tree that of a catalogue, unless it holds votes or predictions in another.

    Raises `CatalogError` if it does.
    """
    if settled_tree(store) is None and store.tree_or_none not in (None, tree):
        with store.transaction():
            forget_tree(store)  # of predictions that were given up before the first
    store.set_tree(tree)


def check_tree(store: Store, tree: DecisionTree) -> None:
    """Raises `CatalogError` if `settle_tree` would."""
    held = settled_tree(store)
    if held is not None and held.questions != tree.questions:
        raise CatalogError(
            f"{store.path} is of tree {held.name}, not {tree.name}; keep it in another catalogue"
        )


def begin_ingest(
    store: Store, settings: Mapping[str, Any], origin: Mapping[str, str], tree: DecisionTree | None
) -> Run:
    """The run for an ingest, in a catalogue of its tree; None brings no votes, and needs none.

    The ingest before it (`after`) is part of its configuration, so that it is another run
    than an earlier one with the same settings: the same votes are news again once others
    replaced them. What other ingests left incomplete was never shown and is deleted: its
    galaxies would otherwise stay hidden, or be numbered twice. Raises `CatalogError`
    if the catalogue holds votes or predictions of another tree.
    """
    if tree is not None and held_tree(store) is not None:
        store.set_tree(tree)
    rows = store.arrow(f"SELECT run_id, config {_COMPLETE} ORDER BY run_id DESC LIMIT 1")
    after = None
    for previous in rows.to_pylist():
        config = store.facts(previous["config"], "the settings of a run")
        same = all(config.get(name) == value for name, value in settings.items())
        after = config.get("after") if same else previous["run_id"]
    run = store.begin("ingest", {**settings, "after": after}, origin=origin)
    if not run.complete or store.rows(_ABANDONED, [run.run_id]):
        _clear(store, run)
    if tree is not None:
        settle_tree(store, tree)
    return run


def _clear(store: Store, run: Run) -> None:
    """Delete what other ingests left incomplete, and a tree that nothing is shown in."""
    with store.transaction():
        for name in ("galaxy", "image", "vote", "reject", "shard", "run"):
            store.execute(f"DELETE FROM {name} WHERE run_id IN ({_ABANDONED})", [run.run_id])
        if held_tree(store) is None and not store.shards(run):
            forget_tree(store)


def finish_ingest(store: Store, run: Run) -> None:
    """Complete an ingest: its votes and images replace all others of the same galaxies.

    What was made from those that are replaced is outdated from now on.
    Votes are replaced question by question. To be called inside a transaction.
    """
    mark_outdated(store, run)
    store.execute(_SUPERSEDE_VOTES, [run.run_id])
    store.execute(_SUPERSEDE_IMAGES, [run.run_id])
    store.finish(run)


def replaced(store: Store, run: Run) -> list[Replaced]:
    """What a complete ingest replaced, by kind and by the ingest that had brought it.

    Only what differs counts: votes that are the same are not written again.
    """
    found = []
    for what, sql in (("votes", _REPLACED_VOTES), ("images", _REPLACED_IMAGES)):
        for last, galaxies in store.rows(f"{sql} GROUP BY last ORDER BY last", [run.run_id]):
            origin = store.run(last).config.get("origin", {})
            found.append(Replaced(what, galaxies, origin.get(what) or f"run {last}"))
    return found
