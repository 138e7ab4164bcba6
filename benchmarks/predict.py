"""Images to concentrations: `predict` beside Zoobot's own `predict_on_catalog`.

Both take the same model of random weights and the hundred real images in ../shared/data, six
times each, as PNG and as JPEG; Zoobot writes its CSV, Zoolens its catalogue, with dropout
off and with 30 samples, in full in bfloat16 too. A network of random weights magnifies
rounding in some images: what Zoobot differs from itself in batches of another size is the
tolerance.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from PIL import Image

from benchmarks.contest import Contest, Way
from tests.made.catalogues import catalogue, random_counts
from tests.made.checkpoints import save, save_zoobot_tree, zoobot_tree
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.network.engines import make_encode
from zoolens.catalog.network.inference import torch_in_order
from zoolens.catalog.network.model import ZoobotModel, load_model
from zoolens.catalog.store.store import Store
from zoolens.catalog.trees.published import get_tree
from zoolens.jobs.predict import predict
from zoolens.jobs.settings import Inference

BATCH, SAMPLES = 32, 30
TIMES, MORE = 6, 5  # each image, and in full that many times more often
_FEW = 1e-3  # of a concentration: four times what Zoobot differs from itself


def contests(images: Path, folder: Path, *, full: bool) -> Iterator[Contest]:
    """Whole jobs, loading the model included; in full, of more images too."""
    from zoobot.pytorch.estimators.define_model import ZoobotTree

    class Repaired(ZoobotTree):
        """Zoobot 2.9's own data module gives dicts, which its predict_step does not take."""

        def predict_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> torch.Tensor:
            return self(batch["image"])

    files = sorted(images.rglob("*.png")) * TIMES
    tree = zoobot_tree(awake=True)
    checkpoint = save(tree, folder / "zoobot.ckpt")
    # weights that magnify rounding are refused in bfloat16; those of a fresh network do not
    calm = save_zoobot_tree(folder / "calm.ckpt")
    yield _engines(load_model(str(checkpoint)))
    tree.__class__ = Repaired
    for kind in ("PNG", "JPEG"):
        where = folder / kind
        where.mkdir()
        shown = files if kind == "PNG" else _as_jpeg(files, where)
        yield _whole_jobs(kind, shown, where, tree, checkpoint)
        if full:
            yield _long_jobs(kind, shown, where, tree, checkpoint, calm)


def _long_jobs(
    kind: str, files: list[Path], folder: Path, tree: Any, checkpoint: Path, calm: Path
) -> Contest:
    """So many images that the start of a job hardly tells; `calm` in bfloat16."""
    many = files * MORE
    whole = _imaged(folder / "long.duckdb", many).read_bytes()
    path = folder / "predict.duckdb"
    return Contest(
        f"concentrations of {len(many):,} {kind} images, EfficientNet-B0",
        {
            "zoolens, dropout off": _ours(path, whole, checkpoint, 0, "auto"),
            "zoolens, dropout off, bfloat16": _ours(path, whole, calm, 0, "auto", "bfloat16"),
            "Zoobot, 2 workers": Way(lambda: by_zoobot(tree, many, folder, 2), repeats=0),
        },
        repeats=2,
    )


def _whole_jobs(kind: str, files: list[Path], folder: Path, tree: Any, checkpoint: Path) -> Contest:
    whole = _imaged(folder / "whole.duckdb", files).read_bytes()
    path = folder / "predict.duckdb"

    ways = {"zoolens, dropout off": _ours(path, whole, checkpoint, 0, "openvino")}
    if kind == "PNG":
        ways[f"zoolens, {SAMPLES} dropout samples"] = _ours(
            path, whole, checkpoint, SAMPLES, "openvino"
        )
        ways["zoolens, dropout off, engine torch"] = _ours(path, whole, checkpoint, 0, "torch")
    ways["Zoobot, 2 workers"] = Way(lambda: by_zoobot(tree, files, folder, 2))
    ways["Zoobot, no workers"] = Way(lambda: by_zoobot(tree, files, folder, 0))
    return Contest(
        f"concentrations of {len(files)} {kind} images, EfficientNet-B0",
        ways,
        repeats=2,
        check=_agree,
    )


