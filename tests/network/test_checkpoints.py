"""Files that are no model, or worse, are refused in one line, and run nothing."""

import collections
import io
import json
import os
import pickle
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.made.checkpoints import save_safetensors
from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.network.checkpoints import read_checkpoint

PAIRS = {"shape-dr5": ["_smooth", "_disk"], "bar-dr5": ["_yes", "_no"]}


def content(**changes: Any) -> dict[str, Any]:
    """What a tiny ZoobotTree checkpoint holds, with changes to its arguments."""
    arguments = {
        "question_answer_pairs": PAIRS,
        "architecture_name": "test_resnet",
        "dropout_rate": 0.2,
        "timm_kwargs": {},
        **changes,
    }
    return {
        "state_dict": collections.OrderedDict(
            [
                ("encoder.conv.weight", torch.ones(2, 3, 1, 1)),
                ("head.1.0.weight", torch.ones(4, 2)),
                ("head.1.0.bias", torch.zeros(4)),
            ]
        ),
        "hyper_parameters": arguments,
    }


def refusal(path: Path) -> str:
    with pytest.raises(ModelRefused) as caught:
        read_checkpoint(path)
    message = str(caught.value)
    assert str(path) in message
    assert message.isprintable(), "one line"
    return message


def saved(path: Path, held: Any) -> Path:
    torch.save(held, path)
    return path


def test_reads_what_a_tree_says(tmp_path: Path) -> None:
    read = read_checkpoint(saved(tmp_path / "a.ckpt", content(timm_kwargs={"drop_path_rate": 0.1})))
    assert read.head.labels == ("shape-dr5_smooth", "shape-dr5_disk", "bar-dr5_yes", "bar-dr5_no")
    assert (read.architecture, read.dropout_rate) == ("test_resnet", 0.2)
    assert read.settings == {"drop_path_rate": 0.1}
    assert list(read.encoder) == ["conv.weight"]
    assert torch.equal(read.head.weight, torch.ones(4, 2))


def test_sha256_is_that_of_the_file(checkpoint: Path) -> None:
    told = subprocess.run(["sha256sum", checkpoint], capture_output=True, text=True, check=True)
    assert read_checkpoint(checkpoint).sha256 == told.stdout.split()[0]


def test_compiled_encoders_lose_their_prefix(tmp_path: Path) -> None:
    held = content()
    held["state_dict"]["encoder._orig_mod.stem.bias"] = torch.ones(1)
    assert "stem.bias" in read_checkpoint(saved(tmp_path / "a.ckpt", held)).encoder


def test_what_was_read_outlives_the_file(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.ckpt", content())
    read = read_checkpoint(path)
    path.write_bytes(bytes(path.stat().st_size))
    assert torch.equal(read.head.weight, torch.ones(4, 2))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hf_hub:mwalmsley/zoobot-encoder-convnext_nano", "convnext_nano"),
        ("hf_hub:mwalmsley/zoobot-encoder-greyscale-convnext_nano", "convnext_nano"),
        ("resnet50.a1_in1k", "resnet50"),
        ("efficientnet", "efficientnet_b0"),
        (None, None),
    ],
)
def test_published_encoders_name_their_architecture(
    tmp_path: Path, name: str | None, expected: str | None
) -> None:
    held = content(architecture_name=None, name=name)
    assert read_checkpoint(saved(tmp_path / "a.ckpt", held)).architecture == expected


