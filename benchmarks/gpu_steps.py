"""What is measured of a network on a GPU; each step returns what goes into the JSON."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle, islice
from typing import Any

import torch
from torch import Tensor

from benchmarks.gpu_fractions import sums_off
from benchmarks.gpu_limits import arithmetic, limit
from benchmarks.gpu_sky import picture, seen
from benchmarks.gpu_time import captured, seconds_of
from benchmarks.gpu_trial import Trial
from tests.oracles.saliency import Expected
from zoolens.catalog.images.segments import central_segment
from zoolens.catalog.network.devices import Device, OnDevice
from zoolens.catalog.network.engines import PRECISIONS
from zoolens.catalog.network.inference import torch_in_order
from zoolens.catalog.network.model import concentrations
from zoolens.catalog.predictions.posterior import summarise

Row = dict[str, Any]


def compared(trial: Trial) -> Row:
    """How far features and maps are from those of autograd in float64, of the largest value.

    Of pictures of galaxies; of maps the median and the largest over galaxies and answers. And how
    far sums are of maps that add up.
    """
    images, shown = _shown(trial)
    explainers = {precision: trial.explainer(precision) for precision in PRECISIONS}
    exact = _exact(trial, images, explainers["float32"].layer)
    row: Row = {
        "engine": explainers["float32"].engine,
        "layer": explainers["float32"].layer,
        "images": shown,
    }
    for precision, explainer in explainers.items():
        found = (
            trial.encoder(precision)(images)[:, :, None, None],
            explainer(images).mean,
            explainer.fractions(images, trial.tree.slices).mean,
        )
        row[precision] = {
            f"{name}, {how}": float(summary(_off(one, other)))
            for name, one, other in zip(
                ("features", "maps", "fractions"), found, exact, strict=True
            )
            for how, summary in (("median", torch.median), ("largest", torch.max))
        }
    row["float32"]["sums of fractions' maps, largest"] = float(sums_off(trial, images).max())
    return row


def _shown(trial: Trial) -> tuple[Tensor, str]:
    """Images to compare on, and of what: of noise where pictures cannot be made or viewed."""
    count = trial.sizes.compared
    try:
        return seen(trial.network.view, [picture(seed) for seed in range(count)]), "galaxies"
    except Exception as error:  # the engine can be tried all the same
        return trial.images(count), f"noise, for want of pictures: {error}"


def _off(found: Tensor, exact: Tensor) -> Tensor:
    """Largest difference of each map, of its own largest value; of features, of a galaxy's."""
    across = (1, 2, 3) if found.shape[-1] == 1 else (2, 3)
    return (found - exact).abs().amax(across) / exact.abs().amax(across)


def _exact(trial: Trial, images: Tensor, layer: str) -> tuple[Tensor, Tensor, Tensor]:
    """Features, and maps of concentrations and of fractions (N, A, h, w), in float64."""
    network = Expected(trial.network.model, trial.masks, trial.tree.slices)
    cut: list[Tensor] = []

    def begin_here(module: torch.nn.Module, given: object, output: Tensor) -> Tensor:
        cut.append(output.detach().requires_grad_())
        return cut[0].clone()

    handle = network.encoder.get_submodule(layer).register_forward_hook(begin_here)
    features = network.encoder(images.double())
    handle.remove()
    alphas = [sample.head(features) for sample in network.samples]
    shares = [
        torch.cat([a[:, w] / a[:, w].sum(1, keepdim=True) for w in trial.tree.slices], 1)
        for a in alphas
    ]

    def maps(samples: list[Tensor]) -> Tensor:
        outputs = torch.stack(samples).mean(0)
        slopes = [
            torch.autograd.grad(outputs[:, answer].sum(), cut[0], retain_graph=True)[0]
            for answer in range(outputs.shape[1])
        ]
        return torch.stack([(cut[0] * slope).sum(1) for slope in slopes], 1).detach()

    return features.detach()[:, :, None, None], maps(alphas), maps(shares)


def limits(trial: Trial) -> Row:
    """Arithmetic of an image, and galaxies a second at most."""
    return {
        "layers": len(trial.layers),
        "GFLOP a galaxy": arithmetic(trial.layers) / 1e9,
        "weights": sum(layer.weights for layer in trial.layers),
        "numbers moved a galaxy": sum(layer.moved for layer in trial.layers),
        "galaxies a second at most": {
            precision: {
                str(n): n / limit(trial.layers, n, trial.rates, precision)
                for n in trial.sizes.batches
            }
            for precision in PRECISIONS
        },
    }


