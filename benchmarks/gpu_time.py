"""Timing what a device does behind the back of the program that asked for it."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

_ROUNDS = 5


def seconds_of(call: Callable[[], Any], device: torch.device, spent: float) -> float:
    """Seconds of one call: the median of rounds that take about `spent` seconds together.

    Warmed up first; a call that takes longer is done once. All calls of a round are queued before
    they are waited for, as in a job.
    """
    for _ in range(2):
        call()
    started = _now(device)
    call()
    one = max(_now(device) - started, 1e-6)
    if one >= spent:
        return one
    calls = max(1, int(spent / _ROUNDS / one))
    rounds = []
    for _ in range(_ROUNDS):
        started = _now(device)
        for _ in range(calls):
            call()
        rounds.append((_now(device) - started) / calls)
    return statistics.median(rounds)


def captured(call: Callable[[], torch.Tensor]) -> tuple[Callable[[], None], torch.Tensor]:
    """A call as one CUDA graph: what replays it, and the tensor that it then writes.

    The call must read the same memory each time, and do nothing but queue work. It is warmed
    up on the stream that it is captured on.
    """
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(stream)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        output = call()
    return graph.replay, output


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
