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


@pytest.mark.parametrize("kind", ["csv", "fits", "parquet"])
@pytest.mark.slow
def test_ingest_without_a_model_loads_no_torch(tmp_path: Path, kind: str) -> None:
    from tests.made.images import picture
    from zoolens.catalog.trees.published import get_tree

    labels = get_tree("gzd5").labels
    names = ["J1", "J2", "J3"]
    columns: dict[str, Any] = {"iauname": names} | {label: [1, 2, 3] for label in labels}
    predicted: dict[str, Any] = {"iauname": names} | {f"{n}_fraction": [0.1] * 3 for n in labels}
    for name, content in (("votes", columns), ("predicted", predicted)):
        table = pa.table(content)
        if kind == "csv":
            csv.write_csv(table, tmp_path / f"{name}.csv")
        elif kind == "parquet":
            parquet.write_table(table, tmp_path / f"{name}.parquet")
        else:
            from astropy.table import Table

            Table(content).write(tmp_path / f"{name}.fits")
    (tmp_path / "images").mkdir()
    for i, name in enumerate(names):
        (tmp_path / "images" / f"{name}.png").write_bytes(picture(i))
    catalogue = ["--catalog", str(tmp_path / "gz.duckdb")]
    votes, predictions = (str(tmp_path / f"{name}.{kind}") for name in ("votes", "predicted"))
    images = str(tmp_path / "images")
    given = ["--images", images, "--predictions", predictions]
    heavy = {"torch", "wandb", "timm", "zoobot", "lightning", "torchvision"}
    commands = [["ingest", votes, *given], ["score"], ["status"], ["verify", "--images"]]
    commands += [["worst"], ["similar", "J1"], ["histogram", "--suggest"]]
    commands += [["release", str(tmp_path / "out"), "--version", "1"]]
    assert loaded(heavy, *([*command, *catalogue] for command in commands)) == []


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
