"""Small images, and the files and folders they come in."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image


def picture(seed: int = 0, kind: str = "PNG", side: int = 24) -> bytes:
    """An encoded RGB image of noise; another one for each seed."""
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def folder(path: Path, contents: Mapping[str, bytes]) -> Path:
    """A folder of files by relative name."""
    path.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def tar(path: Path, contents: Mapping[str, bytes]) -> Path:
    """A tar file of members by name."""
    with tarfile.open(path, "w") as archive:
        for name, data in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path
