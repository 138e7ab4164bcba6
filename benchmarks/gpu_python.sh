# Read by gpu.sh and gpu_train.sh, in the repository's root: `python` becomes the first Python here
# whose torch sees a GPU, or, with --cpu among the arguments, has torch; with what is packed on its path.
case " $* " in
*" --cpu "*) needed="import torch" ;;
*) needed="import torch, sys; sys.exit(not torch.cuda.is_available())" ;;
esac
found=
for python in ${PYTHON:+"$PYTHON"} .venv/bin/python python3 python; do
    if "$python" -c "$needed" >/dev/null 2>&1; then
        found=yes
        break
    fi
done
if [ -z "$found" ]; then
    script=$(basename "$0")
    echo "$script: no Python here has a torch that sees a GPU (tried ${PYTHON:-} .venv/bin/python" \
        "python3 python); name one: PYTHON=/path/to/python benchmarks/$script, or try --cpu" >&2
    exit 1
fi
export PYTHONPATH="$PWD:$PWD/build/gpu-pack${PYTHONPATH:+:$PYTHONPATH}"
