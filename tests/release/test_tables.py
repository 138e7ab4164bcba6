import shutil
from pathlib import Path

import pytest

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.release.tables import save_tables


@pytest.mark.parametrize("name", ["galaxies.fits", "tables/votes.parquet", "DICTIONARY.md"])
def test_a_release_at_fault_is_refused_in_one_line(
    full_cut: Path, tmp_path: Path, name: str
) -> None:
    cut = tmp_path / "cut"
    shutil.copytree(full_cut, cut)
    with (cut / name).open("ab") as file:
        file.write(b"x")
    with pytest.raises(CatalogError, match=f"is not as it was released: {name} .changed") as caught:
        save_tables(cut, tmp_path / "out.duckdb")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.duckdb").exists()


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="is no release"):
        save_tables(tmp_path, tmp_path / "out.duckdb")
