"""What the command line may load: import-linter cannot tell when an import happens."""

import subprocess
import sys
from pathlib import Path

import pytest

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
