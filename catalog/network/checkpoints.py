"""Reading a model's file without executing anything in it.

Two kinds are read. A Lightning checkpoint (`.ckpt`) of Zoobot's `ZoobotTree`, or of its
`FinetuneableZoobotTree`, `…Classifier` or `…Regressor`. And safetensors: the same tensors by the
same names (`encoder.…`, `head.1.0.weight`, `head.1.0.bias`), of any float type, with one
metadata entry `zoobot`, the JSON of `ZoobotTree`'s own arguments
(`question_answer_pairs`, `architecture_name`, `dropout_rate`, `timm_kwargs`) and
perhaps `view`, the `catalog.images.view.View` that it was trained with.
"""

import json
import re
import reprlib
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.images.view import View
from zoolens.catalog.network.heads import Head, read_head
from zoolens.catalog.network.pickled import StandIns, opened, stand_ins
from zoolens.catalog.runtime.files import check_file, sha256_of


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds of a model: its tensors, and how to build the encoder they belong to.

    encoder: tensors by name in the timm encoder; head: the last layer, and what it predicts;
    architecture: timm name, None if the file does not say; settings: keyword arguments for
    timm; view: what it was trained to see, None if the file does not say; sha256: of the file.
    All tensors are finite and no larger than the file.
    """

    encoder: Mapping[str, torch.Tensor]
    head: Head
    dropout_rate: float
    architecture: str | None
    settings: Mapping[str, Any]
    view: View | None
    sha256: str


_LARGEST_PICKLE = 8 * 2**20  # bytes; Zoobot's are 0.1 MB
_LARGEST = 8 * 2**30  # bytes of a file; Zoobot's largest, with the state of its training, has 2.4
# The records of an archive that torch writes, below its one folder.
_RECORDS = re.compile(
    r"data\.pkl|data/(0|[1-9]\d*)|version|byteorder|\.format_version|\.storage_alignment"
    r"|\.data/serialization_id"
)

# Arguments for timm that a file may set; the others are ours (classes, channels, weights).
_SETTINGS: Mapping[str, Callable[[Any], bool]] = {
    "drop_rate": lambda value: _is_number(value) and 0 <= value < 1,
    "drop_path_rate": lambda value: _is_number(value) and 0 <= value < 1,
    "img_size": lambda value: type(value) is int and 16 <= value <= 2048,
    "global_pool": lambda value: value in ("avg", "max", "avgmax"),
}
_IGNORED_SETTINGS = {"pretrained", "num_classes", "in_chans"}


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; nothing in it is executed.

    Raises `ModelRefused` for a file that is absent, damaged, hostile, or holds
    something other than a Zoobot model.
    """
    check_file(path, "model", ModelRefused)
    try:
        if path.stat().st_size > _LARGEST:
            raise ModelRefused(f"it has more than {_LARGEST / 2**30:.0f} GiB")
        read = _read_safetensors if path.suffix == ".safetensors" else _read_lightning
        state, arguments, view = read(path)
        _check_tensors(state, path.stat().st_size)
        return _interpret(state, arguments, view, sha256_of(path))
    except Exception as error:  # a hostile file may raise anything, and the fault is the file's
        raise ModelRefused(f"{path} is no Zoobot model: {reason(error)}") from error


def reason(error: Exception) -> str:
    """The first line of an error, printable, at most 300 characters."""
    first = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
    text = f"no {first}" if isinstance(error, KeyError) else first
    return "".join(letter if letter.isprintable() else "?" for letter in text)


_Content = tuple[Mapping[str, Any], Mapping[str, Any], View | None]


def _read_lightning(path: Path) -> _Content:
    known = _check_archive(path)
    # memory-mapped: a storage that claims more than it has cannot go beyond the file's end
    with torch.serialization.safe_globals(known):
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    if not isinstance(content, dict):
        raise ModelRefused("it holds no dictionary, as Lightning saves one")
    return content["state_dict"], content["hyper_parameters"], None


def _read_safetensors(path: Path) -> _Content:
    import safetensors

    with safetensors.safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        if "zoobot" not in metadata:
            raise ModelRefused("its metadata has no entry `zoobot` that says what it predicts")
        arguments = json.loads(metadata["zoobot"])
        view = View.from_config(arguments["view"]) if "view" in arguments else None
        return {name: file.get_tensor(name) for name in file.keys()}, arguments, view  # noqa: SIM118


