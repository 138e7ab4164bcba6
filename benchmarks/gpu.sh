#!/usr/bin/env bash
# The engine cuda on a GPU, in at most eight minutes: benchmarks/gpu.py says what is done.
# A bare machine needs the repository, Python with torch for CUDA, NumPy, SciPy, pandas, Numba,
# Pillow, torchvision, PyYAML, safetensors and huggingface_hub, and no network; what is rarely
# installed, benchmarks/gpu_pack.sh packs beforehand.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
case " $* " in
*" --cpu "*) needed="import torch" ;;
*) needed="import torch, sys; sys.exit(not torch.cuda.is_available())" ;;
esac
for python in ${PYTHON:+"$PYTHON"} .venv/bin/python python3 python; do
    if "$python" -c "$needed" >/dev/null 2>&1; then
        export PYTHONPATH="$PWD:$PWD/build/gpu-pack${PYTHONPATH:+:$PYTHONPATH}"
        timeout --signal=INT --kill-after=10 480 "$python" -u -m benchmarks.gpu "$@"
        exit
    fi
done
echo "gpu.sh: no Python here has a torch that sees a GPU (tried ${PYTHON:-} .venv/bin/python" \
    "python3 python); name one: PYTHON=/path/to/python benchmarks/gpu.sh, or try --cpu" >&2
exit 1
