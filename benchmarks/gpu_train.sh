#!/usr/bin/env bash
# A larger model of real galaxies on a GPU, in at most ten minutes: benchmarks/gpu_train.py says how.
# A bare machine needs the repository, Python with torch for CUDA, Lightning, timm, pyarrow, and
# what benchmarks/gpu.sh needs, and no network. Pack beforehand, on a machine with the galaxies:
#   benchmarks/gpu_pack.sh build/gpu-pack zoobot galaxy_datasets omegaconf
#   .venv/bin/python -m benchmarks.gpu_train_pack sdss.duckdb --encoder WEIGHTS
# Of a model larger than 15 MiB, $OUT has parts, to be joined by cat.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. benchmarks/gpu_python.sh
timeout --signal=INT --kill-after=10 590 "$python" -u -m benchmarks.gpu_train "$@"
code=$?
model=${OUT:-build/gpu-train}/model.safetensors
if [ -f "$model" ] && [ "$(stat -c %s "$model")" -gt $((15 * 1024 * 1024)) ]; then
    split -b 15M "$model" "$model.part-" && rm "$model"
fi
exit $code
