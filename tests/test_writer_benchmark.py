"""The writer that is timed commits what lay ready, once and in order."""

from pathlib import Path

import pyarrow as pa
import pytest

from benchmarks import writer
from zoolens.catalog.store.store import Store
from zoolens.jobs.verify import verify

pytestmark = pytest.mark.slow  # with what they load


@pytest.mark.parametrize("job", writer.JOBS)
def test_ready_parts_are_taken_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: str
) -> None:
    monkeypatch.setattr(writer, "_OWN", 2)
    monkeypatch.setattr(writer, "SAMPLES", 2)
    catalog, made, parts = (tmp_path / name for name in ("gz.duckdb", "made", "parts"))
    made.mkdir()
    parts.mkdir()
    writer.add_galaxies(catalog, 768)
    assert verify(catalog).errors == 0
    writer.write_parts(job, catalog, made)
    assert sorted(file.name for file in made.iterdir()) == ["0", "1"]
    assert writer.take_in(job, catalog, made, parts) == 768
    assert not [*parts.iterdir()]
    with Store.open(catalog) as store:
        (run,) = store.complete_runs(job)
        first, second = (
            writer.random_rows(job, range(256 * n + 1, 256 * n + 257), n) for n in (0, 1)
        )
        own = [first, second, first]  # the third file is the first again
        for name in first:
            rows = store.rows_made(run, name).drop_columns("run_id")
            assert rows == pa.concat_tables([part[name] for part in own]).select(rows.schema.names)
