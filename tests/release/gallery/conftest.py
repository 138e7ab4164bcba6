"""The catalogue that galleries are made of, and its gallery."""

from pathlib import Path

import pytest

from tests.made.galleries import GALAXIES, UNEXPLAINED, UNSEEN, gallery_catalogue, write_page
from zoolens.catalog.release.gallery.page import GalleryReport


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gallery_catalogue(tmp_path_factory.mktemp("catalogue"))


@pytest.fixture(scope="session")
def page(path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page") / "gallery"
    report = write_page(path, folder)
    assert report == GalleryReport(GALAXIES, len(UNSEEN), len(UNEXPLAINED))
    return folder
