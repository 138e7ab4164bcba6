"""Reaching a cluster, or one line that says why not."""

import logging
import re
from pathlib import Path

import pytest
import yaml

from zoolens.catalog.cluster import connecting
from zoolens.catalog.cluster.asked import Queue, Scheduler, class_of, read_cluster
from zoolens.catalog.cluster.connecting import connected, hushed
from zoolens.catalog.errors import CatalogError

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "cluster.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.M | re.S)


def test_no_scheduler_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "_CONNECT", 0.5)
    refused = pytest.raises(
        CatalogError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1 "
    )
    with refused as told, connected(Scheduler("tcp://127.0.0.1:1")):
        pass
    assert "\n" not in str(told.value)


def test_a_scheduler_is_found(address: str) -> None:
    with connected(Scheduler(address)) as (client, _):
        assert len(client.nthreads()) == 2


@pytest.mark.parametrize(
    "arguments", [{}, {"cores": 1, "memory": "2GB", "wings": 2}, {"cores": 1, "memory": "much"}]
)
def test_arguments_that_a_class_does_not_take_are_said(
    tmp_path: Path, arguments: dict[str, object]
) -> None:
    queue = Queue(tmp_path / "c.yaml", "SLURMCluster", 1, arguments, 60)
    refused = pytest.raises(CatalogError, match=r"c\.yaml: SLURMCluster does not take this: \w")
    with refused as told, connected(queue):
        pass
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_of_the_guide_make_jobs(tmp_path: Path, example: str) -> None:
    file = tmp_path / "cluster.yaml"
    file.write_text(example)
    queue = read_cluster(str(file))
    assert isinstance(queue, Queue)
    job = class_of(queue).job_cls(scheduler="tcp://a:1", name="w", **queue.arguments)
    script = job.job_script()
    said = yaml.safe_load(example)["arguments"]
    assert f"#SBATCH -p {said['queue']}" in script
    assert "--nthreads 1" in script
    for directive in said.get("job_extra_directives", []):
        assert f"#SBATCH {directive}" in script


def test_the_guide_has_examples() -> None:
    assert len(EXAMPLES) == 2


def test_what_dask_says_is_heard_and_not_written(capfd: pytest.CaptureFixture[str]) -> None:
    with hushed() as said:
        logging.getLogger("distributed.worker").warning("restarting")
        assert said.last == ""
        try:
            raise RuntimeError("sbatch:\nstdout:\n\nstderr:\nno such\npartition")
        except RuntimeError:
            logging.getLogger("tornado.application").exception("in a callback")
        assert said.last == "no such partition"
    assert capfd.readouterr().err == ""
