"""Who computes, as commands say it."""

from pathlib import Path

import pytest

from zoolens.catalog.errors import CatalogError
from zoolens.jobs.elsewhere import elsewhere, writing_elsewhere


def test_without_a_cluster_all_is_done_here(tmp_path: Path) -> None:
    with elsewhere(None, tmp_path / "gz.duckdb") as through:
        assert through is None
    assert writing_elsewhere(None) is None


def test_the_folder_is_beside_the_catalogue_unless_named(tmp_path: Path) -> None:
    for parts, folder in ((None, tmp_path / "gz.duckdb.parts"), (tmp_path / "p", tmp_path / "p")):
        with elsewhere("local:1", tmp_path / "gz.duckdb", parts) as through:  # not yet started
            assert through is not None
            assert through.folder == folder
            assert folder.is_dir()
        assert not folder.exists()


def test_what_makes_no_sense_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="say how many"):
        writing_elsewhere("local")
    refused = pytest.raises(CatalogError, match="say how many")
    with refused, elsewhere("local", tmp_path / "gz.duckdb"):
        pass
    assert not any(tmp_path.iterdir())
