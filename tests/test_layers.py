"""The house rules that a machine can check."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted([*ROOT.glob("catalog/*.py"), *ROOT.glob("jobs/*.py"), ROOT / "cli.py"])
STORELESS = ("torch", "faiss", "pytorch_grad_cam", "timm")


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_imports_run_from_the_command_line_to_the_catalogue(path: Path) -> None:
    imported = {name.split(".")[0] for name in _imports(path)}
    layer = path.parent.name
    if layer == "catalog":
        assert not imported & {"jobs", "cli"}
    if layer == "jobs":
        assert not imported & {"jobs", "cli"}, "jobs meet in the store"
    assert "tests" not in imported


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_computes_with_tensors_never_sees_the_store(path: Path) -> None:
    imported = _imports(path)
    if path.parent.name == "catalog" and any(name.split(".")[0] in STORELESS for name in imported):
        assert not any(name.startswith(("catalog.store", "duckdb")) for name in imported)


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
    from catalog.store import Store

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
