"""The quick tests under every supported Python that this machine has: `make test-pythons`.

Each has an environment of its own in `build/pythons`, with what the present one is set up with.
A Python that is not here is said to be missing, and passed over.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / "build" / "pythons"
_ASKED = [ROOT / "pyproject.toml", ROOT / "constraints.txt"]
_CLASSIFIER = "Programming Language :: Python :: 3."
_UV = [sys.executable, "-m", "uv"]


def supported() -> list[str]:
    """Versions of Python as pyproject.toml says them, such as 3.12."""
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    return [line.rpartition(" ")[2] for line in classifiers if line.startswith(_CLASSIFIER)]


def interpreter(version: str) -> Path | None:
    """A Python of this version, one of pyenv's too; None if there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    places = [*map(str, sorted(pyenv.glob(f"{version}.*/bin"))), os.environ["PATH"]]
    found = subprocess.run(
        [*_UV, "python", "find", "--no-project", "--system", "--no-python-downloads", version],
        env=os.environ | {"PATH": os.pathsep.join(places)},
        capture_output=True,
        text=True,
        check=False,
    )
    return Path(found.stdout.strip()) if found.returncode == 0 else None


def environment(version: str, python: Path) -> Path:
    """The Python of an environment with all that tests need, made anew if that has changed."""
    place = ENVIRONMENTS / version
    done, inside = place / "installed", place / "bin" / "python"
    if not done.is_file() or any(done.stat().st_mtime < file.stat().st_mtime for file in _ASKED):
        make = ["venv", "--quiet", "--clear", f"--python={python}", str(place)]
        subprocess.run([*_UV, *make], check=True)
        groups = [f"--group={name}" for name in ("dev", "docs", "notebooks")]
        install = ["pip", "install", "--quiet", "--compile-bytecode", f"--python={inside}"]
        wanted = ["--constraint=constraints.txt", *groups, "--editable", ".[all]"]
        subprocess.run([*_UV, *install, *wanted], cwd=ROOT, check=True)
        done.touch()
    return inside


def main() -> int:
    """0 if the tests passed under every Python that was found, and one was."""
    results = {}
    for version in supported():
        python = interpreter(version)
        if python is None:
            results[version] = "not tested: there is no such Python here"
            continue
        pytest = [str(environment(version, python)), "-m", "pytest", "-q", "-n", "2"]
        chosen = ["-m", "not slow and not published", "-p", "no:cacheprovider", *sys.argv[1:]]
        failed = subprocess.run([*pytest, *chosen], cwd=ROOT, check=False).returncode
        results[version] = "FAILED" if failed else "passed"
    for version, result in results.items():
        print(f"Python {version}: {result}")
    return int("FAILED" in results.values() or "passed" not in results.values())


if __name__ == "__main__":
    sys.exit(main())
