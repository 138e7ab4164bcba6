"""What others install: one package `zoolens` that needs no checkout, wherever it is used."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HOUSES = ("catalog", "commands", "jobs", "migrations", "models")

pytestmark = [pytest.mark.slow, pytest.mark.published]


def run(*command: str | Path, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "ZOOLENS"))}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("built")
    source = folder / "source"
    source.mkdir()
    # apart, for a build leaves things behind; links as links, as a clone has them
    for name in ("zoolens", *HOUSES, "cli.py", "packaging", "pyproject.toml", "MANIFEST.in"):
        if (ROOT / name).is_dir():
            unwanted = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=unwanted)
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, source)
    shutil.copy(ROOT / "LICENSE", source)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, source, cwd=folder)
    (sdist,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    return sdist, wheel


def _files() -> set[str]:
    """All that the package is to hold, by its path below the folder that it is found in."""
    found = set()
    for folder, _, names in os.walk(ROOT / "zoolens", followlinks=True):
        place = Path(folder).relative_to(ROOT)
        found |= {str(place / name) for name in names if "__pycache__" not in folder}
    return found


def test_the_sdist_holds_every_file_as_a_file(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as archive:
        members = [member for member in archive.getmembers() if not member.isdir()]
    assert all(member.isreg() for member in members)
    names = {member.name.split("/", 1)[1] for member in members}
    assert {name for name in names if name.startswith("zoolens/")} == _files()
    assert not any(name.startswith("tests/") for name in names)


def test_the_wheel_holds_every_file_and_one_package(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[1]) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert names == _files()
        # it is built from the sdist, which so loses nothing on the way
        assert [name for name in names if archive.read(name) != (ROOT / name).read_bytes()] == []
    for named in (
        "catalog/output/templates/gallery.html.jinja",
        "migrations/script.py.mako",
        "migrations/versions/0001_first_schema.py",
        "models/gzd5-simulated.md",
        "models/gzd5-simulated.safetensors",
        "models/models.toml",
        "py.typed",
    ):
        assert f"zoolens/{named}" in names


def test_those_who_take_packages_would_take_them(built: tuple[Path, Path]) -> None:
    programs = Path(sys.executable).parent
    run(programs / "twine", "check", "--strict", *built, cwd=built[0].parent)
    # it looks for its settings below the current folder
    run(programs / "check-wheel-contents", built[1], cwd=ROOT)


@pytest.fixture(scope="module")
def installed(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment with the wheel and, beside it, what it needs."""
    place = tmp_path_factory.mktemp("installed")
    venv.create(place, symlinks=True)
    (site,) = place.glob("lib/python*/site-packages")
    before = {path.name for path in site.iterdir()}
    python = place / "bin" / "python"
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps"]
    run(*install, "--python", python, built[1], cwd=place)
    assert {path.name for path in site.iterdir()} - before == {
        "zoolens",
        built[1].name.removesuffix("-py3-none-any.whl") + ".dist-info",
    }
    # a line of a .pth is a place to look in; the links to the checkout in there go unread
    (site / "needed.pth").write_text(sysconfig.get_paths()["purelib"])
    return place / "bin"


_SHORT = """
import sys
from zoolens.catalog.evaluation import faithfulness, of_maps
from zoolens.catalog.output import figures
from zoolens.jobs import demo
faithfulness.SHARES, of_maps.DRAWS = (0.5,), 1
demo._MAPS, demo._TYPICAL, demo._GALLERY = 2, 1, 1
figures.DPI, figures.STYLE["pdf.fonttype"] = 40, 3
from zoolens.__main__ import main
main()
"""


@pytest.mark.timeout(900)  # it is the whole way
def test_the_demo_runs_in_an_environment_of_its_own(
    built: tuple[Path, Path], tmp_path: Path
) -> None:
    """With what the package asks for and no more, as `make setup` has it on this machine."""
    place, empty = tmp_path / "own", tmp_path / "empty"
    empty.mkdir()
    venv.create(place, symlinks=True)
    python = place / "bin" / "python"
    run(
        *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python),
        *("--constraint", ROOT / "constraints.txt"),
        f"zoolens[simulate] @ {built[1].as_uri()}",
        cwd=empty,
    )
    run(python, "-c", _SHORT, "demo", "--galaxies", "10", "--quiet", cwd=empty)
    assert {path.name for path in empty.iterdir()} == {"zoolens-demo"}
    assert {"index.html", "gz.duckdb", "release"} <= {
        path.name for path in (empty / "zoolens-demo").iterdir()
    }
    run(place / "bin" / "zoolens", "release", "verify", "zoolens-demo/release", cwd=empty)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of somebody whose own modules are called as our houses are."""
    folder = tmp_path_factory.mktemp("elsewhere")
    for name in (*HOUSES, "cli"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("raise ImportError('mine, and not yours')\n")
    (folder / "votes.csv").write_text(
        "iauname,ra,dec,smooth-or-featured_smooth,smooth-or-featured_featured-or-disk,"
        "smooth-or-featured_artifact,smooth-or-featured_total-votes\n"
        "J1,1.5,2.5,3,4,1,8\nJ2,3.5,4.5,5,5,0,10\n"
    )
    return folder


def test_it_is_what_is_imported_elsewhere(installed: Path, elsewhere: Path) -> None:
    script = "import zoolens; print(zoolens.__file__); zoolens.open; print(zoolens.__version__)"
    place, version = run(installed / "python", "-c", script, cwd=elsewhere).split()
    assert Path(place).is_relative_to(installed.parent)
    assert version[0].isdigit()


def test_its_commands_run_elsewhere(installed: Path, elsewhere: Path) -> None:
    told = run(installed / "zoolens", "--help", cwd=elsewhere)
    assert "ingest" in told
    assert (
        run(installed / "python", "-m", "zoolens", "--help", cwd=elsewhere).splitlines()[3:]
        == told.splitlines()[3:]
    )


def test_it_makes_and_opens_a_catalogue_elsewhere(installed: Path, elsewhere: Path) -> None:
    run(installed / "zoolens", "ingest", "votes.csv", "--tree", "gzd5", cwd=elsewhere)
    counted = run(
        installed / "zoolens",
        *("sql", "SELECT count(*) AS n FROM galaxies", "--format", "csv"),
        cwd=elsewhere,
    )
    assert counted == "n\n2\n"
    script = "import zoolens; print(len(zoolens.open('gz.duckdb').sql('SELECT * FROM votes')))"
    assert run(installed / "python", "-c", script, cwd=elsewhere) == f"{2 * 34}\n"


def test_its_models_are_there_by_name_elsewhere(installed: Path, elsewhere: Path) -> None:
    script = (
        "from zoolens.catalog.network.bundled import bundled_models, located\n"
        "for model in bundled_models():\n    print(located(model.name), model.card.is_file())"
    )
    told = run(installed / "python", "-c", script, cwd=elsewhere).splitlines()
    for line in told:
        place, card = line.split()
        assert Path(place).is_relative_to(installed.parent)
        assert card == "True"
    listed = run(installed / "zoolens", "models", "--format", "csv", cwd=elsewhere)
    assert len(listed.splitlines()) == 1 + len(told) > 1


def test_a_checkout_has_its_command_line(tmp_path: Path) -> None:
    for where, command in ((ROOT, "cli.py"), (tmp_path, str(ROOT / "cli.py"))):
        assert "ingest" in run(sys.executable, command, "--help", cwd=where)
