#!/usr/bin/env bash
# Packs what benchmarks/gpu.sh needs and few machines with a GPU have, from .venv (or PYTHON) into
# build/gpu-pack, which git ignores, or another folder, and then other packages: of plain Python
# alone, which any release reads. Says how large it is with the repository, which is to stay below
# 64 MiB.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."
pack=${1:-build/gpu-pack}
shift || true
[ $# -gt 0 ] || set -- timm galaxy_datasets omegaconf
mkdir -p "$pack"
site=$("${PYTHON:-.venv/bin/python}" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
for package in "$@"; do
    if [ ! -d "$site/$package" ] || find "$site/$package" -name '*.so' | grep -q .; then
        echo "gpu_pack.sh: $package is not installed, or has parts that only its Python reads" >&2
        exit 1
    fi
    rm -rf "${pack:?}/$package"
    tar -C "$site" --exclude=__pycache__ -cf - "$package" | tar -xf - -C "$pack"
done
packed=$(du -sk "$pack" | cut -f1)
tree=$(git ls-files -z | xargs -0 du -ck | tail -1 | cut -f1)
echo "$pack: $((packed / 1024)) MiB, with the repository $(((packed + tree) / 1024)) of 64 MiB"
[ $((packed + tree)) -lt $((64 * 1024)) ]
