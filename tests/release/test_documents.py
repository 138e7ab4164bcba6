"""What a release says of itself, read by programs that are not ours."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zoolens.catalog.formats.columns import column, meaning
from zoolens.catalog.release.documents import (
    Described,
    write_dictionary,
    write_readme,
)
from zoolens.catalog.release.provenance import Title


@pytest.mark.slow
def test_the_dictionary_is_that_of_the_files(full_cut: Path) -> None:
    said = (full_cut / "DICTIONARY.md").read_text()
    for file in [full_cut / "galaxies.parquet", *(full_cut / "tables").iterdir()]:
        part = said.split(f"## {file.stem}: ")[1].split("\n## ")[0]
        lines = [line for line in part.splitlines() if line.startswith("| `")]
        schema = pq.read_schema(file)
        assert [line.split("`")[1] for line in lines] == schema.names
        for line, field in zip(lines, schema, strict=True):
            assert meaning(field).description in line.replace("\\|", "|")


TITLE = Title("Pipes", "2")
_COLUMNS = pa.schema(
    [
        column("iauname", pa.string(), "name | of it", ucd="meta.id"),
        column("ra", pa.float64(), "where", unit="deg"),
        column("many", pa.list_(pa.list_(pa.float32())), "grids"),
        column("count", pa.int32(), "how many"),
    ]
)
TABLES = {"galaxies": Described("galaxy", 1234, _COLUMNS)}
FACTS: dict[str, Any] = {
    "formats": ["parquet", "csv"],
    "tree": "toy",
    "zoolens": "0.1",
    "date": "2026-01-02",
    "selection": {"where": "ra > 3", "min_votes": 5.0},
    "runs": [
        {
            "run_id": 7,
            "job": "ingest",
            "finished_at": "2026-01-01",
            "model_sha256": None,
            "config": {"votes_sha256": "ab" * 32},
        }
    ],
}


def test_a_dictionary_by_hand(tmp_path: Path) -> None:
    write_dictionary(
        tmp_path, TITLE, {"galaxies": Described("galaxy", 1, pa.schema([*_COLUMNS][:2]))}
    )
    assert (tmp_path / "DICTIONARY.md").read_text().splitlines() == [
        "# Columns of Pipes, version 2",
        "",
        "## galaxies: one row per galaxy",
        "",
        "| column | type | unit | UCD | what it holds |",
        "|---|---|---|---|---|",
        "| `iauname` | string |  | meta.id | name \\| of it |",
        "| `ra` | double | deg |  | where |",
    ]


def test_the_readme_says_what_is_there_and_no_more(tmp_path: Path) -> None:
    write_readme(tmp_path, TITLE, TABLES, FACTS)
    lines = (tmp_path / "README.md").read_text().splitlines()
    assert lines[0] == "# Pipes, version 2"
    assert lines[2].startswith("1,234 galaxies: Galaxy Zoo votes (tree toy)")
    assert (
        "; only those with `ra > 3`, and only those with a question asked of at least 5" in lines[2]
    )
    assert [line.split("`")[1] for line in lines if line.startswith("- `")] == [
        "galaxies.parquet",
        "galaxies.csv",
    ]
    assert f"| 7 | ingest | 2026-01-01 | SHA-256 {'ab' * 8}… |" in lines
    text = "\n".join(lines)
    assert not any(word in text for word in ("long tables", "gallery", "cubes", "zoolens ingest"))
    (tmp_path / "gallery").mkdir()
    (tmp_path / "cubes").mkdir()
    posteriors = Described("galaxy", 12, _COLUMNS)
    write_readme(tmp_path, TITLE, {**TABLES, "posteriors": posteriors}, FACTS)
    text = (tmp_path / "README.md").read_text()
    assert "| `tables/posteriors.parquet` | galaxy | 12 |" in text
    assert all(word in text for word in ("`gallery/index.html`", "`cubes/`", "zoolens ingest"))


def test_what_is_typed_is_no_markup(tmp_path: Path) -> None:
    title = Title("<b>A</b> & [B](C) | `d` _e_", "2")
    condition = "ra > 3 -- ``x`\n\n# y"
    facts = {**FACTS, "selection": {"where": condition, "min_votes": 0}}
    write_readme(tmp_path, title, TABLES, facts)
    heading, _, summary, *_ = (tmp_path / "README.md").read_text().splitlines()
    assert heading == r"# \<b\>A\</b\> \& \[B\](C) \| \`d\` \_e\_, version 2"
    assert "only those with ``` ra > 3 -- ``x` # y ```. Cut by" in summary
    write_dictionary(tmp_path, title, {})
    first = (tmp_path / "DICTIONARY.md").read_text().splitlines()[0]
    assert first == heading.replace("# ", "# Columns of ", 1)
