"""The guide's commands for releases and selections, on real votes and images."""

import os
import re
import shlex
import subprocess
from contextlib import chdir
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table

from tests.made.release_tables import needs_stilts
from tests.made.terminal import zoolens

GUIDE = Path(__file__).resolve().parent.parent / "docs" / "guide"

pytestmark = pytest.mark.slow


def told(folder: Path, command: str) -> str:
    words = shlex.split(command, comments=True)
    assert words[0] == "zoolens"
    with chdir(folder):
        done = zoolens(*words[1:])
    assert done.exit_code == 0, f"{command}: {done.stderr}"
    return done.stdout


def commands(document: str) -> list[str]:
    """The commands of a document, comments and line ends gone."""
    text = (GUIDE / document).read_text()
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.S)).replace("\\\n", " ")
    return [line for line in blocks.splitlines() if line.startswith("zoolens ")]


@pytest.fixture(scope="module")
def folder(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the real data and its catalogue, in which the guide's release was cut."""
    folder = tmp_path_factory.mktemp("real")
    for file in data.iterdir():
        os.symlink(file, folder / file.name)
    told(
        folder,
        "zoolens ingest gzd_smooth_votes.csv --tree gzd5 --images images "
        "--predictions decals_automated_fractions.csv --quiet",
    )
    cut, *rest = commands("releases.md")
    assert told(folder, cut).splitlines() == ["smooth-1.0"]
    told(folder, "zoolens release smooth-1.1 --version 1.1 --where 'rank <= 20'")
    for command in rest:
        if "posteriors" not in command:  # plain fractions have none
            told(folder, command)
    return folder


def test_programs_that_are_not_ours_open_it(folder: Path) -> None:
    cut = folder / "smooth-1.0"
    galaxies = pd.read_parquet(cut / "galaxies.parquet")
    assert len(galaxies) == 5882
    found = duckdb.sql(f"SELECT count(*), sum(ra) FROM '{cut}/galaxies.parquet'").fetchone()
    assert found == (5882, pytest.approx(galaxies["ra"].sum()))
    with_units = Table.read(cut / "galaxies.parquet", format="parquet.votable")
    assert str(with_units["dec"].unit) == "deg"
    for name in ("galaxies.fits", "galaxies.vot"):
        table = Table.read(cut / name)
        np.testing.assert_array_equal(table["ra"], galaxies["ra"])
    images = re.findall(r'src="(images/[^"]+)"', (cut / "gallery/index.html").read_text())
    assert len(images) >= 39
    assert all((cut / "gallery" / name).is_file() for name in images)


@needs_stilts
def test_stilts_reads_values_units_and_descriptions(folder: Path) -> None:
    galaxies = pd.read_parquet(folder / "smooth-1.0/galaxies.parquet")

    def stilts(name: str, *filters: str) -> pd.DataFrame:
        file = folder / "smooth-1.0" / name
        given = [f"cmd={one}" for one in filters]
        command = ["stilts", "tpipe", f"in={file}", *given, "ofmt=csv", f"out={folder / 'o.csv'}"]
        subprocess.run(command, check=True, capture_output=True)
        return pd.read_csv(folder / "o.csv")

    for name in ("galaxies.fits", "galaxies.vot"):
        shown = stilts(name, "keepcols '1 2 3 4 5 6'")
        np.testing.assert_array_equal(shown["ra"], galaxies["ra"])
        np.testing.assert_array_equal(shown["rank"], galaxies["rank"])
        said = stilts(name, "meta").set_index("Name").T.to_dict()
        assert said["ra"]["Units"] == "deg"
        assert said["dec"]["UCD"] == "pos.eq.dec;meta.main"
        assert said["iauname"]["Description"] == "name of the galaxy, J2000"


def test_lsdb_searches_a_cone(folder: Path) -> None:
    from lsdb import open_catalog  # type: ignore[attr-defined]  # not in its __all__

    galaxies = pd.read_parquet(folder / "smooth-1.0/galaxies.parquet")
    centre = SkyCoord(163.5, 0.56, unit="deg")
    near = SkyCoord(galaxies["ra"], galaxies["dec"], unit="deg").separation(centre).deg < 1
    catalogue: Any = open_catalog(folder / "smooth-1.0/hats")
    found = catalogue.cone_search(163.5, 0.56, radius_arcsec=3600).compute()
    assert near.sum() > 20
    assert sorted(found["iauname"]) == sorted(galaxies["iauname"][near])
    pd.testing.assert_series_equal(
        found.set_index("iauname")["dec"].sort_index(),
        galaxies[near].set_index("iauname")["dec"].sort_index(),
        check_dtype=False,
        check_index_type=False,
    )


def test_the_difference_is_what_the_condition_left_out(folder: Path) -> None:
    changes = pd.read_csv(folder / "changes.csv")
    assert (changes["change"] == "removed").sum() == 5882 - 20
    assert set(changes["change"]) == {"removed"}
    assert "iauname" in told(folder, "zoolens release diff smooth-1.0 smooth-1.1")


def test_select_needs_mutual_information_or_losses(folder: Path) -> None:
    (command,) = commands("more-votes.md")
    words = command.replace("-n 500 --quota bar=100 --max-votes 20", "-n 5 --by loss")
    assert told(folder, words).strip() == "more-votes/manifest.csv"
    rows = pd.read_csv(folder / "more-votes/manifest.csv")
    assert len(rows) == 5
    assert all((folder / "more-votes" / name).is_file() for name in rows["#image"])
