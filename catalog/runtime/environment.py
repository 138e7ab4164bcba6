"""What Zoolens runs on: versions of packages, the machine, its disks."""

import json
import os
import platform
import shutil
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path

from packaging.requirements import Requirement

_MOUNTS = Path("/proc/self/mounts")
# Variables that change what Zoolens does, or how fast.
_VARIABLES = ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "HF_HUB_OFFLINE", "PYTHONPATH")
GIB = 1 << 30


def versions() -> dict[str, str]:
    """Zoolens, with how it was installed, and Python."""
    ours = distribution("zoolens")
    return {
        "zoolens": f"{ours.version} ({_installed(ours)})",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def _installed(ours: Distribution) -> str:
    """Whether as a package or as a link to a clone, and by which program."""
    told = json.loads(ours.read_text("direct_url.json") or "{}")
    way = "a clone" if told.get("dir_info", {}).get("editable") else "a package"
    by = (ours.read_text("INSTALLER") or "").strip()
    return f"{way}, by {by}" if by else way


def packages() -> dict[str, str]:
    """What Zoolens asks for, by name: the version, and what is wrong with it.

    What comes with an extra says which if it is not installed.
    """
    found = {}
    for line in distribution("zoolens").requires or ():
        asked = Requirement(line)
        if asked.name != "zoolens":  # the extra of all extras
            found[asked.name] = _package(asked)
    return dict(sorted(found.items()))


def _package(asked: Requirement) -> str:
    try:
        there = version(asked.name)
    except PackageNotFoundError:
        if asked.marker is None:
            return "missing"
        extra = str(asked.marker).split('"')[1]
        return f"not installed (extra {extra})"
    if asked.specifier.contains(there, prereleases=True):
        return there
    return f"{there}, but {asked.specifier} is asked for"


def memory_of_machine() -> int:
    """Bytes of memory."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def machine() -> dict[str, str]:
    """System, processors, memory, and the variables that matter to Zoolens."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found = {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()) or "not known",
        "processors": f"{cores} of {os.cpu_count()}",
        "memory": f"{memory_of_machine() / GIB:.1f} GiB",
    }
    return found | {
        name: value
        for name, value in sorted(os.environ.items())
        if name in _VARIABLES or (name.startswith("ZOOLENS_") and "TOKEN" not in name)
    }


def disk(folder: Path) -> str:
    """How much of the disk of a folder is free, and its file system."""
    usage = shutil.disk_usage(folder)
    free = f"{usage.free / GIB:.1f} of {usage.total / GIB:.1f} GiB free"
    kind = _file_system(folder)
    writable = "" if os.access(folder, os.W_OK) else ", not writable"
    return f"{free}, {kind}{writable}" if kind else f"{free}{writable}"


def _file_system(folder: Path) -> str | None:
    """The kind of file system a folder is on, such as `ext4` or `nfs4`; None if not known."""
    try:
        lines = _MOUNTS.read_text().splitlines()
    except OSError:
        return None
    above = {str(one) for one in (folder.resolve(), *folder.resolve().parents)}
    mounted = [(point, kind) for _, point, kind, *_ in map(str.split, lines) if point in above]
    # of two at one place the later one covers the earlier
    return max(enumerate(mounted), key=lambda m: (len(m[1][0]), m[0]))[1][1] if mounted else None
