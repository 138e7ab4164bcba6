"""Hostile models and weights: checkpoints that lie or would run something, and lists of factors.

A model is loaded as its file says, or refused in one line; nothing in it is ever run.
"""

import io
import json
import os
import pickle
import struct
import zipfile
from collections import defaultdict
from functools import partial
from pathlib import Path, PosixPath
from random import Random

from reliability.cases import Case, Job, Outcome, Verdict, failed
from reliability.mutations import CELLS, spoil_bytes
from reliability.world import World

_RUN = "ran.txt"  # what a hostile pickle would make
_NUMBERS: tuple[object, ...] = (
    0,
    -1,
    0.5,
    1,
    1.5,
    2**31,
    2**63,
    10**400,
    float("nan"),
    None,
    "x",
    [],
    {},
    True,
)


class _Runs:
    """Pickled, it asks whoever loads it to make a file."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.made = function, arguments

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.made


def small_models(_: World, folder: Path) -> None:
    """A checkpoint as Lightning saves it, and the same as safetensors."""
    from tests.made.checkpoints import save_safetensors, save_zoobot_tree

    save_zoobot_tree(folder / "model.ckpt", architecture="resnet10t")
    save_safetensors(folder / "model.safetensors", half=True, architecture="resnet10t")


def _safetensors(data: bytes, chance: Random) -> bytes:
    """The file with another header, or wrong bytes in it."""
    (size,) = struct.unpack("<Q", data[:8])
    if chance.random() < 0.4:
        return spoil_bytes(data, chance, first=chance.choice((8, 8 + size, None)))
    header = json.loads(data[8 : 8 + size])
    facts = json.loads(header["__metadata__"]["zoobot"])
    way = chance.randrange(5)
    if way == 0:
        facts[chance.choice([*facts])] = chance.choice(_NUMBERS)
    elif way == 1:
        facts.pop(chance.choice([*facts]))
    elif way == 2:
        facts["timm_kwargs"] = {chance.choice(("img_size", "evil", "drop_rate")): 10**9}
    elif way == 3:
        tensor = header[chance.choice([name for name in header if name != "__metadata__"])]
        tensor[chance.choice([*tensor])] = chance.choice(([0, 10**12], [-1], "F64", [2**63], []))
    else:
        pairs = facts["question_answer_pairs"]
        pairs[chance.choice([*pairs])] = chance.choice(([], ["_x"], None, ["\x00"], "abc"))
    header["__metadata__"]["zoobot"] = json.dumps(facts)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + size :]


def _checkpoint(data: bytes, chance: Random, folder: Path) -> bytes:
    """The archive with wrong bytes, another pickle, or records renamed, doubled or compressed."""
    way = chance.randrange(6)
    if way == 0:
        return spoil_bytes(data, chance, first=chance.choice((None, 100_000)))
    if way == 1:  # the directory of the archive is at its end
        return data[:-4096] + spoil_bytes(data[-4096:], chance)
    records = _records(data)
    name = next(each for each in records if each.endswith("data.pkl"))
    if way == 2:
        records[name] = spoil_bytes(records[name], chance)
    elif way == 3:
        records[name] = _hostile_pickle(chance, folder)
    elif way == 4:
        other = "".join(c.upper() if chance.random() < 0.5 else c for c in "data.pkl")
        records[f"{name.rpartition('/')[0]}/{other}"] = _hostile_pickle(chance, folder)
    else:
        gone = chance.choice([*records])
        records[f"{gone}{chance.choice(('', '.x', '/../y'))}"] = records.pop(gone)[: 10**4]
    packed = chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    return _archive(records, packed)


def _hostile_pickle(chance: Random, folder: Path) -> bytes:
    touch = f"touch {folder / _RUN}"
    asked = chance.choice(
        (
            _Runs(os.system, touch),
            _Runs(eval, f"__import__('os').system({touch!r})"),
            _Runs(bytearray, 10**11),
            _Runs(open, str(folder / _RUN), "w"),
            partial(os.system, touch),
            _Runs(PosixPath, _Runs(os.system, touch)),
            _Runs(defaultdict, _Runs(eval, f"__import__('os').system({touch!r})")),
        )
    )
    return pickle.dumps({"state_dict": asked, "hyper_parameters": {}}, chance.choice((0, 2, 4)))


def _records(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {record.filename: archive.read(record) for record in archive.infolist()}


def _archive(records: dict[str, bytes], packed: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packed) as archive:
        for name, data in records.items():
            archive.writestr(name, data)
    return file.getvalue()


def _model(case: Case, world: World, folder: Path) -> Verdict:
    from zoolens.catalog.network.model import load_model

    suffix = case.random.choice(("ckpt", "safetensors"))
    path = folder / f"model.{suffix}"
    data = (world.part("small models") / path.name).read_bytes()
    hostile = (
        _checkpoint(data, case.random, folder)
        if suffix == "ckpt"
        else _safetensors(data, case.random)
    )
    path.write_bytes(hostile)
    try:
        load_model(str(path))
    finally:
        ran = (folder / _RUN).exists()
    return failed("something in the file was run") if ran else Verdict(Outcome.HELD, "loaded")


def _weights(case: Case, world: World, folder: Path) -> Verdict:
    """A file of weights, as CSV or YAML; what is taken is finite and of known answers."""
    from zoolens.catalog.scoring.weights import read_weights
    from zoolens.catalog.trees.published import get_tree

    chance, tree = case.random, get_tree("gzd5")
    suffix = chance.choice(("csv", "yaml", "yml"))
    sign = "," if suffix == "csv" else ": "
    lines: list[list[object]] = [[label, 1 + i] for i, label in enumerate(tree.labels[:6])]
    for _ in range(chance.choice((0, 1, 3))):
        lines[chance.randrange(6)][chance.randrange(2)] = chance.choice(CELLS)
    head = "label,weight\n" if suffix == "csv" else ""
    text = head + "".join(f"{label}{sign}{weight}\n" for label, weight in lines)
    if suffix != "csv" and chance.random() < 0.2:
        text = chance.choice((_LAUGHS, "&a [*a, *a]", "!!python/object/apply:os.system [id]", "["))
    data = text.encode("utf-8", "surrogatepass")
    if chance.random() < 0.5:
        data = spoil_bytes(data, chance)
    path = folder / f"weights.{suffix}"
    path.write_bytes(data)
    array = read_weights(str(path), tree).array(tree)
    if array.shape != (len(tree.labels),) or not ((array >= 0) & (array <= 1e9)).all():
        return failed(f"weights {array}")
    return Verdict(Outcome.HELD, "read")


_LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


JOBS: dict[str, Job] = {
    "models": Job(_model, ("small models",), 1.5),
    "weights": Job(_weights, share=2, short=True),
}