def _ours(
    path: Path,
    whole: bytes,
    checkpoint: Path,
    samples: int,
    engine: str,
    precision: str = "float32",
) -> Way:
    """`predict`, each time on the catalogue as it was before."""
    return Way(
        lambda: _found(path, checkpoint, samples, engine, precision),
        before=lambda: path.write_bytes(whole),
    )


def _as_jpeg(files: list[Path], folder: Path) -> list[Path]:
    """The same images as JPEG, as the surveys' cutout services give them."""
    for file in dict.fromkeys(files):
        Image.open(file).convert("RGB").save(folder / f"{file.stem}.jpg", quality=90)
    return [folder / f"{file.stem}.jpg" for file in files]


def _engines(model: ZoobotModel) -> Contest:
    """The encoder alone, in batches side by side as `predict` runs it."""
    images = 0.2 * torch.rand(128, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    parts = images.split(BATCH // 2)
    encodes = {name: make_encode(name, model.encoder, 3, 224) for name in ("openvino", "torch")}

    def eager() -> torch.Tensor:
        with torch.inference_mode():
            return torch.cat([model.encoder(part) for part in parts])

    def agree(results: Mapping[str, Any]) -> None:
        expected = results["torch, as loaded"]
        for name, found in results.items():
            if not (found - expected).abs().max() <= 1e-4 * expected.abs().max():
                raise AssertionError(f"{name} gives other features")

    ways = {
        f"zoolens, engine {name}": Way(lambda e=encode: torch.cat([*torch_in_order(e, parts)]))  # type: ignore[misc]
        for name, encode in encodes.items()
    }
    return Contest(
        f"features of {len(images)} images, EfficientNet-B0",
        {**ways, "torch, as loaded": Way(eager)},
        check=agree,
    )


def by_zoobot(tree: Any, files: list[Path], folder: Path, workers: int) -> np.ndarray:
    """Zoobot's concentrations (N, A), without dropout."""
    from galaxy_datasets.transforms import get_galaxy_transform, minimal_view_config
    from zoobot.pytorch.predictions import predict_on_catalog

    frame = predict_on_catalog.predict(
        pd.DataFrame({"id_str": _names(files), "file_loc": [str(file) for file in files]}),
        tree,
        save_loc=str(folder / "zoobot.csv"),
        label_cols=tree.schema.label_cols,
        inference_transform=get_galaxy_transform(minimal_view_config()),
        datamodule_kwargs={
            "batch_size": BATCH,
            "num_workers": workers,
            "prefetch_factor": 2 if workers else None,
        },
        trainer_kwargs={
            "accelerator": "cpu",
            "logger": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
        },
    )
    return frame[list(tree.schema.label_cols)].to_numpy()


def _names(files: list[Path]) -> list[str]:
    return [f"{number:04d}-{file.stem}" for number, file in enumerate(files)]


def _found(path: Path, checkpoint: Path, samples: int, engine: str, precision: str) -> np.ndarray:
    predict(path, str(checkpoint), Inference(samples=samples, engine=engine, precision=precision))
    with Store.open(path, read_only=True) as store:
        rows = store.arrow("SELECT concentration FROM prediction ORDER BY galaxy_id, answer_id")
    return rows["concentration"].to_numpy().reshape(-1, len(get_tree("gzd5").labels))


def _agree(results: Mapping[str, Any]) -> None:
    difference = np.abs(results["zoolens, dropout off"] - results["Zoobot, no workers"]).max()
    if not difference <= _FEW:
        raise AssertionError(f"concentrations differ by {difference}")


def _imaged(path: Path, files: list[Path]) -> Path:
    """A catalogue of the galaxies in the images."""
    tree = get_tree("gzd5")
    catalogue(path, random_counts(len(files), tree), tree=tree, names=_names(files))
    with ImageReader() as reader:
        rows = [
            {"galaxy_id": i, "source": str(file), **vars(reader.inspect(str(file)))}
            for i, file in enumerate(files)
        ]
    with Store.open(path) as store:
        run = store.begin("ingest", {"images": "of the benchmark"})
        store.commit(run, "images", {"image": pa.Table.from_pylist(rows)})
        store.finish(run)
    return path
