"""A catalogue with images and maps, and galaxies that lack the one or the other."""

from pathlib import Path

import pytest

from tests.made.galleries import gallery_catalogue


@pytest.fixture(scope="session")
def pictured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Galaxy 3 has no map, 5 no image, 4 neither; names are hostile."""
    return gallery_catalogue(tmp_path_factory.mktemp("pictured"))
