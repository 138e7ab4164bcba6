from pathlib import Path

from zoolens.catalog.release.checking import faults_of, is_release


def test_a_release_is_told_from_another_folder(full_cut: Path, tmp_path: Path) -> None:
    assert is_release(full_cut)
    assert not is_release(tmp_path)
    assert not is_release(full_cut / "README.md")
    assert faults_of(full_cut)[0] == []
