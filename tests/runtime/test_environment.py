"""What Zoolens runs on, in words."""

from importlib.metadata import version
from pathlib import Path

import pytest

from zoolens.catalog.runtime import environment


def test_the_versions_are_those_that_run() -> None:
    told = environment.versions()
    assert told["zoolens"].startswith(f"{version('zoolens')} (a ")
    assert environment.packages()["duckdb"] == version("duckdb")


class _Asked:
    """A distribution that asks for what is not there."""

    requires = ("pytest>=99", "no-such-thing", 'no-such-extra>=2; extra == "odd"', "zoolens[odd]")


def test_what_is_missing_or_too_old_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "distribution", lambda _: _Asked)
    assert environment.packages() == {
        "no-such-extra": "not installed (extra odd)",
        "no-such-thing": "missing",
        "pytest": f"{version('pytest')}, but >=99 is asked for",
    }


def test_variables_are_told_but_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOOLENS_TOKEN", "secret")
    monkeypatch.setenv("ZOOLENS_CATALOG", "a.duckdb")
    told = environment.machine()
    assert told["ZOOLENS_CATALOG"] == "a.duckdb"
    assert "secret" not in told.values()


def test_of_mounted_file_systems_the_nearest_and_newest_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mounts"
    listed = {"/": "ext4", f"{tmp_path}x": "xfs"}, {tmp_path: "nfs4"}, {tmp_path: "tmpfs"}
    mounts.write_text(
        "".join(f"on {at} {kind} rw 0 0\n" for some in listed for at, kind in some.items())
    )
    monkeypatch.setattr(environment, "_MOUNTS", mounts)
    assert environment.disk(tmp_path).endswith("GiB free, tmpfs")
    assert environment.disk(Path("/")).partition(" free, ")[2].startswith("ext4")
