"""Part files that nobody computed are taken for missing, and touch nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.made.job_arrays import MASKED, World, rows
from tests.made.job_arrays import world as world
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.parts.files import part_files, read_part, write_part
from zoolens.catalog.store.store import Store
from zoolens.jobs import predict
from zoolens.jobs.adopt_parts import PartsMissing, adopt_parts
from zoolens.jobs.compute import compute

pytestmark = pytest.mark.slow

Tables = dict[str, pa.Table]


def _votes(tables: Tables) -> Tables:
    return {**tables, "vote": pa.table({"galaxy_id": [0], "answer_id": [0], "count": [9]})}


def _unknown_table(tables: Tables) -> Tables:
    return {**tables, "sqlite_master": pa.table({"galaxy_id": [0]})}


def _of_others(tables: Tables) -> Tables:
    found = tables["posterior"]
    ids = pa.array([9] * len(found), pa.int64())
    return {**tables, "posterior": found.set_column(0, "galaxy_id", ids)}


def _column(name: str, value: Any) -> Callable[[Tables], Tables]:
    def change(tables: Tables) -> Tables:
        found = tables["prediction"]
        at = found.column_names.index(name)
        values = pa.array([value] * len(found), found.schema.field(name).type)
        return {**tables, "prediction": found.set_column(at, name, values)}

    return change


def _less(tables: Tables) -> Tables:
    return {**tables, "prediction": tables["prediction"].drop_columns(["fraction"])}


def _once_more(table: str) -> Callable[[Tables], Tables]:
    return lambda tables: {**tables, table: pa.concat_tables([tables[table]] * 2)}


def _one_answer_less(tables: Tables) -> Tables:
    return {**tables, "prediction": tables["prediction"].slice(1)}


@pytest.mark.parametrize(
    "change",
    [
        *(_once_more("prediction"), _once_more("posterior"), _one_answer_less),
        *(_votes, _unknown_table, _of_others, _less),
        *(_column("answer_id", 34), _column("answer_id", -1), _column("answer_id", None)),
    ],
)
def test_rows_that_no_run_has_are_refused(
    world: World, tmp_path: Path, change: Callable[[Tables], Tables]
) -> None:
    catalog, folder = world.copy(tmp_path), tmp_path / "parts"
    folder.mkdir()
    predict.plan(catalog, folder, world.model, MASKED)
    compute("predict", folder, 1, 1, lambda _: None)
    file = part_files(folder)[1]
    content = read_part(file)
    galaxies = [
        Galaxy(one["galaxy_id"], one["iauname"], "", None, one["sha256"])
        for one in content.galaxies.to_pylist()
    ]
    write_part(file, content.facts, galaxies, change(content.tables))
    with pytest.raises(PartsMissing, match=f"damaged: {file.name}"):
        adopt_parts(catalog, folder)
    assert len(rows(catalog)["posterior"]) == 6
    with Store.open(catalog, read_only=True) as store:
        assert store.value("SELECT count(*) FROM vote WHERE count = 9 AND run_id > 2") == 0