class Hostile:
    """Pickles as a call."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def _hostile(marker: Path) -> dict[str, Hostile]:
    code = f"open({str(marker)!r}, 'w').close()"
    return {
        "system": Hostile(os.system, f"touch {marker}"),
        "eval": Hostile(eval, code),
        "exec": Hostile(exec, code),
        "popen": Hostile(subprocess.Popen, ["touch", str(marker)]),
        "getattr": Hostile(getattr, "text", "format"),
        "load": Hostile(torch.load, str(marker)),
        "hub": Hostile(torch.hub.load, "owner/name", "model"),
        "memory": Hostile(bytearray, 10**12),
        "tensor": Hostile(torch.Tensor, 10**6, 10**6),
        "loads": Hostile(pickle.loads, pickle.dumps(Hostile(os.system, f"touch {marker}"))),
    }


@pytest.mark.parametrize("kind", _hostile(Path("marker")))
@pytest.mark.parametrize("place", ["hyper_parameters", "callbacks", "state_dict"])
def test_a_hostile_pickle_runs_nothing(
    tmp_path: Path, kind: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the variable switches off what torch does by default, not what is asked for
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    marker = tmp_path / "ran"
    held = content()
    held[place] = {**held.get(place, {}), "extra": _hostile(marker)[kind]}
    message = refusal(saved(tmp_path / "evil.ckpt", held))
    assert "its pickle asks for" in message
    assert not marker.exists()


def test_a_hostile_schema_runs_nothing(tmp_path: Path) -> None:
    from zoobot.shared.schemas import Schema

    marker = tmp_path / "ran"
    trap = Schema.__new__(Schema)
    trap.question_answer_pairs = Hostile(os.system, f"touch {marker}")
    held = content(schema=trap)
    assert "asks for" in refusal(saved(tmp_path / "evil.ckpt", held))
    assert not marker.exists()


def test_protocols_that_torch_never_writes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.ckpt"
    with zipfile.ZipFile(saved(tmp_path / "good.ckpt", content())) as good:
        names = good.namelist()
        with zipfile.ZipFile(path, "w") as evil:
            for name in names:
                data = good.read(name)
                if name.endswith("data.pkl"):
                    data = pickle.dumps(Hostile(os.system, f"touch {tmp_path}/ran"), protocol=4)
                evil.writestr(name, data)
    assert "STACK_GLOBAL" in refusal(path)
    assert not (tmp_path / "ran").exists()


def rewritten(path: Path, records: dict[str, bytes], *, last: bool = True) -> Path:
    """A good archive with more records, after or before its own."""
    with zipfile.ZipFile(saved(path.with_name("good.ckpt"), content())) as good:
        own = {name: good.read(name) for name in good.namelist()}
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in [*own.items(), *records.items()][:: 1 if last else -1]:
                archive.writestr(name, data)
    return path


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize(
    "name",
    [
        *("good/DATA.PKL", "good/Data.pkl", "good/data.pKl", "good/data.pkl", "GOOD/data.pkl"),
        *("good//data.pkl", "./good/data.pkl", "good/data.pkl/", "data.pkl", "good/data.pkl\0"),
        *(
            "other/data.pkl",
            "good/constants.pkl",
            "good/code/a.py",
            "good/data/00",
            "good\\data.pkl",
        ),
    ],
)
def test_records_that_torch_could_take_for_others_are_refused(
    tmp_path: Path, name: str, last: bool
) -> None:
    marker = tmp_path / "ran"
    evil = pickle.dumps(Hostile(os.system, f"touch {marker}"), protocol=2)
    path = rewritten(tmp_path / "evil.ckpt", {name: evil}, last=last)
    refusal(path)
    assert not marker.exists()


def test_every_spelling_of_a_hostile_pickle_is_refused(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    evil = pickle.dumps(Hostile(os.system, f"touch {marker}"), protocol=2)
    spellings = {
        "good/" + "".join(c.upper() if bits >> i & 1 else c for i, c in enumerate("data.pkl"))
        for bits in range(1, 256)
    } - {"good/data.pkl"}
    assert len(spellings) == 127
    path = rewritten(tmp_path / "evil.ckpt", dict.fromkeys(sorted(spellings), evil), last=False)
    assert "which torch never writes" in refusal(path)
    assert not marker.exists()


def test_an_archive_behind_another_is_refused(tmp_path: Path) -> None:
    """Readers of zip archives look for them from the end, or from the beginning."""
    good = saved(tmp_path / "good.ckpt", content()).read_bytes()
    evil = saved(tmp_path / "evil.ckpt", {"a": Hostile(os.system, "true")}).read_bytes()
    for data in (good + evil, evil + good, evil[:-22] + good):
        refusal_or_good = tmp_path / "two.ckpt"
        refusal_or_good.write_bytes(data)
        refusal(refusal_or_good)


@pytest.mark.parametrize("core", ["_core", "core"])
def test_numpy_numbers_are_numbers(tmp_path: Path, core: str) -> None:
    import numpy as np

    held = content(
        dropout_rate=np.float64(0.25),
        learning_rate=np.float32(1e-3),
        epochs=np.int64(7),
        big=np.array(3, ">i4")[()],
        flag=np.bool_(True),
        architecture_name=np.str_("test_resnet"),
    )
    path = saved(tmp_path / "a.ckpt", held)
    with zipfile.ZipFile(path) as archive:
        data = archive.read("a/data.pkl")
    old = f"numpy.{'core' if b'numpy._core' in data else '_core'}.multiarray".encode()
    if core.encode() not in data:  # the module's name in the other generation of NumPy
        path = rewritten_pickle(path, data.replace(old, f"numpy.{core}.multiarray".encode()))
    read = read_checkpoint(path)
    assert (read.dropout_rate, read.architecture) == (0.25, "test_resnet")
    assert type(read.dropout_rate) is float


def rewritten_pickle(path: Path, data: bytes) -> Path:
    other = path.with_name("other.ckpt")
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(other, "w") as out:
        for name in archive.namelist():
            own = data if name.endswith("data.pkl") else archive.read(name)
            out.writestr(name, own)
    return other


def test_numpy_values_that_are_neither_numbers_nor_text_are_refused(tmp_path: Path) -> None:
    import numpy as np

    date = content(x=np.datetime64("2020-01-01"))
    assert "neither a number nor text" in refusal(saved(tmp_path / "b.ckpt", date))


@pytest.mark.slow
def test_values_that_print_without_end_are_not_printed(tmp_path: Path) -> None:
    nested: Any = ["x" * 100]
    for _ in range(40):
        nested = [nested] * 10
    for changes in (
        {"dropout_rate": nested},
        {"timm_kwargs": {"img_size": nested}},
        {"architecture_name": nested},
        {"question_answer_pairs": {"shape": nested}},
        {"question_answer_pairs": {f"q{i}": ["_a"] * 1000 for i in range(1000)}},
    ):
        assert len(refusal(saved(tmp_path / "a.ckpt", content(**changes)))) < 500


def test_a_compressed_archive_is_refused_before_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "bomb.ckpt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("bomb/data.pkl", pickle.dumps({}, protocol=2))
        bomb.writestr("bomb/data/0", bytes(10**8))
    assert path.stat().st_size < 10**6
    assert "compressed" in refusal(path)


def test_records_that_claim_too_much_are_refused(tmp_path: Path) -> None:
    good = saved(tmp_path / "good.ckpt", content()).read_bytes()
    # the sizes in the central directory of the 16-byte record of the bias
    assert (4 * 4).to_bytes(4, "little") * 2 in good
    huge = good.replace((4 * 4).to_bytes(4, "little") * 2, (2**31).to_bytes(4, "little") * 2)
    path = tmp_path / "evil.ckpt"
    path.write_bytes(huge)
    refusal(path)


def test_a_tensor_larger_than_the_file_is_refused(tmp_path: Path) -> None:
    held = content()
    held["state_dict"]["encoder.wide"] = torch.zeros(1).expand(10**6, 10**6)
    assert "claims more" in refusal(saved(tmp_path / "evil.ckpt", held))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    held = content()
    held["state_dict"]["encoder.conv.weight"][0, 0] = value
    assert "encoder.conv.weight holds NaN" in refusal(saved(tmp_path / "a.ckpt", held))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"question_answer_pairs": None}, "question_answer_pairs"),
        ({"question_answer_pairs": {}}, "question_answer_pairs"),
        ({"question_answer_pairs": [1, 2]}, "question_answer_pairs"),
        ({"question_answer_pairs": {"shape": ["_a", "_b", "_c"]}}, "for 3 labels"),
        ({"question_answer_pairs": {"shape": ["_a", "_a", "_b", "_c"]}}, "one name"),
        ({"question_answer_pairs": {"shape": 3}}, "int"),
        ({"dropout_rate": 1.0}, "dropout rate is 1.0"),
        ({"dropout_rate": -0.1}, "dropout rate"),
        ({"dropout_rate": float("nan")}, "dropout rate"),
        ({"dropout_rate": "0.2"}, "dropout rate"),
        ({"dropout_rate": True}, "dropout rate"),
        ({"timm_kwargs": {"pretrained_cfg": {"url": "http://x"}}}, "pretrained_cfg"),
        ({"timm_kwargs": {"checkpoint_path": "/etc/passwd"}}, "checkpoint_path"),
        ({"timm_kwargs": {"img_size": 10**9}}, "img_size"),
        ({"timm_kwargs": {"act_layer": "eval"}}, "act_layer"),
        ({"timm_kwargs": [1]}, "list"),
        ({"schema": 3}, "__dict__"),
    ],
)
def test_wrong_arguments_are_refused(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    assert told in refusal(saved(tmp_path / "a.ckpt", content(**changes)))


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ({"state_dict": {}}, "hyper_parameters"),
        ({"hyper_parameters": {}}, "state_dict"),
        ({"state_dict": {}, "hyper_parameters": {}}, "head.1.0.weight"),
        (
            {"state_dict": {"head.1.0.weight": torch.ones(1, 1)}, "hyper_parameters": {}},
            "no head.1.0.bias",
        ),
        ({"state_dict": {"a": 1}, "hyper_parameters": {}}, "'a' of its state is no tensor"),
        ({"state_dict": {1: torch.ones(1)}, "hyper_parameters": {}}, "no tensor"),
        ({"state_dict": [1, 2], "hyper_parameters": {}}, "list"),
        ([1, 2, 3], "dictionary"),
        (torch.ones(3), "dictionary"),
        (None, "dictionary"),
    ],
)
def test_other_pickles_are_refused(tmp_path: Path, held: Any, told: str) -> None:
    assert told in refusal(saved(tmp_path / "a.ckpt", held))


@pytest.mark.parametrize("size", [0, 1, 100, 10_000])
def test_a_truncated_checkpoint_is_refused(tmp_path: Path, size: int, checkpoint: Path) -> None:
    path = tmp_path / "cut.ckpt"
    path.write_bytes(checkpoint.read_bytes()[: size or -1000])
    assert "truncated" in refusal(path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"iauname,ra,dec\nJ1,2,3\n",
        b"\x89PNG\r\n\x1a\n",
        pickle.dumps({"state_dict": {}}),
        b"PK\x05\x06" + bytes(18),
    ],
    ids=["empty", "text", "image", "pickle", "empty zip"],
)
@pytest.mark.parametrize("suffix", [".ckpt", ".safetensors"])
def test_other_files_are_refused(tmp_path: Path, data: bytes, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data)
    refusal(path)


def test_an_old_torch_file_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    torch.save(content(), buffer, _use_new_zipfile_serialization=False)
    path = tmp_path / "old.ckpt"
    path.write_bytes(buffer.getvalue())
    assert "zip" in refusal(path)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_a_scripted_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scripted.ckpt"
    torch.jit.script(torch.nn.Linear(2, 2)).save(path)
    refusal(path)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "no model at" in refusal(tmp_path / "nothing.ckpt")
    assert "no model at" in refusal(tmp_path)


def test_hostile_names_stay_on_one_line(tmp_path: Path) -> None:
    held = content()
    held["state_dict"]["a\nb\x1b[31m"] = torch.full((1,), torch.nan)
    refusal(saved(tmp_path / "a.ckpt", held))


def test_safetensors_without_our_metadata_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "encoder.safetensors"
    save_file({"conv.weight": torch.ones(1)}, path)
    assert "metadata" in refusal(path)
    save_file({"conv.weight": torch.ones(1)}, path, metadata={"zoobot": "["})
    refusal(path)
    save_file({"conv.weight": torch.ones(1)}, path, metadata={"zoobot": json.dumps([1])})
    refusal(path)


@pytest.mark.parametrize(
    "view",
    [
        [],
        None,
        {"name": "minimal"},
        {"name": "minimal", "size": "160", "greyscale": False},
        {"name": "minimal", "size": True, "greyscale": False},
        {"name": "minimal", "size": 1000000, "greyscale": False},
        {"name": "../fast", "size": 160, "greyscale": False},
        {"name": "minimal", "size": 160, "greyscale": False, "more": 1},
    ],
)
def test_views_that_are_none_are_refused(tmp_path: Path, view: object) -> None:
    from safetensors import safe_open
    from safetensors.torch import save_file

    path = save_safetensors(tmp_path / "model.safetensors", architecture="test_resnet")
    with safe_open(path, framework="pt") as file:
        arguments = json.loads(file.metadata()["zoobot"])
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(state, path, metadata={"zoobot": json.dumps(arguments | {"view": view})})
    refusal(path)


@pytest.mark.slow
def test_safetensors_say_what_the_checkpoint_says(tmp_path: Path, checkpoint: Path) -> None:
    lightning = read_checkpoint(checkpoint)
    path = save_safetensors(tmp_path / "model.safetensors")
    read = read_checkpoint(path)
    assert read.head.labels == lightning.head.labels
    assert read.architecture == lightning.architecture
    assert torch.equal(read.head.weight, lightning.head.weight)
    assert {n: t.shape for n, t in read.encoder.items()} == {
        n: t.shape for n, t in lightning.encoder.items()
    }
    path.write_bytes(path.read_bytes()[:-1000])
    refusal(path)
