"""What runs an encoder over images: torch, OpenVINO where it is installed, or a GPU.

All give the encoder's features up to rounding, which is checked before the first image.
OpenVINO is the fastest on a CPU (docs/decisions/engines.md), but takes a second or two to
compile.
"""

import copy
import importlib.util
import threading
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from zoolens.catalog.errors import CatalogError, UnknownName, needs
from zoolens.catalog.network import devices
from zoolens.catalog.network.devices import Device, OnDevice
from zoolens.catalog.network.inference import features, for_inference, one_thread

# Images (N, C, H, W) in 0..1 to features (N, D); several threads may call it at once.
Encode = Callable[[Tensor], Tensor]
Made = TypeVar("Made", bound=Encode)

ENGINES = ("auto", "torch", "openvino", "cuda")
PRECISIONS = ("float32", "bfloat16")

_WORTH_IT = 1000  # images, on which OpenVINO saves the time that it takes to compile
_FAINT = 0.2  # brightness of the images to compare on: most of a galaxy's image is dark sky
# Allowed difference, relative to the largest feature. Sums of float32 in another order differ
# by some 1e-6; bfloat16 keeps eight bits of a number, and an encoder adds up these errors.
_SAME = {"float32": 1e-5, "bfloat16": 0.05}
_TIMES = 10  # or so many times torch's own error, for encoders that magnify rounding


def choose_engine(engine: str, images: int) -> str:
    """The engine to use for so many images: `torch`, `openvino` or `cuda`.

    "auto" is CUDA if torch finds a GPU, else OpenVINO if it is installed and worth
    compiling for. Raises `UnknownName` for another name, `CatalogError` if what is asked for
    is not there.
    """
    if engine not in ENGINES:
        raise UnknownName(f"no engine {engine!r}; choose one of {', '.join(ENGINES)}")
    installed = importlib.util.find_spec("openvino") is not None
    if engine == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "openvino" if installed and images >= _WORTH_IT else "torch"
    if engine == "openvino":
        needs("engine openvino", "openvino", "openvino")
    if engine == "cuda" and not torch.cuda.is_available():
        raise CatalogError(
            "engine cuda: torch finds no GPU on this machine; choose the engine torch or openvino"
        )
    return engine


def engines_here() -> dict[str, str]:
    """What each engine is on this machine, and which ones `auto` takes, in words."""
    return {
        "torch": f"{torch.__version__}, {torch.get_num_threads()} threads, "
        f"{torch.backends.cpu.get_cpu_capability()}",
        "openvino": _openvino_here(),
        "cuda": _gpus_here(),
        "auto": f"{choose_engine('auto', 1)}; from {_WORTH_IT:,} images "
        f"{choose_engine('auto', _WORTH_IT)}",
    }


def _openvino_here() -> str:
    if importlib.util.find_spec("openvino") is None:
        return "not installed"
    import openvino

    return f"{openvino.get_version()}, {', '.join(openvino.Core().available_devices)}"


def _gpus_here() -> str:
    if not torch.cuda.is_available():
        built = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "without CUDA"
        return f"no GPU; torch is built {built}"
    gpus = [torch.cuda.get_device_properties(one) for one in range(torch.cuda.device_count())]
    named = [f"{gpu.name}, {gpu.total_memory / 2**30:.0f} GiB" for gpu in gpus]
    return f"{'; '.join(named)}; CUDA {torch.version.cuda}"


def check_precision(precision: str) -> None:
    """Raises `UnknownName` if there is no such precision."""
    if precision not in PRECISIONS:
        raise UnknownName(f"no precision {precision!r}; choose one of {', '.join(PRECISIONS)}")


