#!/usr/bin/env bash
# The engine cuda on a GPU, in at most eight minutes: benchmarks/gpu.py says what is done.
# A bare machine needs the repository, Python with torch for CUDA, NumPy, SciPy, pandas, Numba,
# Pillow, torchvision, PyYAML, safetensors and huggingface_hub, and no network; what is rarely
# installed, benchmarks/gpu_pack.sh packs beforehand.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. benchmarks/gpu_python.sh
timeout --signal=INT --kill-after=10 480 "$python" -u -m benchmarks.gpu "$@"
