"""What few need is not asked of everybody, and is named where it is missing."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import zoolens
from tests.made.catalogues import catalogue, random_counts
from zoolens.catalog.cluster.asked import read_cluster
from zoolens.catalog.errors import NotInstalled
from zoolens.catalog.formats.hats import write_hats
from zoolens.catalog.formats.hats_check import check_hats
from zoolens.catalog.network.engines import choose_engine
from zoolens.catalog.release.provenance import Title
from zoolens.jobs.settings import Cut

PACKAGES = {
    "simulate": "galsim",
    "hats": "hats",
    "openvino": "openvino",
    "cluster": "distributed",
    "serve": "starlette",
    "notebook": "ipyaladin",
}
PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]


@pytest.fixture
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in PACKAGES.values():
        monkeypatch.setitem(sys.modules, package, None)


def test_extras_hold_what_messages_say() -> None:
    extras = PROJECT["optional-dependencies"]
    assert set(extras) == {*PACKAGES, "all"}
    for extra, package in PACKAGES.items():
        first = re.match(r"[\w-]+", extras[extra][0])
        assert first is not None
        assert first[0] == package
        assert not any(named.startswith(package) for named in PROJECT["dependencies"])
        assert extra in extras["all"][0]


@pytest.mark.usefixtures("_bare")
def test_what_is_missing_is_named_before_anything_is_done(tmp_path: Path) -> None:
    told = "the HATS format needs hats; install it with: pip install 'zoolens[hats]'"
    table = tmp_path / "t.parquet"
    pq.write_table(pa.table({"ra": [1.0], "dec": [2.0]}), table)
    path = catalogue(tmp_path / "gz.duckdb", random_counts(2))
    out = tmp_path / "out"
    with pytest.raises(NotInstalled, match=re.escape(told)):
        write_hats(table, out, name="n", created="", builder="")
    with pytest.raises(NotInstalled, match=re.escape(told)):
        zoolens.release(path, out, Title("A", "1.0"), Cut(formats=["hats"], counterparts=0))
    with pytest.raises(NotInstalled, match=re.escape(told)):
        check_hats(tmp_path)
    with pytest.raises(NotInstalled, match=r"sky needs galsim; .* 'zoolens\[simulate\]'"):
        zoolens.simulate(out, galaxies=2)
    with pytest.raises(NotInstalled, match=r"openvino needs openvino; .* 'zoolens\[openvino\]'"):
        choose_engine("openvino", 10_000)
    with pytest.raises(NotInstalled, match=r"cluster needs distributed; .* 'zoolens\[cluster\]'"):
        read_cluster("local:2")
    assert choose_engine("auto", 10_000) in ("torch", "cuda")
    assert not out.exists()


_IMPORT_ALL = f"""
import importlib, pkgutil, sys
for package in {[*PACKAGES.values()]!r}:
    sys.modules[package] = None
import zoolens
for found in pkgutil.walk_packages(zoolens.__path__, "zoolens."):
    # the service is all made of its extra, and is imported by its job alone
    served = found.name.startswith("zoolens.catalog.serve.")
    if found.name not in ("zoolens.__main__", "zoolens.migrations.env") and not served:
        importlib.import_module(found.name)
"""


@pytest.mark.slow
def test_every_module_loads_without_them() -> None:
    subprocess.run([sys.executable, "-c", _IMPORT_ALL], check=True)