def make_encode(
    engine: str, encoder: nn.Module, channels: int, size: int, precision: str = "float32"
) -> Encode:
    """The encoder prepared for many square images of `size` pixels.

    engine: `torch`, `openvino` or `cuda`. precision: of its arithmetic, `float32` or
    `bfloat16`; features are float32 in any case. Raises `UnknownName` for another
    precision, `CatalogError` if the engine does not take the encoder, or gives other
    features.
    """
    check_precision(precision)
    if engine == "cuda":
        return on_gpu(encoder, channels, size, precision)
    if engine == "openvino":
        make: Callable[[], Encode] = partial(_OpenVino, encoder, channels, size, precision)
    else:
        with one_thread():
            folded = for_inference(encoder, channels, size)
        if precision == "float32":
            return partial(features, folded)
        make = partial(OnDevice, folded, Device(torch.device("cpu")), precision)
    return _checked(make, encoder, channels, size, engine, precision)


def on_gpu(encoder: nn.Module, channels: int, size: int, precision: str) -> OnDevice:
    """The encoder on the GPU, as `make_encode` makes it; its features may stay there."""
    with one_thread():
        folded = for_inference(encoder, channels, size)

    def make() -> OnDevice:
        return OnDevice(folded, Device.of_a_gpu(devices.GPU), precision)

    return _checked(make, encoder, channels, size, "cuda", precision)


def _checked(
    make: Callable[[], Made],
    encoder: nn.Module,
    channels: int,
    size: int,
    engine: str,
    precision: str,
) -> Made:
    """What `make` makes, if it gives the encoder's features of two images."""
    generator = torch.Generator().manual_seed(0)
    images = _FAINT * torch.rand(2, channels, size, size, generator=generator)
    try:
        encode = make()
        found = encode(images)
    except Exception as error:  # an engine may raise anything on what it does not support
        reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        raise CatalogError(
            f"engine {engine} does not take this encoder ({reason[0]}); choose the engine torch"
        ) from error
    _check(found, encoder, images, engine, precision)
    return encode


def _check(found: Tensor, encoder: nn.Module, images: Tensor, engine: str, precision: str) -> None:
    """Compare an engine's features of images with the encoder's own, in float64."""
    with torch.inference_mode(), one_thread():
        expected = copy.deepcopy(encoder).double()(images.double())
        largest = expected.abs().max()
        own = float((encoder(images) - expected).abs().max() / largest)
    difference = float((found - expected).abs().max() / largest)
    if not difference <= max(_SAME[precision], _TIMES * own):
        raise CatalogError(
            f"engine {engine} gives other features in {precision} "
            f"(by {difference:.1e} of the largest); choose the engine torch, in float32"
        )


class _OpenVino:
    """An encoder compiled by OpenVINO, one image at a time on each thread."""

    def __init__(self, encoder: nn.Module, channels: int, size: int, precision: str) -> None:
        import openvino
        from openvino.frontend import FrontEndManager
        from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

        example = torch.zeros(1, channels, size, size)
        with warnings.catch_warnings(), torch.no_grad(), one_thread():
            warnings.simplefilter("ignore")  # torch deprecates tracing
            traced = torch.jit.trace(encoder, example, check_trace=False)
        # instead of openvino.convert_model, which sends telemetry
        frontend = FrontEndManager().load_by_framework("pytorch")
        decoder = TorchScriptPythonDecoder(traced)  # kept alive until it is converted
        model = frontend.convert(frontend.load(decoder))
        model.reshape(list(example.shape))
        threads = torch.get_num_threads()
        self._compiled: Any = openvino.Core().compile_model(
            model,
            "CPU",
            {
                "PERFORMANCE_HINT": "THROUGHPUT",
                "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
                "NUM_STREAMS": threads,
                "INFERENCE_NUM_THREADS": threads,
                # else a thread waits for its core while another core is free, since the
                # threads that decode images are bound to none
                "ENABLE_CPU_PINNING": False,
            },
        )
        self._requests = threading.local()

    def __call__(self, images: Tensor) -> Tensor:
        request = getattr(self._requests, "own", None)
        if request is None:
            request = self._requests.own = self._compiled.create_infer_request()
        rows = [request.infer([image[None]])[0] for image in images.contiguous().numpy()]
        return torch.from_numpy(np.concatenate(rows))
