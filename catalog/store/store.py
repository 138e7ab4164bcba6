"""The catalogue: its tree, and the ledger of its runs.

All bulk data goes in and out as Arrow. A job's work is cut into shards; a shard's tables and
its row in the ledger are committed together, so a killed job resumes where it stopped, with
nothing lost and nothing twice.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, NothingHere, UnknownName
from zoolens.catalog.store.database import Database
from zoolens.catalog.store.failures import damaged
from zoolens.catalog.store.identity import begun, fingerprint
from zoolens.catalog.store.identity import code_version as code_version
from zoolens.catalog.store.shown import newest, shown
from zoolens.catalog.store.trees import read_tree, write_tree
from zoolens.catalog.store.waiting import waits_for


@dataclass(frozen=True)
class Run:
    """One run of a job, as recorded in the ledger.

    `complete` is True if an earlier, identical run finished: the job then only adds what is
    new since. `again` is True if another run of the job was asked for in between, so that
    the views change back to this one.
    """

    run_id: int
    job: str
    config: Mapping[str, Any]
    model_sha256: str | None
    complete: bool
    again: bool = False


class Store(Database):
    """An open catalogue."""

    @property
    def tree(self) -> DecisionTree:
        """The decision tree of this catalogue.

        Raises `NothingHere` if neither votes nor predictions have brought one.
        """
        tree = self.tree_or_none
        if tree is None:
            if not self.value("SELECT count(*) FROM galaxies"):
                raise NothingHere(
                    f"{self.path} is empty; fill it with: zoolens ingest VOTES (or --images FOLDER)"
                )
            raise NothingHere(
                f"{self.path} has galaxies but neither votes nor predictions, and so no decision "
                "tree yet; bring some with: zoolens predict --model MODEL (or --predictions FILE)"
            )
        return tree

    @property
    def tree_or_none(self) -> DecisionTree | None:
        """The decision tree of this catalogue; None where it has galaxies at most."""
        return read_tree(self)

    @property
    def has_votes(self) -> bool:
        """Whether it shows votes on any galaxy."""
        sql = (
            "SELECT 1 FROM run r WHERE job = 'ingest' AND status = 'complete' "
            "AND EXISTS (FROM vote v WHERE v.run_id = r.run_id) LIMIT 1"
        )
        return self.value(sql) is not None

    def needs_votes(self, what: str) -> None:
        """Raises `NothingHere`, with how to bring votes, if there are none."""
        if not self.has_votes:
            raise NothingHere(
                f"{self.path} has no votes, which {what} needs; bring them, for all of its "
                "galaxies or some, with: zoolens ingest VOTES"
            )

    def newest_run(self, job: str) -> int:
        """The run that the public views of a job show.

        Raises `NothingHere` if no run of the job is complete, or none is of the predictions
        that show.
        """
        run_id = self.value(shown(job))
        if run_id is None:
            if job == "score":
                self.needs_votes("a loss")
            if job == "predict" and self.shown_run("estimate") is not None:
                raise NothingHere(
                    f"{self.path} has no predictions of votes, only what a classifier or regressor "
                    "estimates; bring some with: zoolens predict --model MODEL, of a decision tree"
                )
            if job == "predict" and not waits_for(self, job):
                raise NothingHere(
                    f"{self.path} has no predictions, and no galaxy with an image to predict from; "
                    "add images with: zoolens ingest --images FOLDER, or published predictions "
                    "with: zoolens predict --predictions FILE"
                )
            of, predictions = "", self.shown_run("predict")
            if predictions is not None and self.value(newest(job)) is not None:
                of = f" of the predictions that show (run {predictions.run_id})"
            raise NothingHere(f"{self.path} has no complete {job} run{of}; do first: zoolens {job}")
        return int(run_id)

    def shown_run(self, job: str) -> Run | None:
        """The run that the public views of a job show; None if they show none."""
        run_id = self.value(shown(job))
        return None if run_id is None else self.run(int(run_id))

    def complete_runs(self, job: str) -> list[Run]:
        """All complete runs of a job, oldest first."""
        sql = "SELECT run_id FROM run WHERE job = ? AND status = 'complete' ORDER BY run_id"
        return [self.run(run_id) for (run_id,) in self.rows(sql, [job])]

    def run(self, run_id: int) -> Run:
        """A run by number."""
        rows = self.rows(
            "SELECT job, config, model_sha256, status FROM run WHERE run_id = ?", [run_id]
        )
        if not rows:
            raise UnknownName(f"no run {run_id} in {self.path}")
        job, config, model_sha256, status = rows[0]
        settings = self.facts(config, f"the settings of run {run_id}")
        return Run(run_id, job, settings, model_sha256, status == "complete")

    def facts(self, text: str, what: str) -> dict[str, Any]:
        """The JSON object that a column holds. Raises `CatalogError` if `what` is none."""
        try:
            found = json.loads(text)
        except ValueError as error:
            raise damaged(self.path, f"{what}: {error}") from None
        if not isinstance(found, dict):
            raise damaged(self.path, f"{what}: {text:.60} is no JSON object")
        return found

    def noted(self, name: str) -> dict[str, Any]:
        """What the setting `name` notes; empty if it is not there."""
        text = self.value("SELECT value FROM setting WHERE name = ?", [name])
        return self.facts(text or "{}", f"the setting {name!r}")

    # --- the ledger of runs

    def begin(
        self,
        job: str,
        config: Mapping[str, Any],
        *,
        model_sha256: str | None = None,
        origin: Mapping[str, str] | None = None,
    ) -> Run:
        """The run for this work: a new one, or the one that did or began it before.

        The same job with the same configuration (which includes checksums of its inputs),
        model and code is the same run: an interrupted one resumes, and what is new since is
        added. `origin`, the paths that the inputs came from, is recorded in the configuration
        of a new run but does not make it another run.
        """
        canonical = json.dumps({**config, "origin": dict(origin or {})}, sort_keys=True)
        found = begun(self, job, config, model_sha256)
        if found is not None:
            run = self._again(self.run(found))
            if not run.complete:
                self._note_at_work(run.run_id)
            return run
        run_id = int(self.value("SELECT coalesce(max(run_id), 0) + 1 FROM run"))
        now = utc_now()
        self.execute(
            "INSERT INTO run VALUES (?, ?, ?, 'running', ?, NULL, ?, ?, ?, ?)",
            [
                *(run_id, job, fingerprint(job, config, model_sha256)),
                *(now, canonical, model_sha256, code_version(), now),
            ],
        )
        self._note_at_work(run_id)
        return self.run(run_id)

    def _note_at_work(self, run_id: int) -> None:
        """Record which run this process works on, for `run_at_work`."""
        with self.transaction():
            self.execute("DELETE FROM setting WHERE name = 'at work'")
            noted = json.dumps({"run_id": run_id, "process": os.getpid()})
            self.execute("INSERT INTO setting VALUES ('at work', ?)", [noted])

    @property
    def run_at_work(self) -> int | None:
        """The run that a process works on while `look` looks; None if none is at work."""
        noted = self.noted("at work")
        if self.writer is None or noted.get("process") != self.writer:
            return None
        return int(noted["run_id"])

    def _again(self, run: Run) -> Run:
        """A run that is asked for again, made the last of its job if it is not."""
        last = self.value("SELECT max_by(run_id, asked_at) FROM run WHERE job = ?", [run.job])
        if last == run.run_id:
            return run
        self.execute("UPDATE run SET asked_at = ? WHERE run_id = ?", [utc_now(), run.run_id])
        return replace(run, again=run.complete)

    def set_tree(self, tree: DecisionTree) -> None:
        """Give a catalogue without a tree its own, in one transaction.

        One without votes takes the name of another campaign that asks the very same: its
        predictions are of both. Raises `CatalogError` if it already has another one.
        """
        held = self.tree_or_none
        if held == tree:
            return
        if held is None:
            write_tree(self, tree)
        elif held.questions == tree.questions and not self.rows("SELECT 1 FROM vote LIMIT 1"):
            self.execute("UPDATE setting SET value = ? WHERE name = 'tree'", [tree.name])
        else:
            name = f"another {tree.name}" if tree.name == held.name else tree.name
            raise CatalogError(
                f"{self.path} is of tree {held.name}, not {name}; keep it in another catalogue"
            )

    def committed(self, run: Run, name: str) -> bool:
        """Whether a shard of a run is in the ledger."""
        sql = "SELECT 1 FROM shard WHERE run_id = ? AND name = ? LIMIT 1"
        return self.value(sql, [run.run_id, name]) is not None

    def shards(self, run: Run) -> int:
        """How many shards of a run are in the ledger."""
        return int(self.value("SELECT count(*) FROM shard WHERE run_id = ?", [run.run_id]))

    def commit(self, run: Run, name: str, tables: Mapping[str, pa.Table]) -> None:
        """Append a shard's tables and its ledger row in one transaction.

        tables: by table name, without the column `run_id`, which is added. Raises
        `ValueError` if the shard is already there, or a table has other columns than
        `catalog.store.tables` declares; `CatalogError` if the disk did not take it.
        """
        if self.committed(run, name):
            raise ValueError(f"shard {name} of run {run.run_id} is already committed")
        # here and not above: it loads SQLAlchemy, which readers have no use for
        from zoolens.catalog.store.tables import checked

        rows = 0
        try:
            with self.transaction():
                for table, given in tables.items():
                    number = pa.array(np.full(len(given), run.run_id, np.int32))
                    self.insert(table, checked(table, given).append_column("run_id", number))
                    rows += len(given)
                ledger = {"run_id": [run.run_id], "name": [name], "rows": [rows]}
                self.insert("shard", pa.table({**ledger, "committed_at": [utc_now()]}))
        except CatalogError:
            # if the disk fills at a checkpoint, DuckDB reports failure but has committed
            self.reconnect()
            if not self.committed(run, name):
                raise

    def finish(self, run: Run, *, model_sha256: str | None = None) -> None:
        """Mark a run complete: from now on the public views show it.

        model_sha256: checksum of the model that the run made.
        """
        self.execute(
            "UPDATE run SET status = 'complete', finished_at = ?, "
            "model_sha256 = coalesce(?, model_sha256) WHERE run_id = ?",
            [utc_now(), model_sha256, run.run_id],
        )

    def conclude(self, run: Run, *, added: bool) -> bool:
        """Complete a run, unless it was complete and nothing was added to it.

        Returns whether anything changed: rows, that it is complete, or which run shows.
        """
        changed = added or not run.complete
        if changed:
            self.finish(run)
        return changed or run.again

    def rows_made(self, run: Run, table: str) -> pa.Table:
        """The rows of a table that a run has made, in the order it made them."""
        return self.arrow(f"SELECT * FROM {table} WHERE run_id = ?", [run.run_id])

    def rows_of(self, run: Run, table: str) -> int:
        """How many rows of a table a run has made."""
        return int(self.value(f"SELECT count(*) FROM {table} WHERE run_id = ?", [run.run_id]))


def utc_now() -> datetime:
    """The time that the ledger records: UTC, without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)