def _check_archive(path: Path) -> StandIns:
    """What stands in for the names in its pickle.

    Refuses an archive that could unpack to more than its size, or with a suspicious pickle.
    """
    if not zipfile.is_zipfile(path):
        raise ModelRefused("it is not the zip archive that Lightning saves, or it is truncated")
    with zipfile.ZipFile(path) as archive:
        records = archive.infolist()
        if any(record.compress_type != zipfile.ZIP_STORED for record in records):
            raise ModelRefused("it holds compressed records, which torch never writes")
        if sum(record.file_size for record in records) > path.stat().st_size:
            raise ModelRefused("its records claim more bytes than the file has")
        if any(record.compress_size != record.file_size for record in records):
            raise ModelRefused("its records are not as long as they say")
        return stand_ins(_checked_pickle(path, archive))


def _checked_pickle(path: Path, archive: zipfile.ZipFile) -> bytes:
    """The bytes that torch will unpickle; refuses records that it could take for others.

    torch's own reader does not tell `data.pkl` from `DATA.PKL`, and two readers of a zip
    archive may see two archives: so all names must be known, none may repeat, and both readers
    must give the same bytes.
    """
    names = [record.filename for record in archive.infolist()]
    folder = names[0].partition("/")[0] if names else ""
    records = [name.removeprefix(f"{folder}/") for name in names]
    for name, record in zip(names, records, strict=True):
        if name == record or not _RECORDS.fullmatch(record):
            raise ModelRefused(f"it holds {name!r:.80}, which torch never writes")
    if len(set(records)) < len(records) or "data.pkl" not in records:
        raise ModelRefused("it does not hold one data.pkl, and each record once")
    if archive.getinfo(f"{folder}/data.pkl").file_size > _LARGEST_PICKLE:
        raise ModelRefused(f"its data.pkl has more than {_LARGEST_PICKLE:,} bytes")
    data = archive.read(f"{folder}/data.pkl")
    seen = torch._C.PyTorchFileReader(str(path))
    if sorted(seen.get_all_records()) != sorted(records) or seen.get_record("data.pkl") != data:
        raise ModelRefused("it is one archive to torch and another to others")
    return data


def _check_tensors(state: Mapping[str, Any], file_size: int) -> None:
    total = 0
    for name, tensor in state.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            raise ModelRefused(f"{name!r} of its state is no tensor")
        total += tensor.numel() * tensor.element_size()
        if tensor.layout is not torch.strided or total > file_size:
            raise ModelRefused(f"tensor {name} claims more than the file holds")
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ModelRefused(f"tensor {name} holds NaN or infinity: the training diverged")


def _interpret(
    state: Mapping[str, torch.Tensor], arguments: Mapping[str, Any], view: View | None, sha256: str
) -> Checkpoint:
    head = read_head(state, arguments)
    rate = arguments.get("dropout_rate", arguments.get("head_dropout_prob"))
    if not _is_number(rate) or not 0 <= rate < 1:
        raise ModelRefused(f"its dropout rate is {reprlib.repr(rate)}, not within 0..1")
    return Checkpoint(
        encoder={
            name.removeprefix("encoder.").removeprefix("_orig_mod."): tensor
            for name, tensor in state.items()
            if name.startswith("encoder.")
        },
        head=head,
        dropout_rate=float(rate),
        architecture=_architecture(arguments),
        settings=_settings(opened(arguments.get("timm_kwargs")) or {}),
        view=view,
        sha256=sha256,
    )


def _architecture(arguments: Mapping[str, Any]) -> str | None:
    """The encoder's name: ZoobotTree's own, or the end of the published encoder's."""
    name = arguments.get("architecture_name") or arguments.get("name")
    if name is None:
        return None
    if not isinstance(name, str):
        raise ModelRefused(f"its encoder's name is {reprlib.repr(name)}, which is no text")
    plain = name.rpartition("/")[2]
    plain = plain.removeprefix("hf_hub:").removeprefix("zoobot-encoder-").removeprefix("greyscale-")
    plain = plain.partition(".")[0]  # timm writes its pretraining after a dot
    return "efficientnet_b0" if plain == "efficientnet" else plain  # as Zoobot reads it


def _settings(given: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in given.items():
        if name not in _IGNORED_SETTINGS and not _SETTINGS.get(name, lambda _: False)(value):
            raise ModelRefused(
                f"its encoder was built with {name!s:.40}={reprlib.repr(value)}, not supported here"
            )
    return {name: value for name, value in given.items() if name in _SETTINGS}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
