"""What `--cluster` takes, and what it refuses in one line."""

from pathlib import Path

import pytest

from zoolens.catalog.cluster.asked import Local, Queue, Scheduler, class_of, read_cluster
from zoolens.catalog.errors import CatalogError

SLURM = """
class: SLURMCluster
jobs: 40
patience: 30
arguments:
  queue: cpu
  cores: 1
  memory: 2GB
"""


def test_processes_and_addresses() -> None:
    assert read_cluster("local:3") == Local(3)
    assert read_cluster("tcp://login1:8786") == Scheduler("tcp://login1:8786")
    assert read_cluster("tls://[::1]:8786/") == Scheduler("tls://[::1]:8786")


def test_a_batch_system(tmp_path: Path) -> None:
    file = tmp_path / "slurm.yaml"
    file.write_text(SLURM)
    arguments = {"queue": "cpu", "cores": 1, "memory": "2GB"}
    queue = read_cluster(str(file))
    assert queue == Queue(file, "SLURMCluster", 40, arguments, 1800.0)
    assert isinstance(queue, Queue)
    assert class_of(queue).__name__ == "SLURMCluster"
    file.write_text("class: dask_jobqueue.local.LocalCluster")
    assert read_cluster(str(file)) == Queue(file, "dask_jobqueue.local.LocalCluster", 1, {}, 3600)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("local:0", "give 1 to 1024 processes"),
        ("local:5000", "give 1 to 1024 processes"),
        ("local", "say how many processes, as in local:4"),
        ("local:two", "say how many processes"),
        ("head1:8786", "a scheduler's address is tcp://head1:8786"),
        ("tcp://login1", "a scheduler's address is tcp://HOST:PORT"),
        ("tcp://a b:1", "a scheduler's address is"),
        (
            "absent.yaml",
            r"no YAML file of a cluster \(nor local:N, nor tcp://HOST:PORT\) at absent",
        ),
    ],
)
def test_what_is_neither_is_refused(text: str, told: str) -> None:
    with pytest.raises(CatalogError, match=told):
        read_cluster(text)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "names no class of dask-jobqueue"),
        ("- 1", "names no class"),
        ("class: 3", "names no class"),
        ("a: [", "is no YAML file"),
        ("\x00", "is no YAML file"),
        ("class: SLURM", "no class SLURM; nearest: SLURMCluster"),
        ("class: os.path", "no class os.path"),
        ("class: JobQueueClusters", "no class JobQueueClusters"),
        ("class: core.Job", "no class core.Job"),
        ("class: SLURMCluster\njob: 3", "no 'job' is known, only class, jobs"),
        ("class: SLURMCluster\njobs: 0", "jobs is 0; say how many"),
        ("class: SLURMCluster\njobs: true", "jobs is True"),
        ("class: SLURMCluster\npatience: soon", "patience is 'soon'; give minutes"),
        ("class: SLURMCluster\narguments: [1]", r"arguments are \[1\]; give names and values"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, content: str, told: str) -> None:
    file = tmp_path / "cluster.yaml"
    file.write_text(content)
    with pytest.raises(CatalogError, match=told) as refused:
        read_cluster(str(file))
    assert "\n" not in str(refused.value)
