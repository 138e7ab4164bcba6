"""Images to posteriors: `predict` beside Zoobot's own `predict_on_catalog`.

    python -m benchmarks.predict [REPEATS]

Both take the same model and the hundred real PNG images in ../shared/data; Zoobot
writes its CSV, Zoolens its catalogue. Writes raw wall and processor seconds of every
repeat, and of each stage for one image at a time, to results/predict.json; rates and
ratios are for whoever reads it. Processor seconds count all threads and worker
processes, and are what stays comparable on a machine that others use.
"""

import json
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import torch

from catalog.decision_tree import get_tree
from catalog.images import ImageReader, decode
from catalog.inference import features, for_inference
from catalog.model import concentrations, dropout_masks, load_model
from catalog.posterior import summarise
from catalog.store import Store
from catalog.view import View
from jobs.predict import predict
from tests.catalogues import catalogue, random_counts
from tests.checkpoints import save, zoobot_tree

IMAGES = Path(__file__).resolve().parents[2] / "shared" / "data" / "images"
RESULTS = Path(__file__).parent / "results" / "predict.json"
BATCH = 32
SAMPLES = 30


def timed(call: Callable[[], Any]) -> tuple[dict[str, float], Any]:
    """Wall and processor seconds of a call, and its result."""

    def processor() -> float:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(one.ru_utime + one.ru_stime for one in used)

    wall, before = time.perf_counter(), processor()
    result = call()
    return {"wall": time.perf_counter() - wall, "processor": processor() - before}, result


def by_zoobot(
    tree: Any, files: list[Path], folder: Path, workers: int, batch: int = BATCH
) -> np.ndarray:
    """Zoobot's concentrations (N, A), without dropout."""
    from galaxy_datasets.transforms import get_galaxy_transform, minimal_view_config
    from zoobot.pytorch.predictions import predict_on_catalog

    frame = predict_on_catalog.predict(
        pd.DataFrame({"id_str": [f.stem for f in files], "file_loc": [str(f) for f in files]}),
        tree,
        save_loc=str(folder / "zoobot.csv"),
        label_cols=tree.schema.label_cols,
        inference_transform=get_galaxy_transform(minimal_view_config()),
        datamodule_kwargs={
            "batch_size": batch,
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


def imaged(path: Path, files: list[Path]) -> Path:
    """A catalogue of the galaxies in the images."""
    tree = get_tree("gzd5")
    names = [file.stem for file in files]
    catalogue(path, random_counts(len(files), tree), tree=tree, names=names)
    with ImageReader() as reader:
        rows = [
            {"galaxy_id": i, "source": str(file), **vars(reader.inspect(str(file)))}
            for i, file in enumerate(files)
        ]
    with Store.open(path) as store:
        run = store.begin("ingest", {"images": str(IMAGES)})
        store.commit(run, "images", {"image": pa.Table.from_pylist(rows)})
        store.finish(run)
    return path


def time_stages(checkpoint: Path, files: list[Path]) -> dict[str, Any]:
    """Seconds a stage takes for all the images, one thread, and where `predict` begins."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    loading, model = timed(lambda: load_model(str(checkpoint)).for_tree(get_tree("gzd5")))
    folding, faster = timed(lambda: for_inference(model.encoder, 3, 224))
    with ImageReader() as reader:
        reading, data = timed(lambda: [reader.read(str(file)) for file in files])
    decoding, images = timed(lambda: [decode(one)[0] for one in data])
    View().prepare(images[0])  # imports
    viewing, seen = timed(lambda: torch.stack([View().prepare(image) for image in images]))
    stages = {"load": loading, "for_inference": folding, "read": reading}
    stages |= {"decode": decoding, "view": viewing}
    masks = dropout_masks(SAMPLES, model.weight.shape[1], model.dropout_rate, 0)
    for name, encoder in (("as loaded", model.encoder), ("for inference", faster)):

        def encode(encoder: torch.nn.Module = encoder, given: bool = name == "as loaded") -> Any:
            with torch.inference_mode():
                run = encoder if given else lambda batch: features(encoder, batch)
                return torch.cat([run(batch) for batch in seen.split(BATCH)])

        encode()
        stages[f"encoder {name}"], encoded = timed(encode)
    stages["head"], alpha = timed(lambda: concentrations(model, encoded, masks).numpy())
    stages["summary"], _ = timed(lambda: summarise(alpha, get_tree("gzd5")))
    torch.set_num_threads(before)
    return stages


def time_jobs(
    tree: Any, checkpoint: Path, files: list[Path], folder: Path, repeats: int
) -> dict[str, Any]:
    """Seconds of each way, taken in turn, and how far the concentrations are apart.

    A network of random weights magnifies rounding in some images: what Zoobot differs
    from itself in batches of another size stands beside what Zoolens differs from it.
    """
    whole = imaged(folder / "whole.duckdb", files)
    seconds: dict[str, list[dict[str, float]]] = {}
    for repeat in range(repeats):
        for workers in (0, 2):
            spent, expected = timed(partial(by_zoobot, tree, files, folder, workers))
            seconds.setdefault(f"zoobot, {workers} workers", []).append(spent)
        for samples in (SAMPLES, 0):
            path = folder / f"{repeat}-{samples}.duckdb"
            path.write_bytes(whole.read_bytes())
            spent, report = timed(partial(predict, path, str(checkpoint), samples=samples))
            seconds.setdefault(f"zoolens, {samples} samples", []).append(spent)
            if report.galaxies != len(files):
                raise AssertionError(f"{report.galaxies} of {len(files)} predicted")
    with Store.open(path, read_only=True) as store:
        rows = store.arrow("SELECT concentration FROM prediction ORDER BY galaxy_id, answer_id")
    found = {
        "zoolens": rows["concentration"].to_numpy().reshape(expected.shape),
        "zoobot in batches of 7": by_zoobot(tree, files, folder, 0, batch=7),
    }
    return {
        "seconds": seconds,
        "largest_difference_from_zoobot_of_each_image": {
            who: np.abs(values - expected).max(axis=1).tolist() for who, values in found.items()
        },
    }


def main() -> None:
    """Measure, check, write."""
    from zoobot.pytorch.estimators.define_model import ZoobotTree

    class Repaired(ZoobotTree):
        """Zoobot 2.9's own data module gives dicts, which its predict_step does not take."""

        def predict_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> torch.Tensor:
            return self(batch["image"])

    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    files = sorted(IMAGES.rglob("*.png"))
    tree = zoobot_tree(awake=True)
    with tempfile.TemporaryDirectory() as name:
        checkpoint = save(tree, Path(name) / "zoobot.ckpt")
        tree.__class__ = Repaired
        results = {
            "images": len(files),
            "architecture": "efficientnet_b0",
            "batch": BATCH,
            "machine": {
                "cores": os.cpu_count(),
                "architecture": platform.machine(),
                "torch_threads": torch.get_num_threads(),
            },
            "versions": {"python": platform.python_version(), "torch": torch.__version__},
            "stages_on_one_thread": time_stages(checkpoint, files),
            "jobs": time_jobs(tree, checkpoint, files, Path(name), repeats),
        }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    print(f"{RESULTS}")


if __name__ == "__main__":
    main()
