#!/usr/bin/env bash
# A larger model of real galaxies on a GPU, in at most ten minutes: benchmarks/gpu_train.py says how.
# A bare machine needs the repository, Python with torch for CUDA, Lightning, timm, pyarrow, and
# what benchmarks/gpu.sh needs, and no network. Pack beforehand, on a machine with the galaxies:
#   benchmarks/gpu_pack.sh build/gpu-pack zoobot galaxy_datasets omegaconf
#   .venv/bin/python -m benchmarks.gpu_train_pack sdss.duckdb --encoder WEIGHTS
# Of a model larger than 15 MiB, $OUT has parts, to be joined by cat.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
case " $* " in
*" --cpu "*) needed="import torch" ;;
*) needed="import torch, sys; sys.exit(not torch.cuda.is_available())" ;;
esac
for python in ${PYTHON:+"$PYTHON"} .venv/bin/python python3 python; do
    if "$python" -c "$needed" >/dev/null 2>&1; then
        export PYTHONPATH="$PWD:$PWD/build/gpu-pack${PYTHONPATH:+:$PYTHONPATH}"
        timeout --signal=INT --kill-after=10 590 "$python" -u -m benchmarks.gpu_train "$@"
        code=$?
        model=${OUT:-build/gpu-train}/model.safetensors
        if [ -f "$model" ] && [ "$(stat -c %s "$model")" -gt $((15 * 1024 * 1024)) ]; then
            split -b 15M "$model" "$model.part-" && rm "$model"
        fi
        exit $code
    fi
done
echo "gpu_train.sh: no Python here has a torch that sees a GPU (tried ${PYTHON:-} .venv/bin/python" \
    "python3 python); name one: PYTHON=/path/to/python benchmarks/gpu_train.sh, or try --cpu" >&2
exit 1
