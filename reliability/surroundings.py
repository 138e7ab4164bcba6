"""What a campaign ran on, kept beside its counts."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("astropy", "duckdb", "numpy", "pillow", "pyarrow", "torch")


def surroundings() -> dict[str, object]:
    """Commit and versions."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    packages = {package: version(package) for package in _PACKAGES}
    return {
        "commit": said.stdout.strip() or "unknown",
        "versions": {"python": platform.python_version(), **packages},
    }
