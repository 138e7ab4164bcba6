"""A job array on a real Slurm: the commands of docs/guide/slurm.md, and the rows of one process."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from tests.jobs.test_predict import SMALL, imaged
from tests.made.checkpoints import save, zoobot_tree
from tests.made.slurm import missing, slurm
from tests.made.terminal import zoolens
from zoolens.catalog.store.store import Store
from zoolens.jobs.explain import explain
from zoolens.jobs.predict import predict
from zoolens.jobs.settings import Inference, Which

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "slurm.md").read_text()
GALAXIES = 260  # two cells, of 256 and 4
# What the guide asks for, and what there is in the test.
HERE = {
    "--model bundled": "--model small.ckpt --samples 2 --size 64",
    "--array=1-40": "--array=2",
    "/40 --out parts": "/2 --out parts",
    "--array=3,7-9": "--array=1",
    "/40 --out maps": "/2 --out maps",
    "cpus-per-task=4": "cpus-per-task=1",
    "mem=4G": "mem=500M",
    "sbatch --wait": "submitted_and_done",  # it asks for the state of a job ever more seldom
}
WAITING = """submitted_and_done() {
    sbatch "$@" >submitted
    while [ -n "$(squeue --noheader)" ]; do sleep 0.2; done
}
"""
KEYS = {
    "prediction": ("galaxy_id", "answer_id"),
    "question_prediction": ("galaxy_id", "question_id"),
    "posterior": ("galaxy_id",),
    "saliency_map": ("galaxy_id", "question_id"),
    "saliency_stat": ("galaxy_id", "answer_id"),
}


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment with Slurm, Zoolens, and one thread a process."""
    with slurm(tmp_path / "slurm") as environment:
        path = f"{Path(sys.executable).parent}:{environment['PATH']}"
        yield {**environment, "PATH": path, "OMP_NUM_THREADS": "1"}


def blocks(heading: str, folder: Path) -> list[str]:
    """What a chapter says is to be typed; the scripts are put where that expects them."""
    chapters = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", GUIDE, re.M | re.S))
    typed = []
    for block in re.findall(r"^```sh\n(.*?)^```", chapters[heading], re.M | re.S):
        name = re.search(r"--job-name=(\w+)", block)
        for asked, here in HERE.items():
            block = block.replace(asked, here)
        if name:
            (folder / f"{name[1]}.sbatch").write_text(block)
        else:
            typed.append(block)
    return typed


def rows(path: Path) -> dict[str, pa.Table]:
    """By galaxy: of two parts the second came first."""
    with Store.open(path, read_only=True) as store:
        return {
            name: store.arrow(f"FROM {name}").sort_by([(key, "ascending") for key in keys])
            for name, keys in KEYS.items()
        }


@pytest.mark.slow
@pytest.mark.skipif(missing() is not None, reason=f"no Slurm of its own: {missing()}")
def test_what_the_guide_says_does_what_one_process_does(
    tmp_path: Path, shell: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = imaged(tmp_path / "gz.duckdb", GALAXIES)
    model = save(zoobot_tree("test_resnet", awake=True, dropout_rate=0.3), tmp_path / "small.ckpt")
    alone = Path(shutil.copyfile(catalog, tmp_path / "alone.duckdb"))

    monkeypatch.chdir(tmp_path)

    def said(block: str, code: int = 0) -> str:
        """The last command's words; Slurm's commands run in a shell, ours in this process."""
        for line in block.splitlines():
            command, *words = shlex.split(line)
            if command == "zoolens":
                ended = zoolens(*words)
                told, ended_with = ended.stderr, ended.exit_code
            else:
                assert command == "submitted_and_done"
                done = subprocess.run(
                    ["bash", "-ec", WAITING + line],
                    env=shell,
                    capture_output=True,
                    text=True,
                    timeout=250,
                    check=True,
                )
                told, ended_with = done.stderr, done.returncode
                logs = "\n".join(file.read_text() for file in sorted(tmp_path.glob("*-?.txt")))
                assert logs.count("0 refused") == len([*tmp_path.glob("*-?.txt")]), logs
                assert "srun" not in logs
        assert ended_with == code, told
        return told

    plan, some, the_rest = blocks("Predictions", tmp_path)
    assert f"{GALAXIES} galaxies wait, to be cut into at most 2 parts" in said(plan)
    told = said(some, code=1)
    assert "adopted 4 galaxies, 4 in all; part 1 of 2 is not there, or not whole" in told
    assert f"predict  run 3   256 galaxies, {GALAXIES} in all; 0 refused" in said(the_rest)
    plan, every = blocks("Maps", tmp_path)
    said(plan)
    (task,) = re.findall(r"^zoolens .*", (tmp_path / "explain.sbatch").read_text(), re.M)
    for number in ("1", "2"):
        said(task.replace("$SLURM_ARRAY_TASK_ID", number))
    adopting = every.splitlines()[-1]
    assert f"explain  run 4   {GALAXIES} galaxies, {GALAXIES} in all; 0 refused" in said(adopting)

    predict(alone, str(model), Inference(samples=2, view=SMALL, engine="torch"))
    explain(alone, Which(everything=True), figures=False)
    found, expected = rows(catalog), rows(alone)
    assert len(found["posterior"]) == len({*found["saliency_map"]["galaxy_id"]}) == GALAXIES
    assert found == expected
    blocks("GPUs", tmp_path)
    subprocess.run(["bash", "-n", tmp_path / "gpu.sbatch"], check=True)


QUEUE = """class: SLURMCluster
jobs: 1
arguments:
  queue: test
  cores: 1
  processes: 1
  memory: 2500MB
  walltime: "00:10:00"
"""


@pytest.mark.slow
@pytest.mark.skipif(missing() is not None, reason=f"no Slurm of its own: {missing()}")
def test_workers_of_dask_are_jobs_of_slurm(
    tmp_path: Path, shell: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dask_jobqueue")
    catalog = imaged(tmp_path / "gz.duckdb", 6)
    model = save(zoobot_tree("test_resnet", awake=True, dropout_rate=0.3), tmp_path / "small.ckpt")
    alone = Path(shutil.copyfile(catalog, tmp_path / "alone.duckdb"))
    (tmp_path / "slurm.yaml").write_text(QUEUE)
    monkeypatch.chdir(tmp_path)
    for name in ("SLURM_CONF", "PATH", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, shell[name])
    told = zoolens(
        *("predict", "--model", model, "--samples", 2, "--size", 64, "--engine", "torch"),
        *("--cluster", "slurm.yaml", "--parts", "shared"),
    )
    assert (told.exit_code, "6 galaxies, 6 in all; 0 refused" in told.stderr) == (0, True), (
        told.stderr
    )
    predict(alone, str(model), Inference(samples=2, view=SMALL, engine="torch"))
    assert rows(catalog) == rows(alone)
