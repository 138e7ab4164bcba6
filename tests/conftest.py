"""What several test modules share: the real data and small real checkpoints."""

import importlib
import os
from collections.abc import Iterator
from pathlib import Path

# numbers must not depend on how many tests run beside this one
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "agg")
os.environ["HF_HUB_OFFLINE"] = "1"

import pytest
from hypothesis import settings

# the first example pays for imports and files; times say nothing here
settings.register_profile("zoolens", deadline=None)
settings.load_profile("zoolens")

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real Galaxy Zoo votes and images."""
    if not DATA.is_dir():
        pytest.skip(f"the real data is not at {DATA}")
    return DATA


@pytest.fixture(scope="session", autouse=True)
def coarse_figures() -> Iterator[None]:
    """Figures take long to write at the resolution of print, and with its fonts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zoolens.catalog.output.figures.DPI", 40)
        style = importlib.import_module("zoolens.catalog.output.figures").STYLE
        patch.setitem(style, "pdf.fonttype", 3)
        yield


@pytest.fixture
def undrawn_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are composed and their files are there, but empty: drawing takes longest.

    For tests that ask when and where there is a figure; others ask what is seen on it.
    """
    from matplotlib.figure import Figure
    from PIL import Image

    def write(_: Figure, file: Path, **options: object) -> None:
        if options["format"] == "png":
            Image.new("L", (1, 1)).save(file, "PNG")
        else:
            file.write_bytes(b"%PDF-1.4\n")

    monkeypatch.setattr(Figure, "savefig", write)


@pytest.fixture(scope="module")
def short_evaluation() -> Iterator[None]:
    """Few pixels are taken away, and weights drawn once: what is left of all topics."""
    from zoolens.catalog.evaluation import faithfulness, of_maps

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faithfulness, "SHARES", (0.3, 0.7))
        patch.setattr(of_maps, "DRAWS", 1)
        yield


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Lightning checkpoint of a GZD-5 ZoobotTree, EfficientNet-B0, random weights."""
    from tests.made.checkpoints import save_zoobot_tree

    return save_zoobot_tree(tmp_path_factory.mktemp("model") / "zoobot.ckpt")


@pytest.fixture(scope="session")
def full_gz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small catalogue with everything that a release can hold."""
    from tests.made.releases import full_catalogue

    return full_catalogue(tmp_path_factory.mktemp("full") / "gz.duckdb")


@pytest.fixture(scope="session")
def full_cut(full_gz: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of all of it, in all formats."""
    from tests.made.releases import EVERYTHING, TITLE
    from zoolens.jobs.release import release

    out = tmp_path_factory.mktemp("cut") / "toy-1.0"
    release(full_gz, out, TITLE, EVERYTHING)
    return out


@pytest.fixture(scope="session")
def full_survey(full_gz: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That catalogue cut into pieces of the sky: to be read, as it is."""
    from tests.made.surveys import cut
    from zoolens.catalog.survey.folder import Piece

    pieces = [*(Piece(0, pixel) for pixel in range(1, 12)), *(Piece(1, at) for at in range(4))]
    return cut(full_gz, tmp_path_factory.mktemp("survey") / "dr1", pieces)


@pytest.fixture(autouse=True)
def speaking() -> Iterator[None]:
    """A command that is quiet in this process leaves it so for no other test."""
    from zoolens.catalog.runtime.progress import set_quiet

    yield
    set_quiet(False)
