"""The trial of the engine cuda, as far as it goes without a GPU."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import pytest
import torch
from torch import nn

from benchmarks import gpu, gpu_time
from benchmarks.gpu_limits import Layer, Rates, arithmetic, layers_of, limit
from benchmarks.gpu_sky import random_model
from zoolens.catalog.network.engines import PRECISIONS
from zoolens.catalog.trees.published import get_tree

ROOT = Path(__file__).resolve().parent.parent
# What Zoolens needs elsewhere, and a machine with a GPU need not have.
ABSENT = (
    "alembic", "astropy", "duckdb", "duckdb_engine", "faiss", "galsim", "h5py", "hats",
    "lightning", "openvino", "pyarrow", "pytorch_grad_cam", "sqlalchemy", "typer", "zoobot",
)  # fmt: skip


@pytest.mark.parametrize("script", ["gpu.sh", "gpu_pack.sh", "gpu_python.sh"])
def test_the_scripts_are_sound_shell(script: str) -> None:
    subprocess.run(["bash", "-n", ROOT / "benchmarks" / script], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["resnet10t", "efficientnet_b0", "convnext_nano"])
def test_arithmetic_is_what_torch_counts(architecture: str) -> None:
    import timm
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        encoder = timm.create_model(architecture, num_classes=0).eval()
    layers = layers_of(encoder, 3, 224)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        encoder(torch.empty(1, 3, 224, 224, device="meta"))
    assert arithmetic(layers) == counter.get_total_flops()
    assert sum(layer.weights for layer in layers) <= sum(p.numel() for p in encoder.parameters())


def test_a_layer_by_hand() -> None:
    # 8 x 8 pixels of 6 channels become 4 x 4 of 4, in two groups: each from 3 x 3 x 3 numbers
    network = nn.Sequential(nn.Conv2d(6, 4, 3, stride=2, padding=1, groups=2), nn.ReLU())
    assert layers_of(network, 6, 8) == [Layer(2 * 64 * 27, 6 * 64 + 64, 4 * 27)]


def test_a_limit_is_of_arithmetic_or_of_memory_layer_by_layer() -> None:
    busy, heavy = Layer(1000, 10, 5), Layer(10, 1000, 500)
    rates = Rates({"float32": 100.0, "bfloat16": 1000.0}, copied=400.0)
    # 3 images: 3000 operations at 100 a second; 4 bytes of 3 x 1000 + 500 numbers at 400 a second
    assert limit([busy, heavy], 3, rates, "float32") == pytest.approx(30 + 35)
    # ten times as fast, and half the bytes
    assert limit([busy, heavy], 3, rates, "bfloat16") == pytest.approx(3 + 17.5)


@pytest.mark.slow
def test_a_random_network_is_the_same_each_time() -> None:
    one, other = (random_model("resnet10t", get_tree("gzd5")) for _ in range(2))
    assert torch.equal(one.weight, other.weight)
    images = torch.rand(2, 3, 64, 64)
    assert torch.equal(one.encoder(images), other.encoder(images))


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done with CUDA, in order; calls must suit the functions of torch."""
    done: list[str] = []

    def noting(name: str) -> Callable[..., Any]:
        def note(*_: Any, **__: Any) -> Any:
            done.append(name)
            return within(name)

        return note

    @contextmanager
    def within(name: str) -> Iterator[None]:
        yield
        done.append(f"end of {name}")

    for name in ("stream", "graph", "Stream", "CUDAGraph", "current_stream", "synchronize"):
        real = getattr(torch.cuda, name)
        fake = create_autospec(real)
        if name in ("stream", "graph", "synchronize"):
            fake.side_effect = noting(name)
        monkeypatch.setattr(torch.cuda, name, fake)
    return done


def test_a_graph_is_captured_after_it_was_warmed_up(graphs: list[str]) -> None:
    def call() -> torch.Tensor:
        graphs.append("call")
        return torch.ones(1)

    _, output = gpu_time.captured(call)
    warmed = ["stream", *["call"] * 3, "end of stream"]
    assert graphs == [*warmed, "synchronize", "graph", "call", "end of graph"]
    assert output == 1
    assert torch.cuda.graph.call_args.kwargs["stream"] is torch.cuda.Stream.return_value  # type: ignore[attr-defined]


