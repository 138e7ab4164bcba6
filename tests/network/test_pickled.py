"""What a checkpoint holds beside the model is read past, and nothing of it is run."""

import argparse
import codecs
import datetime
import functools
import os
import pathlib
import pickle
import re
import subprocess
import sys
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from tests.made.checkpoints import finetuned
from tests.network.test_checkpoints import Hostile, content, refusal, saved
from zoolens.catalog.network import pickled
from zoolens.catalog.network.checkpoints import read_checkpoint
from zoolens.catalog.network.heads import Output
from zoolens.catalog.network.pickled import opened


class Mine:
    """A class that only this program has."""


def attribute_dict(**values: Any) -> Any:
    from lightning.fabric.utilities.data import AttributeDict

    return AttributeDict(values)


def omegaconf(values: Any) -> Any:
    from omegaconf import OmegaConf

    return OmegaConf.create(values)


# What people and trainers put beside a model; none of it is needed.
BESIDE: dict[str, Callable[[], Any]] = {
    "posix path": lambda: Path("/data/decals"),
    "relative path": lambda: Path("runs") / "1",
    "windows path": lambda: pathlib.PureWindowsPath("C:/data/decals"),
    "number": lambda: np.float64(1e-3),
    "vector": lambda: np.array([1.0, 2.0, 3.0]),
    "matrix": lambda: np.ones((2, 2), np.int32, order="F"),
    "objects": lambda: np.array(["a", None, Path("b")], object),
    "texts": lambda: np.array(["a", "bc"]),
    "numpy type": lambda: np.float32,
    "dtype": lambda: np.dtype("f4"),
    "torch type": lambda: torch.float32,
    "tensor": lambda: torch.ones(3),
    "attribute dict": lambda: attribute_dict(lr=np.float32(1e-3), nested=attribute_dict(a=Path())),
    "namespace": lambda: argparse.Namespace(lr=1e-3, out=Path("x")),
    "omegaconf": lambda: omegaconf({"lr": 1e-3, "layers": [1, 2], "nested": {"a": "b"}}),
    "function": lambda: [torch.nn.functional.gelu, torch.nn.functional.mse_loss],
    "class": lambda: torch.optim.AdamW,
    "module": lambda: torch.nn.CrossEntropyLoss(weight=torch.ones(2)),
    "partial": lambda: functools.partial(torch.nn.functional.cross_entropy, label_smoothing=0.1),
    "plain type": lambda: {"kind": dict, "other": str},
    "counters": lambda: [Counter("aab"), defaultdict(list, a=[1]), frozenset({1}), {2, 3}],
    "time": lambda: [datetime.timedelta(hours=1), datetime.datetime(2026, 1, 1)],
}


@pytest.mark.parametrize("kind", BESIDE)
@pytest.mark.parametrize("place", ["hyper_parameters", "datamodule_hyper_parameters", "callbacks"])
def test_what_stands_beside_a_model_is_read_past(tmp_path: Path, kind: str, place: str) -> None:
    held = content()
    held[place] = {**held.get(place, {}), "extra": BESIDE[kind](), "after": np.int64(7)}
    read = read_checkpoint(saved(tmp_path / "a.ckpt", held))
    assert read.head.labels[0] == "shape-dr5_smooth"
    assert torch.equal(read.head.weight, torch.ones(4, 2))


@pytest.mark.parametrize("wrap", [lambda values: attribute_dict(**values), omegaconf])
def test_what_a_model_was_built_with_is_read_from_any_mapping(
    tmp_path: Path, wrap: Callable[[Any], Any]
) -> None:
    built = {"drop_path_rate": 0.25, "img_size": 96}
    held = content(timm_kwargs=wrap(built))
    if wrap is omegaconf:
        pairs = held["hyper_parameters"]["question_answer_pairs"]
        held["hyper_parameters"]["question_answer_pairs"] = omegaconf(pairs)
    read = read_checkpoint(saved(tmp_path / "a.ckpt", held))
    assert read.settings == built
    assert read.head.labels[-1] == "bar-dr5_no"
    wrong = content(timm_kwargs=wrap({"img_size": 10**9}))
    assert "img_size" in refusal(saved(tmp_path / "b.ckpt", wrong))


def test_what_is_not_known_is_named_with_the_way_out(tmp_path: Path) -> None:
    for extra, name in ((Mine(), f"{__name__}.Mine"), (os.path.join, "posixpath.join")):
        told = refusal(saved(tmp_path / "a.ckpt", content(extra=extra)))
        assert f"asks for {name}, which no Zoobot model needs; if it is yours, save it" in told


def _hostile(marker: Path) -> dict[str, Any]:
    """Harmless classes asked to run something, or to be what they are not."""
    touch = Hostile(os.system, f"touch {marker}")
    return {
        "a path of a call": Hostile(pathlib.PosixPath, touch),
        "a partial of a call": functools.partial(os.system, f"touch {marker}"),
        "a dictionary that runs": Hostile(defaultdict, os.system),
        "an array of calls": np.array([touch], object),
        "a name from elsewhere": Hostile(subprocess.run, ["touch", str(marker)]),
        "a loss that loads": Hostile(torch.load, str(marker)),
        "a namespace of a call": argparse.Namespace(run=touch),
        "an import": Hostile(__import__, "os"),
        "a pickle in a pickle": Hostile(pickle.loads, pickle.dumps(touch)),
    }


