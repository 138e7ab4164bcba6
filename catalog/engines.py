"""What runs an encoder over images: torch, or OpenVINO where it is installed.

Both give the encoder's own features but for rounding, which is checked before the first
image. OpenVINO is the faster on a processor (docs/decisions/engines.md), but takes a
second or two to be made ready.
"""

import copy
import importlib.util
import threading
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from catalog.errors import CatalogError, UnknownName
from catalog.inference import features, for_inference, one_thread

# Images (N, C, H, W) in 0..1 to features (N, D); several threads may call it at once.
Encode = Callable[[Tensor], Tensor]

ENGINES = ("auto", "torch", "openvino")

_WORTH_IT = 1000  # images, on which OpenVINO saves what it takes to be made ready
_SAME = 1e-5  # of the largest feature: float32 sums in another order differ by some 1e-6,
_TIMES = 10  # and where an encoder magnifies rounding, as much as torch's own do
_FAINT = 0.2  # most of a galaxy's picture is dark sky


def choose_engine(engine: str, images: int) -> str:
    """`torch` or `openvino`, for so many images.

    "auto" is OpenVINO where it is installed and worth it. Raises `UnknownName` for
    another name, `CatalogError` where OpenVINO is asked for and not installed.
    """
    if engine not in ENGINES:
        raise UnknownName(f"no engine {engine!r}; choose one of {', '.join(ENGINES)}")
    installed = importlib.util.find_spec("openvino") is not None
    if engine == "auto":
        return "openvino" if installed and images >= _WORTH_IT else "torch"
    if engine == "openvino" and not installed:
        raise CatalogError(
            "engine openvino is not installed; install it with: pip install openvino, "
            "or choose --engine torch"
        )
    return engine


def make_encode(engine: str, encoder: nn.Module, channels: int, size: int) -> Encode:
    """The encoder made ready for many square images of `size` pixels.

    engine: `torch` or `openvino`. Raises `CatalogError` where OpenVINO does not take
    the encoder, or gives other features.
    """
    if engine == "torch":
        with one_thread():
            return partial(features, for_inference(encoder, channels, size))
    generator = torch.Generator().manual_seed(0)
    images = _FAINT * torch.rand(2, channels, size, size, generator=generator)
    with torch.inference_mode():
        expected = copy.deepcopy(encoder).double()(images.double())
        own = (encoder(images) - expected).abs().max() / expected.abs().max()
    try:
        encode = _OpenVino(encoder, images[:1])
        found = encode(images)
    except Exception as error:  # a converter trips on whatever it does not know
        reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        raise CatalogError(
            f"OpenVINO does not take this encoder ({reason[0]}); choose --engine torch"
        ) from error
    difference = float((found - expected).abs().max() / expected.abs().max())
    if not difference <= max(_SAME, _TIMES * float(own)):
        raise CatalogError(
            f"OpenVINO gives other features (by {difference:.1e} of the largest); "
            "choose --engine torch"
        )
    return encode


class _OpenVino:
    """An encoder compiled by OpenVINO, in float32, an image at a time on each thread."""

    def __init__(self, encoder: nn.Module, example: Tensor) -> None:
        import openvino
        from openvino.frontend import FrontEndManager
        from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of tracing, which torch has come to deprecate
            traced = torch.jit.trace(encoder, example, check_trace=False)
        # not openvino.convert_model, which has telemetry
        frontend = FrontEndManager().load_by_framework("pytorch")
        decoder = TorchScriptPythonDecoder(traced)  # has to live until it is converted
        model = frontend.convert(frontend.load(decoder))
        model.reshape(list(example.shape))
        threads = torch.get_num_threads()
        self._compiled: Any = openvino.Core().compile_model(
            model,
            "CPU",
            {
                "PERFORMANCE_HINT": "THROUGHPUT",
                "INFERENCE_PRECISION_HINT": "f32",
                "NUM_STREAMS": threads,
                "INFERENCE_NUM_THREADS": threads,
            },
        )
        self._requests = threading.local()

    def __call__(self, images: Tensor) -> Tensor:
        request = getattr(self._requests, "own", None)
        if request is None:
            request = self._requests.own = self._compiled.create_infer_request()
        rows = [request.infer([image[None]])[0] for image in images.contiguous().numpy()]
        return torch.from_numpy(np.concatenate(rows))