def encoding(trial: Trial, precision: str) -> list[Row]:
    """The encoder alone, images already there: launched layer by layer, and as a CUDA graph."""
    on_device = trial.encoder(precision)
    device, kind = on_device.place.device, getattr(torch, precision)
    rows = []
    for n in trial.sizes.batches:
        images = trial.images(n).to(device).to(kind, memory_format=torch.channels_last)
        with torch.inference_mode():
            call = partial(on_device.encoder, images)
            eager = seconds_of(call, device, trial.sizes.spent)
            row: Row = {"precision": precision, "images": n, "galaxies a second": n / eager}
            best = eager
            if device.type == "cuda":
                replay, output = captured(call)
                images.copy_(images.flip(0) * 0.5)  # it must read what is there now
                replay()
                expected = call().float()
                row["graph differs by"] = float(
                    (output.float() - expected).abs().max() / expected.abs().max()
                )
                graph = seconds_of(replay, device, trial.sizes.spent)
                row["galaxies a second, as a graph"] = n / graph
                best = min(eager, graph)
        row["share of the limit"] = limit(trial.layers, n, trial.rates, precision) / best
        rows.append(row)
    return rows


def engine(trial: Trial, precision: str) -> Row:
    """The engine as a job calls it: from the CPU and back, from one thread and from four."""
    encode = trial.encoder(precision)
    device, spent = encode.place.device, trial.sizes.spent
    rows = []
    for n in trial.sizes.batches:
        images = trial.images(n)
        row: Row = {"images": n}
        row["galaxies a second"] = n / seconds_of(partial(encode, images), device, spent)
        if device.type == "cuda":
            pinned = images.pin_memory()
            row["from pinned memory"] = n / seconds_of(partial(encode, pinned), device, spent)
        rows.append(row)
    shared = _shared(trial, encode, precision)
    return {"precision": precision, "one thread": rows, "four threads, by streams": shared}


def _all(
    pool: ThreadPoolExecutor, function: Callable[[Tensor], Tensor], parts: Any
) -> list[Tensor]:
    return [*pool.map(function, parts)]


def _shared(trial: Trial, encode: OnDevice, precision: str) -> dict[str, float]:
    """Galaxies a second from four threads, by the number of streams that they share."""
    device, parts = encode.place.device, trial.images(trial.sizes.shared).split(trial.sizes.batch)
    found = {}
    for streams in (1, 2, 4):
        place = Device.of_a_gpu(device, streams)
        own = OnDevice(encode.encoder, place, precision)
        with ThreadPoolExecutor(4) as pool:
            took = seconds_of(partial(_all, pool, own, parts), device, trial.sizes.spent)
        found[str(streams)] = trial.sizes.shared / took
    return found


def explaining(trial: Trial, precision: str) -> Row:
    """Maps of all answers, mean and spread over the samples; and maps of fractions."""
    explainer, encode = trial.explainer(precision), trial.encoder(precision)
    device, spent = encode.place.device, trial.sizes.spent
    rows = []
    for n in trial.sizes.batches:
        images = trial.images(n)
        ways: dict[str, Callable[[], Any]] = {
            "encoder": partial(encode, images),
            "maps": partial(explainer, images),
            "fractions": partial(explainer.fractions, images, trial.tree.slices),
        }
        took = {name: seconds_of(way, device, spent) for name, way in ways.items()}
        least = limit(trial.layers, n, trial.rates, precision)
        rows.append(
            {"images": n}
            | {f"{name}, galaxies a second": n / seconds for name, seconds in took.items()}
            | {
                f"{name}, times the encoder": took[name] / took["encoder"]
                for name in ("maps", "fractions")
            }
            | {"share of the encoder's limit": least / took["maps"]}
        )
    return {"precision": precision, "engine": explainer.engine, "batches": rows}


def whole(trial: Trial, precision: str, kind: str, threads: Sequence[int]) -> list[Row]:
    """From encoded pictures on: decoding and view alone, predictions, and maps with segments.

    Galaxies a second, by the threads that decode. All but what the catalogue writes.
    """
    encode, explainer = trial.encoder(precision), trial.explainer(precision)
    model, view, batch = trial.network.model, trial.network.view, trial.sizes.batch
    encoded = [picture(seed, kind) for seed in range(trial.sizes.distinct)]

    def predicted(part: Sequence[bytes]) -> None:
        alpha = concentrations(model, encode(seen(view, part)), trial.masks)
        summarise(alpha.numpy(), trial.tree)

    def explained(part: Sequence[bytes]) -> None:
        images = seen(view, part)
        explainer(images)
        for image in images:
            central_segment((255 * image).round().byte().movedim(0, -1).numpy())

    jobs: dict[str, Callable[[Sequence[bytes]], object]] = {
        "decoded": lambda part: seen(view, part),
        "predicted": predicted,
        "explained": explained,
    }
    for job in jobs.values():  # whatever is compiled or looked up once
        job([*islice(cycle(encoded), batch)])
    rows = []
    for count in threads:
        every = [*islice(cycle(encoded), trial.sizes.pictures * count)]
        parts = [every[first : first + batch] for first in range(0, len(every), batch)]
        row: Row = {"precision": precision, "kind": kind, "threads": count}
        for name, job in jobs.items():
            started = time.perf_counter()
            for _ in torch_in_order(job, parts, threads=count):
                pass
            row[name] = len(every) / (time.perf_counter() - started)
        rows.append(row)
    return rows
