"""What a package would load besides can be left out, for that import alone."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

from zoolens.catalog.runtime.imports import without


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "heavy_thing.py").touch()
    (tmp_path / "user_of_it.py").write_text(
        "try:\n    import heavy_thing\nexcept ImportError:\n    heavy_thing = None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("heavy_thing", "user_of_it"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_it_is_absent_within_and_there_afterwards(folder: Path) -> None:
    with without("heavy_thing"), without("heavy_thing"):
        user = import_module("user_of_it")
    assert user.heavy_thing is None
    assert import_module("heavy_thing") is sys.modules["heavy_thing"]


def test_what_is_loaded_already_stays(folder: Path) -> None:
    heavy = import_module("heavy_thing")
    with without("heavy_thing"):
        user = import_module("user_of_it")
    assert user.heavy_thing is heavy


def test_an_error_leaves_nothing_behind(folder: Path) -> None:
    with pytest.raises(ImportError), without("heavy_thing"):
        import_module("heavy_thing")
    assert "heavy_thing" not in sys.modules
