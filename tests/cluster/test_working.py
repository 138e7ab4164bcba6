"""A worker's answers, without a cluster."""

import errno
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from zoolens.catalog.cluster.working import (
    BROKEN,
    DONE,
    FULL,
    PACKAGES,
    UNFIT,
    Answer,
    Needed,
    Task,
    answer,
    check,
    entrance,
    seen_files,
    surroundings,
)
from zoolens.catalog.errors import CatalogError, ModelRefused
from zoolens.catalog.store.store import code_version


def raising(error: Exception) -> object:
    raise error


def asked(function: object, item: object, code: str | None = None) -> Answer:
    packed = pickle.dumps(function), pickle.dumps(item)
    return answer("w", Task(code or code_version(), Needed(), *packed).packed())


def test_what_comes_of_a_part() -> None:
    assert asked(len, "four") == (DONE, "w", 4)
    assert asked(raising, ModelRefused("no model")) == (UNFIT, "w", "no model")
    assert asked(raising, OSError(errno.ENOSPC, "full")) == (FULL, "w", "full")
    assert asked(raising, OSError(errno.EDQUOT, "quota")) == (FULL, "w", "quota")
    assert asked(raising, OSError(errno.EIO, "odd")) == (BROKEN, "w", "OSError: [Errno 5] odd")
    assert asked(raising, MemoryError()) == (BROKEN, "w", "MemoryError:")
    kind, _, why = asked(len, "four", "0.0.1")
    assert kind == UNFIT
    assert "and 0.0.1 is meant" in why


def test_the_task_is_of_plain_types() -> None:
    packed = Task("1", Needed("m", "t", (("f", 1),)), b"f", b"i").packed()
    assert b"zoolens" not in packed
    assert pickle.loads(packed) == ("1", ("m", "t", (("f", 1),)), b"f", b"i")


def test_the_entrance_needs_no_zoolens_to_be_taken_in() -> None:
    cloudpickle = pytest.importorskip("cloudpickle")
    code = """
import pickle, sys
from unittest import mock
sys.modules["zoolens"] = None
attempt = pickle.loads(sys.stdin.buffer.read())
with mock.patch("distributed.get_worker"):
    print(attempt(b"")[0])
"""
    said = subprocess.run(
        [sys.executable, "-c", code],
        input=cloudpickle.dumps(entrance()),
        stdout=subprocess.PIPE,
        check=True,
    )
    assert said.stdout == b"unfit\n"


def test_files_are_looked_for_by_size(tmp_path: Path) -> None:
    image = tmp_path / "a.png"
    image.write_bytes(b"123")
    assert seen_files([str(image), str(tmp_path / "b.png")]) == ((str(image), 3),)
    check(code_version(), Needed(files=((str(image), 3),)))
    with pytest.raises(CatalogError, match=r"does not see the image .*a\.png"):
        check(code_version(), Needed(files=((str(image), 4),)))


def test_surroundings_name_what_computes() -> None:
    assert {*surroundings(None)} == {*PACKAGES}


_AGAIN = """
import resource, sys
import numpy as np
from zoolens.catalog.cluster.working import keep_memory
if sys.argv[1] == "kept":
    assert keep_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(200):
    np.ones(1 << 17)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="is about glibc")
def test_memory_is_kept_from_one_batch_to_the_next() -> None:
    """As Dask starts workers, pages of 1 MiB are made anew each time."""
    environment = os.environ | {"MALLOC_TRIM_THRESHOLD_": "65536"}
    faults = {
        how: int(subprocess.check_output([sys.executable, "-c", _AGAIN, how], env=environment))
        for how in ("given back", "kept")
    }
    assert faults["given back"] > 200 * 200
    assert faults["kept"] < faults["given back"] / 20
