"""What the command line may load: import-linter cannot tell when an import happens."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("arguments", [["--help"], ["sql", "--help"], ["ingest", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys, runpy\n"
        f"sys.argv = ['zoolens', *{arguments!r}]\n"
        "try:\n    runpy.run_path('cli.py', run_name='__main__')\n"
        "except SystemExit:\n    pass\n"
        "heavy = {'torch', 'faiss', 'zoobot', 'timm', 'pandas', 'pyarrow', 'sqlalchemy',"
        " 'matplotlib', 'duckdb'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.slow
def test_ingest_without_a_model_loads_no_torch(tmp_path: Path) -> None:
    from astropy.table import Table

    from tests.made.images import picture
    from zoolens.catalog.trees.published import get_tree

    labels = get_tree("gzd5").labels
    names = ["J1", "J2", "J3"]
    columns: dict[str, Any] = {"iauname": names} | {label: [1, 2, 3] for label in labels}
    predicted: dict[str, Any] = {"iauname": names} | {f"{n}_fraction": [0.1] * 3 for n in labels}
    for name, content in (("votes", columns), ("predicted", predicted)):
        csv.write_csv(pa.table(content), tmp_path / f"{name}.csv")
        parquet.write_table(pa.table(content), tmp_path / f"{name}.parquet")
        Table(content).write(tmp_path / f"{name}.fits")
    images = tmp_path / "images"
    images.mkdir()
    for i, name in enumerate(names):
        (images / f"{name}.png").write_bytes(picture(i))
    given = ["--images", str(images)]
    of_each = [["score"], ["status"], ["verify", "--images"], ["worst"], ["similar", "J1"]]
    of_each.append(["histogram", "--suggest"])
    commands = []
    for kind in ("csv", "fits", "parquet"):
        catalogue = ["--catalog", str(tmp_path / f"{kind}.duckdb")]
        votes, predictions = (str(tmp_path / f"{name}.{kind}") for name in ("votes", "predicted"))
        commands.append(["ingest", votes, *given, "--predictions", predictions, *catalogue])
        commands += [[*command, *catalogue] for command in of_each]
        commands.append(["release", str(tmp_path / f"out-{kind}"), "--version", "1", *catalogue])
    assert loaded({"torch", "wandb", "timm", "zoobot", "lightning", "torchvision"}, *commands) == []


@pytest.mark.slow
def test_models_are_used_without_wandb(tmp_path: Path) -> None:
    """timm, lightning and zoobot load it where it is installed; it leaves folders."""
    (tmp_path / "wandb.py").write_text("open('wandb-was-here', 'w').close()\n")
    script = (
        "import os, sys\n"
        "import zoolens.jobs.explain, zoolens.jobs.train, zoolens.jobs.evaluate\n"
        "from zoolens.catalog.network.model import load_model\n"
        "from importlib.resources import files\n"
        "load_model(str(next(p for p in files('zoolens.models').iterdir()"
        " if p.name.endswith('.safetensors'))))\n"
        "assert 'wandb' not in sys.modules\n"
        "print(*os.listdir())\n"
        "import timm, wandb\n"  # a program of the user's own may have it
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        check=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert [name for name in done.stdout.split() if name != "__pycache__"] == ["wandb.py"]
    assert (tmp_path / "wandb-was-here").exists()


def loaded(heavy: set[str], *commands: list[str]) -> list[str]:
    """Which of some modules are loaded once a process has carried out some commands."""
    script = (
        "import sys, runpy\n"
        f"for command in {commands!r}:\n"
        "    sys.argv, code = ['zoolens', *command], None\n"
        "    try:\n        runpy.run_path('cli.py', run_name='__main__')\n"
        "    except SystemExit as end:\n        code = end.code\n"
        f"    print(code, *sorted({heavy!r} & set(sys.modules)), file=sys.stderr)\n"
        "    assert not code, command\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stderr.splitlines()[-1].split()[1:]


@pytest.mark.slow
def test_sql_loads_nothing_heavy(tmp_path: Path) -> None:
    from zoolens.catalog.store.store import Store

    with Store.open(tmp_path / "gz.duckdb", create=True):
        pass
    script = (
        "import sys, runpy\n"
        f"sys.argv = ['zoolens', 'sql', 'SELECT 1', '--catalog', {str(tmp_path / 'gz.duckdb')!r}]\n"
        "try:\n    runpy.run_path('cli.py', run_name='__main__')\n"
        "except SystemExit:\n    pass\n"
        "heavy = {'torch', 'faiss', 'zoobot', 'timm', 'pandas', 'pyarrow', 'sqlalchemy'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == "[]"