def test_a_step_that_fails_or_is_late_is_told(tmp_path: Path) -> None:
    path = tmp_path / "results" / "gpu.json"
    report = gpu.Report([path], {"failed": {}, "left out for want of time": []})
    report.step(("rates",), lambda: {"copied": 1.0})
    report.step(("networks", "b0", "limits"), lambda: 1 / 0)
    report.step(("networks", "b0", "encoder"), lambda: 2)
    report.started -= gpu.MOST
    report.step(("networks", "b0", "engine"), lambda: 3)
    found = json.loads(path.read_text())
    assert found["rates"] == {"copied": 1.0}
    assert found["networks"] == {"b0": {"encoder": 2}}
    assert found["failed"] == {"networks, b0, limits": "ZeroDivisionError: division by zero"}
    assert found["left out for want of time"] == ["networks, b0, engine"]


def test_what_is_not_right_is_told() -> None:
    def told(off: float) -> list[str]:
        compared = {"float32": {"maps, largest": off}, "bfloat16": {"maps, largest": 0.1}}
        return gpu.wrong({"networks": {"b0": {"compared with float64": compared}}})

    assert told(gpu.RIGHT / 2) == []
    assert told(gpu.RIGHT * 2) == ["b0: maps, largest off by 2.0e-04"]
    assert told(float("nan")) == ["b0: maps, largest off by nan"]
    assert gpu.wrong({}) == []


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(ROOT / "benchmarks" / "gpu.sh"), *arguments],
        env=os.environ | {"PYTHON": sys.executable, "OMP_NUM_THREADS": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )


@pytest.mark.slow
def test_every_step_runs_dry_with_what_is_packed(tmp_path: Path) -> None:
    """By the shell script, where what few machines have is not installed but packed."""
    pack, out = tmp_path / "pack", tmp_path / "out"
    packed = subprocess.run(
        ["bash", str(ROOT / "benchmarks" / "gpu_pack.sh"), str(pack)],
        env=os.environ | {"PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "of 64 MiB" in packed.stdout
    (pack / "sitecustomize.py").write_text(
        f"import sys\nsys.modules.update(dict.fromkeys({ABSENT}))\n"
    )
    done = _run("--cpu", "--out", str(tmp_path / "dry.json"), PYTHONPATH=str(pack), OUT=str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "dry.json").read_text())
    assert (out / "gpu.json").read_text() == (tmp_path / "dry.json").read_text()
    assert found["failed"] == {}
    assert found["left out for want of time"] == []
    assert found["machine"]["device"] == "CPU, a dry run"
    steps = {"view", "compared with float64", "limits", "fractions that add up"}
    steps |= {f"{step}, {p}" for step in ("explained", "encoder", "engine") for p in PRECISIONS}
    steps |= {f"whole jobs, {kind}" for kind in ("PNG, float32", "JPEG, float32", "PNG, bfloat16")}
    assert len(found["networks"]) == 3
    for name, network in found["networks"].items():
        assert network.keys() == steps
        assert network["explained, float32"]["engine"] == "cuda"
        off = network["compared with float64"]
        assert off["images"] == "galaxies"
        assert max(off["float32"].values()) <= gpu.RIGHT
        assert "sums of fractions' maps, largest" in off["float32"]
        assert [row["images"] for row in network["fractions that add up"]["batches"]] == [1, 2]
        assert gpu.RIGHT < max(off["bfloat16"].values()) < 0.5
        assert f"\n{name}\n" in done.stdout
        for row in network["encoder, float32"]:
            assert row["galaxies a second"] > 0
            assert row["share of the limit"] > 0


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="torch finds a GPU")
def test_without_a_gpu_one_line_says_so(tmp_path: Path) -> None:
    for name in ("python", "python3"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    done = _run(PYTHON=str(tmp_path / "none"), PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "no Python here has a torch that sees a GPU" in done.stderr