@pytest.mark.parametrize("kind", _hostile(Path("marker")))
def test_harmless_names_carry_nothing_harmful(tmp_path: Path, kind: str) -> None:
    marker = tmp_path / "ran"
    held = content(extra=_hostile(marker)[kind])
    assert "its pickle asks for" in refusal(saved(tmp_path / "evil.ckpt", held))
    assert not marker.exists()


class Counted:
    """Stands for a class of `lightning`: counts how often any of its code runs."""

    ran = 0

    def __new__(cls, *_: Any) -> "Counted":
        cls.ran += 1
        return super().__new__(cls)

    def __setstate__(self, state: Any) -> None:
        type(self).ran += 1


def test_no_class_that_is_named_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import lightning.pytorch.callbacks

    monkeypatch.setattr(lightning.pytorch.callbacks, "Counted", Counted, raising=False)
    monkeypatch.setattr(Counted, "__module__", "lightning.pytorch.callbacks")
    path = saved(tmp_path / "a.ckpt", content(extra=Hostile(Counted), own=Counted()))
    before = Counted.ran
    read_checkpoint(path)
    assert Counted.ran == before
    torch.load(path, weights_only=False)
    assert Counted.ran > before, "as a plain reader would have run it"


def test_no_module_that_is_named_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("pytorch_lightning")
    module.trap = type("trap", (), {"__module__": "pytorch_lightning"})  # type: ignore[attr-defined]
    with monkeypatch.context() as saving:
        saving.setitem(sys.modules, "pytorch_lightning", module)
        path = saved(tmp_path / "a.ckpt", content(extra=module.trap()))
    marker = tmp_path / "ran"
    (tmp_path / "pytorch_lightning.py").write_text(f"open({str(marker)!r}, 'w').close()")
    monkeypatch.syspath_prepend(tmp_path)
    read_checkpoint(path)
    assert not marker.exists()
    with pytest.raises(AttributeError):
        torch.load(path, weights_only=False)
    assert marker.exists(), "as a plain reader would have imported it"
    sys.modules.pop("pytorch_lightning", None)


def test_texts_that_are_encoded_again_and_again_are_refused(tmp_path: Path) -> None:
    """Each call makes new bytes: a pickle of a megabyte would fill the memory."""
    text = "x" * 2**20
    held = content(extra=[Hostile(codecs.encode, text, "latin1") for _ in range(1100)])
    assert "more of its texts" in refusal(saved(tmp_path / "evil.ckpt", held))


def test_stand_ins_are_none_of_what_torch_has_its_own_for() -> None:
    """Else torch would take its own, which runs."""
    from torch._weights_only_unpickler import _get_allowed_globals

    names = "|".join(f"({pattern})" for pattern, _ in pickled._FILLED)
    found = {name for name in _get_allowed_globals() if re.fullmatch(names, name)}
    assert found == {"collections.Counter"}, "a plain class, which it fills as a dictionary"


def test_opened_is_one_level() -> None:
    nested: Any = omegaconf({"a": 1})
    assert opened(3) == 3
    assert opened(nested) is nested, "only stand-ins are opened"


def fitted(folder: Path) -> Path:
    """What Lightning's own Trainer leaves of a fit with callbacks, optimiser and data module."""
    import lightning
    from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint

    class Data(lightning.LightningDataModule):
        def __init__(self, catalog: Path, settings: Any) -> None:
            super().__init__()
            self.save_hyperparameters()

        def train_dataloader(self) -> Any:
            rows = [
                {"image": torch.rand(3, 32, 32), "label": torch.tensor(i % 2)} for i in range(4)
            ]
            return torch.utils.data.DataLoader(rows, batch_size=2)  # type: ignore[arg-type]

        val_dataloader = train_dataloader

    trainer = lightning.Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        callbacks=[
            ModelCheckpoint(folder, monitor="finetuning/val_loss", save_weights_only=False),
            EarlyStopping(monitor="finetuning/val_loss"),
        ],
    )
    model = finetuned(
        "Classifier",
        num_classes=2,
        learning_rate=np.float64(1e-3),
        timm_kwargs=attribute_dict(drop_path_rate=np.float64(0.1)),
    )
    trainer.fit(model, datamodule=Data(folder, attribute_dict(seed=np.int64(1))))
    trainer.save_checkpoint(folder / "last.ckpt")
    return folder / "last.ckpt"


@pytest.mark.slow
def test_a_fits_own_checkpoint_is_read(tmp_path: Path) -> None:
    path = fitted(tmp_path)
    with zipfile.ZipFile(path) as archive:
        data = archive.read("archive/data.pkl")
    for name in (b"AttributeDict", b"PosixPath", b"multiarray", b"exp_avg", b"EarlyStopping"):
        assert name in data
    read = read_checkpoint(path)
    assert (read.head.output, read.settings) == (Output.PROBABILITY, {"drop_path_rate": 0.1})


def test_the_way_out_in_the_guide_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guide" / "your-data.md").read_text()
    section = guide.split("### Which checkpoints")[1]
    (recipe,) = re.findall(r"^```python\n(.*?)^```", section, re.M | re.S)
    held = content(extra=Mine(), learning_rate=np.float64(1e-3))
    refusal(saved(tmp_path / "model.ckpt", held | {"callbacks": Mine()}))
    monkeypatch.chdir(tmp_path)
    exec(recipe, {})
    assert read_checkpoint(tmp_path / "plain.ckpt").head.labels[0] == "shape-dr5_smooth"
